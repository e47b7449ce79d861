import Foundation
import TestSupport
import Testing

/// A mesh under a root that was made elsewhere and is brought with its key.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ProvidedTests {
    @Test func `a mesh with a provided root carries traffic under it, and its key is nowhere to be read`() async throws {
        try await World.open("provided") { world in
            let root = try await world.throwAwayRoots(["ec-p256"], in: "own")[0]
            try world.workspace.write(Self.document("payments", root), to: "payments.yaml")
            try await world.signet.command("apply", "-f", world.workspace.file("payments.yaml"))

            let pair = try await world.startPair(in: "payments")
            let before = try await pair.web.handshakes().inbound + pair.api.handshakes().inbound
            let (_, report) = try await Traffic.run(to: world.targets(pair)) { traffic in
                try await traffic.waitForSuccesses(50)
                // The key is opened again from its seal.
                try await world.signet.kill()
                try await world.signet.start()
                try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")
                try await traffic.waitForSuccesses(50)
            }
            #expect(report.failed == 0, "\(report)")
            let after = try await pair.web.handshakes().inbound + pair.api.handshakes().inbound
            #expect(after - before >= report.total, "every request is a handshake of its own")

            let token = try await world.makeToken("client.token", mesh: "payments", service: "client")
            let identity = try await world.fetchIdentity(token: token, named: "client")
            let pem = try String(contentsOfFile: root.certificate, encoding: .utf8)
            #expect(
                try await WireCertificate.all(in: String(contentsOfFile: identity.roots, encoding: .utf8))
                    == WireCertificate.all(in: pem))
            for envoy in [pair.web.envoy, pair.api.envoy] {
                let held = try await world.roots(heldBy: envoy)
                #expect(try await WireCertificate.all(in: held.joined()) == WireCertificate.all(in: pem))
            }
            let verdict = try await Tool.openssl.run([
                "verify", "-x509_strict", "-CAfile", root.certificate, "-untrusted", identity.chain, identity.chain,
            ])
            #expect(verdict.status == 0, "\(verdict)")

            try await expectNoKey(of: root, identity, in: world)
            try await expectSameAgain(root, in: world)
        }
    }

    /// Not in an answer, nor in the database, its files or the log.
    private func expectNoKey(of root: ThrowAwayRoot, _ identity: FetchedIdentity, in world: World) async throws {
        var answers = try await world.signet.command("get", "mesh", "payments", "-o", "yaml")
        #expect(answers.contains("fingerprint:"), "\(answers)")
        for arguments in [["get", "mesh", "payments", "-o", "json"], ["get", "ca", "payments.corporate", "-o", "json"]] {
            answers += try await world.signet.commandLine.output(arguments)
        }
        for path in [
            "/meshes", "/certificate-authorities", "/certificate-authorities/payments.corporate/issuers", "/audit?size=1000",
        ] {
            answers += try await world.adminRequest("GET", path)
        }
        let files = [
            try world.workspace.write(answers, to: "answers.txt"),
            try world.workspace.write(try await world.database.dump(), to: "dump.sql"), world.dataLog,
        ]
        let certificates = try world.workspace.write(
            try [root.certificate, identity.chain].map { try String(contentsOfFile: $0, encoding: .utf8) }.joined(),
            to: "certificates.pem")
        let search = KeySearch(certificates: certificates, secrets: [root.key, identity.key])
        let result = try await search.run(files + world.database.files())
        #expect(result.status == 0, "\(result.output)")

        let planted = try world.workspace.write(
            answers + Data(try String(contentsOfFile: root.key, encoding: .utf8).utf8).base64EncodedString(), to: "planted.txt")
        #expect(try await search.run([planted]).status == 1, "the search finds a key that is there")
    }

    /// What is read back applies as it stands, the key unchanged; another key under the same certificate does not.
    private func expectSameAgain(_ root: ThrowAwayRoot, in world: World) async throws {
        let back = try await world.signet.command("get", "mesh", "payments", "-o", "yaml")
        #expect(try await world.signet.command("apply", "--dry-run", "-f", "-", input: back) == "mesh 'payments' unchanged\n")
        try await world.signet.command("apply", "-f", "-", input: back)
        try await world.signet.command("apply", "-f", world.workspace.file("payments.yaml"))
        #expect(try await world.rotations().isEmpty)
        let foreign = back.replacing(
            #/fingerprint: "?[0-9a-f]{64}"?/#, with: "fingerprint: \"\(String(repeating: "0", count: 64))\"")
        #expect(foreign != back)
        let refused = try await world.signet.commandLine.run(["apply", "-f", "-"], input: foreign)
        #expect(refused.status == 1 && refused.errors.contains("conf.key"), "\(refused)")
    }

    @Test func `a root that cannot be a mesh's is refused in one line that names the field, and nothing is changed`() async throws
    {
        try await World.open("unfit") { world in
            let fit = try await world.throwAwayRoots(["ec-p256"], in: "fit")[0]
            try world.workspace.write(Self.document("orders", fit), to: "orders.yaml")
            try await world.signet.command("apply", "-f", world.workspace.file("orders.yaml"))
            try await world.signet.command("ca", "import", "corp", "--cert", fit.certificate, "--key", fit.key)
            let before = try await state(of: world)

            let names = try await world.throwAway("--list", "bad").split(separator: "\n").map(String.init)
            #expect(Set(["leaf", "expired", "key-of-another", "key-encrypted"]).isSubset(of: names))
            for root in try await world.throwAwayRoots(names, in: "bad") {
                let field = root.name.hasPrefix("key-") && root.name != "key-agreement" ? "key" : "cert"
                // A new mesh, and one that is there and has a root already.
                for mesh in root.name == "excluded" ? ["payments"] : ["payments", "orders"] {
                    let file = try world.workspace.write(Self.document(mesh, root), to: "\(mesh).yaml")
                    try await expect(["apply", "-f", file], named: root.name, names: "mtls.backends[0].conf.\(field)", in: world)
                }
                // Whether it constrains a mesh's names is the question of those that join.
                guard !["excluded", "shut-out"].contains(root.name) else { continue }
                try await expect(
                    ["ca", "import", "group", "--cert", root.certificate, "--key", root.key], named: root.name, names: field,
                    in: world)
            }
            #expect(try await state(of: world) == before)
        }
    }

    private func expect(_ arguments: [String], named name: String, names field: String, in world: World) async throws {
        let result = try await world.signet.commandLine.run(arguments)
        #expect(result.status == 1 || result.status == 2, "\(name): \(result)")
        #expect(result.errors.hasPrefix("signet: ") && result.errors.filter { $0 == "\n" }.count == 1, "\(name): \(result)")
        #expect(result.errors.contains(field), "\(name): \(result)")
        #expect(!result.errors.contains("PRIVATE KEY-----\n"), "\(name): no key is in the answer")
        #expect(result.output.isEmpty, "\(name): \(result)")
    }

    /// All that a refusal must leave as it is.
    private func state(of world: World) async throws -> [String] {
        var state: [String] = []
        for list in ["meshes", "cas", "rotations"] {
            state.append(try await world.signet.command("get", list, "-o", "json"))
        }
        state.append(try await world.database.keys())
        return state
    }

    private static func document(_ mesh: String, _ root: ThrowAwayRoot) -> String {
        """
        type: Mesh
        name: \(mesh)
        mtls:
          enabledBackend: corporate
          backends:
          - name: corporate
            type: provided
            conf: {cert: {file: \(root.folder)/\(root.name).pem}, key: {file: \(root.folder)/\(root.name).key}}
        """
    }
}

/// A root of `pki/throw-away/make.sh`.
struct ThrowAwayRoot: Sendable {
    let name: String
    /// Of the workspace.
    let folder: String
    let certificate: String
    let key: String
}

extension World {
    /// Makes roots in a folder of the workspace.
    func throwAwayRoots(_ names: [String], in folder: String) async throws -> [ThrowAwayRoot] {
        try await throwAway([workspace.file(folder)] + names)
        return names.map {
            ThrowAwayRoot(
                name: $0, folder: folder, certificate: workspace.file("\(folder)/\($0).pem"),
                key: workspace.file("\(folder)/\($0).key"))
        }
    }

    @discardableResult func throwAway(_ arguments: String...) async throws -> String { try await throwAway(arguments) }

    @discardableResult private func throwAway(_ arguments: [String]) async throws -> String {
        try await Tool("bash", install: "apt-get install bash").output(
            [Repository.path("pki/throw-away/make.sh")] + arguments, within: .seconds(60))
    }
}
