import Foundation
import TestSupport
import Testing

/// Every mistake gets one clear line that names what is wrong and what to do, and leaves nothing half done.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BadInputTests {
    /// A command that must fail, what it is given, and what its one line must say.
    private struct Mistake {
        let what: String
        let arguments: [String]
        var input = ""
        let status: Int32
        let says: [String]
    }

    private static func mesh(_ name: String, _ more: String = "", life: String = "1d") -> String {
        """
        type: Mesh
        name: \(name)
        \(more)
        mtls:
          enabledBackend: ca-1
          backends:
          - {name: ca-1, type: builtin, dpCert: {rotation: {expiration: \(life)}}}

        """
    }

    @Test func `documents with mistakes are refused with their line, and no mesh of theirs is made`() async throws {
        try await World.open("documents") { world in
            try await world.makeMesh("payments")
            let huge = "type: Mesh\nname: big\n#" + String(repeating: "x", count: 10 << 20) + "\n"
            let apply = ["apply", "-f", "-"]
            let mistakes = [
                Mistake(
                    what: "unknown key", arguments: apply, input: Self.mesh("a1", "isolatd: true"), status: 1,
                    says: ["isolatd", "isolated"]),
                Mistake(
                    what: "wrong duration", arguments: apply, input: Self.mesh("a2", life: "1 day"), status: 1,
                    says: ["1 day", "expiration"]),
                Mistake(what: "zero duration", arguments: apply, input: Self.mesh("a3", life: "0s"), status: 1, says: ["0s"]),
                Mistake(
                    what: "64 characters", arguments: apply, input: Self.mesh(String(repeating: "m", count: 64)), status: 1,
                    says: ["63"]),
                Mistake(
                    what: "underscore in the trust domain", arguments: apply, input: Self.mesh("a4", "trustDomain: a_b"),
                    status: 1, says: ["trustDomain", "a_b"]),
                Mistake(
                    what: "numeric last label", arguments: apply, input: Self.mesh("a5", "trustDomain: a.7"), status: 1,
                    says: ["trustDomain", "a.7"]),
                Mistake(
                    what: "taken trust domain", arguments: apply, input: Self.mesh("a6", "trustDomain: payments"), status: 1,
                    says: ["trustDomain", "payments", "taken"]),
                Mistake(
                    what: "reserved name", arguments: apply, input: Self.mesh("all"), status: 1, says: ["all", "reserved"]),
                Mistake(what: "10 MiB", arguments: apply, input: huge, status: 2, says: ["1 MiB", "split it"]),
                Mistake(
                    what: "aliases", arguments: apply, input: "a: &a [x]\nb: [*a, *a]\n", status: 1, says: ["line 1", "anchor"]),
                Mistake(
                    what: "a file that is not there", arguments: ["apply", "-f", "/nowhere.yaml"], status: 2,
                    says: ["/nowhere.yaml"]),
            ]
            for mistake in mistakes { try await expect(mistake, in: world) }
            let meshes = try await world.signet.json(Listing<MeshReport>.self, "get", "meshes").items.map(\.name)
            #expect(Set(meshes) == ["default", "payments"])
        }
    }

    @Test func `wrong usage exits with 2, a server that says no with 1, each in one line`() async throws {
        try await World.open("usage") { world in
            let chain = try world.workspace.write("not a certificate", to: "chain.pem")
            let mistakes = [
                Mistake(what: "unknown command", arguments: ["bogus"], status: 2, says: ["bogus", "--help"]),
                Mistake(what: "unknown flag", arguments: ["get", "meshes", "--bogus"], status: 2, says: ["--bogus"]),
                Mistake(what: "no such mesh", arguments: ["get", "mesh", "nope"], status: 1, says: ["nope"]),
                Mistake(what: "no such mesh to delete", arguments: ["delete", "mesh", "nope"], status: 1, says: ["nope"]),
                Mistake(
                    what: "a tag without a value", arguments: ["token", "dataplane", "--mesh", "default", "--tag", "x"],
                    status: 2, says: ["--tag", "x"]),
                Mistake(
                    what: "a token without the tag of the identity path",
                    arguments: ["token", "dataplane", "--mesh", "default", "--tag", "a=b"], status: 1,
                    says: ["kuma.io/service"]),
                Mistake(
                    what: "a life over the limit",
                    arguments: [
                        "token", "dataplane", "--mesh", "default", "--tag", "kuma.io/service=web", "--valid-for", "10y",
                    ], status: 1, says: ["365"]),
                Mistake(
                    what: "not a certificate", arguments: ["verify", "--mesh", "default", chain], status: 1,
                    says: ["certificate"]),
                Mistake(
                    what: "not a SPIFFE ID", arguments: ["identity", "revoke", "spiffe://Default/web"], status: 2,
                    says: ["spiffe://Default/web"]),
                Mistake(
                    what: "not an address",
                    arguments: [
                        "envoy", "bootstrap", "--mesh", "default", "--service", "web", "--token-file", chain, "--inbound",
                        "nonsense",
                    ], status: 2, says: ["--inbound", "nonsense"]),
            ]
            for mistake in mistakes { try await expect(mistake, in: world) }
        }
    }

    @Test func `proxies' credentials that are not right are refused with the reason`() async throws {
        try await World.open("tokens") { world in
            try await world.makeMesh("red")
            try await world.makeMesh("blue")
            let red = try await world.token(mesh: "red", service: "web", proxy: "web-1")
            let brief = try await world.token(mesh: "red", service: "web", proxy: "web-2", validFor: "2s")
            let key = world.workspace.file("csr.key")
            let csr = try await Tool.openssl.output([
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-keyout", key,
            ])
            let signed = try await world.postCSR(csr, mesh: "red", token: red)
            #expect(signed.status == 200 || signed.status == 201, "\(signed)")
            let leaf = try #require(try await WireCertificate.all(in: signed.body).first, "\(signed)")
            #expect(leaf.uris == ["spiffe://red/web"])
            #expect(leaf.isIn(try await world.certificates(of: "red")))

            let cases: [(what: String, csr: String, mesh: String, token: String?, status: Int, says: String)] = [
                ("a token of another mesh", csr, "blue", red, 403, "mesh"),
                ("garbage", csr, "red", "garbage", 401, "token"),
                ("no token", csr, "red", nil, 401, "token"),
                ("a CSR with a foreign signature", try forged(csr), "red", red, 400, "signature"),
                ("a CSR that is none", "hello", "red", red, 400, "certificate signing request"),
                ("no such mesh", csr, "green", red, 403, "mesh"),
            ]
            for (what, csr, mesh, token, status, says) in cases {
                let answer = try await world.postCSR(csr, mesh: mesh, token: token)
                #expect(answer.status == status, "\(what): \(answer)")
                #expect(answer.body.contains(says), "\(what): \(answer)")
            }
            try await eventually(within: .seconds(10), "the expiry of the token") {
                let answer = try await world.postCSR(csr, mesh: "red", token: brief)
                return answer.status == 401 && answer.body.contains("expired")
            }
            let large = csr + String(repeating: "x", count: 70_000)
            #expect(try await world.postCSR(large, mesh: "red", token: red).status == 413)
            #expect(try await world.leaves(of: "web", in: "red").count >= 1)
        }
    }

    @Test func `a service that cannot start says why in one line and exits`() async throws {
        try await World.open("start") { world in
            let taken = try SignetProcess(in: world.workspace, data: "taken", ports: world.signet)
            try await expectEnd(of: taken, says: ["\(world.signet.sdsPort)", "in use"])

            let same = try SignetProcess(in: world.workspace, data: "data")
            try await expectEnd(of: same, says: [world.signet.dataDirectory])

            try world.workspace.write("a file", to: "file")
            let unwritable = try SignetProcess(in: world.workspace, data: "file/data")
            try await expectEnd(of: unwritable, says: [world.workspace.file("file/data"), "--data-dir"])

            #expect(try await world.signet.terminate() == .exited(0))
            let marker = world.signet.dataDirectory + "/version"
            let version = try String(contentsOfFile: marker, encoding: .utf8)
            try "999\n".write(toFile: marker, atomically: true, encoding: .utf8)
            try await expectEnd(of: world.signet, says: [world.signet.dataDirectory, "999", "newer"])
            try version.write(toFile: marker, atomically: true, encoding: .utf8)
            try await world.signet.start()
            #expect(try await world.signet.terminate() == .exited(0))

            let unknown = try await world.signet.commandLine.run(["get", "meshes"])
            #expect(unknown.status == 2 && oneLine(unknown.errors), "\(unknown)")
            #expect(unknown.errors.contains("signet dev"), "\(unknown)")
            let gone = try await world.signet.commandLine.run([
                "get", "meshes", "--address", "https://localhost:\(world.signet.adminPort)", "--token-file",
                world.signet.adminTokenFile, "--ca-file", world.signet.authorityFile,
            ])
            #expect(gone.status == 1 && oneLine(gone.errors), "\(gone)")
            #expect(gone.errors.contains("\(world.signet.adminPort)"), "\(gone)")
        }
    }

    /// A CSR whose signature is that of nobody: the last octets are turned over.
    private func forged(_ csr: String) throws -> String {
        let lines = csr.components(separatedBy: "\n")
        let begin = try #require(lines.firstIndex { $0.contains("BEGIN") })
        let end = try #require(lines.firstIndex { $0.contains("END") })
        var der = [UInt8](try #require(Data(base64Encoded: lines[(begin + 1)..<end].joined())))
        der[der.count - 1] ^= 0x55
        return [lines[begin], Data(der).base64EncodedString(options: .lineLength64Characters), lines[end], ""]
            .joined(separator: "\n")
    }

    private func expect(_ mistake: Mistake, in world: World) async throws {
        let result = try await world.signet.commandLine.run(mistake.arguments, input: mistake.input)
        #expect(result.status == mistake.status, "\(mistake.what): \(result)")
        #expect(oneLine(result.errors), "\(mistake.what): \(result)")
        for word in mistake.says { #expect(result.errors.contains(word), "\(mistake.what), '\(word)': \(result)") }
    }

    private func expectEnd(of service: SignetProcess, says words: [String]) async throws {
        let process = try await service.launch()
        let end = try await process.waitForEnd(within: .seconds(40))
        #expect(end == .exited(1) || end == .exited(2), "\(end)\n\(process.log)")
        let line = try #require(process.log.split(separator: "\n").last { $0.hasPrefix("signet: ") }, "\(process.log)")
        for word in words { #expect(line.contains(word), "'\(word)': \(line)") }
    }

    private func oneLine(_ errors: String) -> Bool {
        errors.hasPrefix("signet: ") && errors.filter { $0 == "\n" }.count == 1
    }
}

/// A row of `signet get meshes -o json`.
struct MeshReport: Decodable, Sendable {
    let name: String
}

extension World {
    /// `POST /meshes/{mesh}/certificates` by curl.
    func postCSR(_ csr: String, mesh: String, token: String?) async throws -> HTTP.Answer {
        let body = try workspace.write(csr, to: "posted.csr")
        let header = token.map { "header = \"authorization: Bearer \($0)\"" } ?? ""
        let configuration = try workspace.write(
            """
            url = "https://localhost:\(signet.adminPort)/meshes/\(mesh)/certificates"
            cacert = "\(signet.authorityFile)"
            header = "content-type: application/x-pem-file"
            \(header)
            data-binary = "@\(body)"
            write-out = "\\n%{http_code}"
            silent
            show-error
            """, to: "posted.curl")
        let text = try await Tool("curl", install: "apt-get install curl").output(["--config", configuration])
        let lines = text.components(separatedBy: "\n")
        return HTTP.Answer(status: Int(lines.last ?? "") ?? 0, body: lines.dropLast().joined(separator: "\n"))
    }
}
