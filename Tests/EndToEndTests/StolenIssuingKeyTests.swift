import Foundation
import TestSupport
import Testing

/// Two meshes under one root, and a thief with the issuing key of the one.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StolenIssuingKeyTests {
    @Test func `a stolen issuing key of one mesh cannot speak for another under the same root, for Envoy, openssl and verify`()
        async throws
    {
        try await World.open("stolen") { world in
            let thief = try await Thief(in: world)
            try await world.signet.command("ca", "import", "corp", "--cert", thief.root, "--key", thief.rootKey)
            for mesh in ["a", "b"] { try await world.joinMesh(mesh, to: "corp") }
            let real = try await world.fetchIdentity(
                token: try await world.makeToken("real.token", mesh: "a", service: "x"), named: "real")
            try await thief.copyIssuing(from: real, names: "a")

            // What the stolen key signs; and the same by a key whose certificate is not constrained.
            let own = try await thief.identity("spiffe://a/x", by: "stolen")
            let forged = try await thief.identity("spiffe://b/x", by: "stolen")
            let unconstrained = try await thief.identity("spiffe://b/x", by: "unconstrained")

            try await expectEnvoy(of: "b", accepts: own, refuses: forged, accepts: unconstrained, in: world)

            for (identity, isGood) in [(own, true), (forged, false), (unconstrained, true)] {
                let verdict = try await Tool.openssl.run([
                    "verify", "-x509_strict", "-CAfile", thief.root, "-untrusted", identity.chain, identity.chain,
                ])
                #expect((verdict.status == 0) == isGood, "\(verdict)")
                #expect(verdict.errors.contains("permitted subtree violation") == !isGood, "\(verdict)")
            }

            for mesh in ["a", "b"] {
                let good = try await world.signet.commandLine.run(["verify", "--mesh", mesh, own.chain])
                #expect(good.status == 0, "\(good)")
                let bad = try await world.signet.commandLine.run(["verify", "--mesh", mesh, forged.chain])
                #expect(bad.status == 1 && bad.output.hasPrefix("refused: name-constraint: "), "\(bad)")
                let alike = try await world.signet.commandLine.run(["verify", "--mesh", mesh, unconstrained.chain])
                #expect(alike.status == 0, "nothing but the constraint refuses it: \(alike)")
            }
        }
    }

    /// An Envoy of the mesh as a server, then as a client of a server that shows the stolen identity.
    private func expectEnvoy(
        of mesh: String, accepts own: FetchedIdentity, refuses forged: FetchedIdentity,
        accepts unconstrained: FetchedIdentity, in world: World
    ) async throws {
        var plan = try Proxy.Plan(mesh: mesh, service: "api")
        var calls: [Int] = []
        for (identity, name) in [(own, "spiffe://a/x"), (forged, "spiffe://b/x"), (unconstrained, "spiffe://b/x")] {
            calls.append(try plan.call(port: try await world.serve(identity), identity: name))
        }
        let proxy = try await world.start(plan)

        for (identity, isGood) in [(own, true), (forged, false), (unconstrained, true)] {
            let before = try await proxy.envoy.inbound("ssl.fail_verify_error")
            let answer = try await world.request(plan.inbound, with: identity)
            #expect(answer.output.contains(plan.name) == isGood, "\(answer)")
            guard !isGood else { continue }
            try await eventually(within: .seconds(5), "the refusal in Envoy's statistics") {
                try await proxy.envoy.inbound("ssl.fail_verify_error") == before + 1
            }
            #expect(try await proxy.envoy.inbound("ssl.fail_verify_san") == 0, "not for its name, which is of the mesh")
        }

        for (index, isGood) in [(0, true), (1, false), (2, true)] {
            let before = try await proxy.envoy.outbound("ssl.fail_verify_error", excluding: Proxy.secretsCluster)
            if isGood {
                #expect(try await HTTP.fetch("http://127.0.0.1:\(calls[index])/").status == 200)
            } else {
                await #expect(throws: (any Error).self) { _ = try await HTTP.fetch("http://127.0.0.1:\(calls[index])/") }
                try await eventually(within: .seconds(5), "the refusal in Envoy's statistics") {
                    try await proxy.envoy.outbound("ssl.fail_verify_error", excluding: Proxy.secretsCluster) > before
                }
            }
        }
        #expect(try await proxy.envoy.outbound("ssl.fail_verify_san", excluding: Proxy.secretsCluster) == 0)
    }
}

/// One who holds the root, and so can make an issuing certificate of which the key is known.
private struct Thief {
    let root: String
    let rootKey: String
    private let workspace: Workspace

    init(in world: World) async throws {
        workspace = world.workspace
        let made = try await world.throwAwayRoots(["ec-p256"], in: "root")[0]
        (root, rootKey) = (made.certificate, made.key)
    }

    /// Makes `stolen`, which has what the issuing certificate of `identity` has but for the key; and `unconstrained`, which
    /// lacks its name constraints.
    func copyIssuing(from identity: FetchedIdentity, names domain: String) async throws {
        let chain = try String(contentsOfFile: identity.chain, encoding: .utf8).components(separatedBy: "-----BEGIN CERTIFICATE")
        let real = try workspace.write("-----BEGIN CERTIFICATE" + (chain.last ?? ""), to: "real.issuing.pem")
        let subject = try await Tool.openssl.output(["x509", "-in", real, "-noout", "-subject", "-nameopt", "compat"])
            .trimmingCharacters(in: .whitespacesAndNewlines).replacing("subject=", with: "")
        let extensions = """
            subjectKeyIdentifier = hash
            basicConstraints = critical, CA:TRUE, pathlen:0
            keyUsage = critical, keyCertSign, cRLSign
            authorityKeyIdentifier = keyid:always
            subjectAltName = URI:spiffe://\(domain)

            """
        let constraints = try await nameConstraints(of: real)
        try await sign("unconstrained", subject: subject, extensions: extensions, by: root, rootKey)
        try await sign(
            "stolen", subject: subject, extensions: extensions + "nameConstraints = critical, DER:\(constraints)\n",
            by: root, rootKey)

        let names = "basicConstraints,keyUsage,authorityKeyIdentifier,subjectAltName,nameConstraints"
        let (copy, original) = (
            try await Tool.openssl.output([
                "x509", "-in", workspace.file("stolen.pem"), "-noout", "-subject", "-issuer", "-ext", names,
            ]),
            try await Tool.openssl.output(["x509", "-in", real, "-noout", "-subject", "-issuer", "-ext", names])
        )
        #expect(copy == original, "the thief's certificate says what the real one says")
        #expect(original.contains("URI:\(domain)"), "\(original)")
    }

    /// A leaf like Signet's, signed by one of the two.
    func identity(_ name: String, by issuing: String) async throws -> FetchedIdentity {
        let file = issuing + name.replacing(#/[:\/]+/#, with: ".")
        try await sign(
            file, subject: "/",
            extensions: """
                subjectKeyIdentifier = hash
                basicConstraints = critical, CA:FALSE
                keyUsage = critical, digitalSignature
                extendedKeyUsage = serverAuth, clientAuth
                authorityKeyIdentifier = keyid:always
                subjectAltName = critical, URI:\(name)

                """, by: workspace.file(issuing + ".pem"), workspace.file(issuing + ".key"))
        let chain = try [file, issuing].map { try String(contentsOfFile: workspace.file($0 + ".pem"), encoding: .utf8) }
        return FetchedIdentity(
            chain: try workspace.write(chain.joined(), to: file + ".chain.pem"), key: workspace.file(file + ".key"), roots: root)
    }

    private func sign(_ name: String, subject: String, extensions: String, by issuer: String, _ issuerKey: String) async throws {
        let settings = try workspace.write(extensions, to: name + ".cnf")
        let key = workspace.file(name + ".key")
        let request = workspace.file(name + ".csr")
        try await Tool.openssl.output(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key])
        try await Tool.openssl.output(["req", "-new", "-key", key, "-subj", subject, "-out", request])
        try await Tool.openssl.output([
            "x509", "-req", "-in", request, "-CA", issuer, "-CAkey", issuerKey, "-days", "2", "-extfile", settings, "-out",
            workspace.file(name + ".pem"),
        ])
    }

    /// The value of the extension, hexadecimal DER.
    private func nameConstraints(of certificate: String) async throws -> String {
        let lines = try await Tool.openssl.output(["asn1parse", "-in", certificate]).split(separator: "\n")
        let name = try #require(lines.firstIndex { $0.hasSuffix(":X509v3 Name Constraints") })
        let value = try #require(lines[name...].first { $0.contains("OCTET STRING") })
        return String(try #require(value.components(separatedBy: "[HEX DUMP]:").last))
    }
}

extension World {
    /// A mesh under a CA that is there.
    fileprivate func joinMesh(_ mesh: String, to authority: String) async throws {
        let document = """
            type: Mesh
            name: \(mesh)
            mtls:
              enabledBackend: \(authority)
              backends:
              - {name: \(authority), type: shared, conf: {authority: \(authority)}}
            """
        try await signet.command("apply", "-f", "-", input: document)
    }

    /// An HTTPS server by openssl that shows an identity and asks for none; returns its port.
    fileprivate func serve(_ identity: FetchedIdentity) async throws -> Int {
        let port = try Ports.free()
        let server = ChildProcess(
            name: "openssl s_server", executable: "/usr/bin/env",
            arguments: [
                "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", identity.chain, "-cert_chain", identity.chain,
                "-key", identity.key, "-tls1_3", "-www",
            ], logPath: workspace.file("s_server.\(port).log"))
        try await workspace.processes.start(server)
        try await eventually(within: .seconds(10), "openssl s_server") { server.log.contains("ACCEPT") }
        return port
    }
}
