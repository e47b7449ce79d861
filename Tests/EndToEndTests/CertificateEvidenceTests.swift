import Foundation
import TestSupport
import Testing

/// What others say of the certificates that the service delivers.
@Suite(.serialized, .timeLimit(.minutes(2))) struct CertificateEvidenceTests {
    @Test func `openssl and pkilint find nothing in the served chain of a mesh, whatever its root's key`() async throws {
        try await World.open("lint") { world in
            for (mesh, keyType) in [("p256", "EC-P256"), ("p384", "EC-P384"), ("rsa", "RSA-2048")] {
                try await world.signet.command(
                    "apply", "-f", "-",
                    input: """
                        type: Mesh
                        name: \(mesh)
                        mtls:
                          enabledBackend: ca-1
                          backends:
                          - {name: ca-1, type: builtin, conf: {caCert: {keyType: \(keyType)}}}
                        """)
                let token = try await world.makeToken("\(mesh).token", mesh: mesh, service: "web")
                let identity = try await world.fetchIdentity(token: token, named: mesh)
                let chain = try pems(in: identity.chain)
                let roots = try pems(in: identity.roots)
                #expect(chain.count == 2 && roots.count == 1, "\(mesh)")

                for purpose in ["sslserver", "sslclient"] {
                    let verdict = try await Tool.openssl.run([
                        "verify", "-x509_strict", "-purpose", purpose, "-CAfile", identity.roots, "-untrusted",
                        identity.chain, identity.chain,
                    ])
                    #expect(verdict.status == 0, "\(verdict)")
                }
                for (index, pem) in (chain + roots).enumerated() {
                    let file = try world.workspace.write(pem, to: "\(mesh).\(index).pem")
                    #expect(try await findings(in: file) == [], "\(mesh), certificate \(index)")
                }
            }
        }
    }

    @Test func `the bundle, the served roots and the ledger agree, and verify accepts the served chain alone`() async throws {
        try await World.open("verify") { world in
            try await world.makeMesh("payments")
            try await world.makeMesh("orders")
            let token = try await world.makeToken("web.token", mesh: "payments", service: "web")
            let identity = try await world.fetchIdentity(token: token, named: "web")
            let bundle = try await world.signet.command("bundle", "show", "--mesh", "payments")
            let served = try String(contentsOfFile: identity.roots, encoding: .utf8)
            #expect(try await WireCertificate.all(in: bundle) == WireCertificate.all(in: served))

            let ledger = try await world.certificates(of: "payments")
            let chain = try String(contentsOfFile: identity.chain, encoding: .utf8)
            for certificate in try await WireCertificate.all(in: chain + bundle) {
                #expect(certificate.isIn(ledger), "\(certificate)")
            }

            let own = try await world.signet.commandLine.run(["verify", "--mesh", "payments", identity.chain])
            #expect(own.status == 0, "\(own)")
            let foreign = try await world.signet.commandLine.run(["verify", "--mesh", "orders", identity.chain])
            #expect(foreign.status == 1 && foreign.output.contains("unknown-trust-domain"), "\(foreign)")
            let leafAlone = try world.workspace.write(try #require(try pems(in: identity.chain).first), to: "leaf.pem")
            let broken = try await world.signet.commandLine.run(["verify", "--mesh", "payments", leafAlone])
            #expect(broken.status == 1 && broken.output.contains("untrusted-root"), "\(broken)")
        }
    }

    private func pems(in path: String) throws -> [String] {
        let end = "-----END CERTIFICATE-----"
        return try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: end).dropLast().map {
            $0.trimmingCharacters(in: .newlines) + "\n" + end + "\n"
        }
    }

    /// What pkilint says, from "notice" upwards, less the one finding that every SPIFFE certificate has: RFC 5280 wants a
    /// dot in the host of a URI name constraint, and a trust domain needs none.
    private func findings(in file: String) async throws -> [String] {
        let json = try await Tool.python("lint_pkix_cert").run(["lint", "-s", "NOTICE", "-f", "JSON", file]).output
        let report = try JSONDecoder().decode(LintReport.self, from: Data(json.utf8))
        return report.results.flatMap(\.finding_descriptions).map(\.code).filter { $0 != "pkix.invalid_uri_syntax" }
    }

    private struct LintReport: Decodable {
        let results: [Result]

        struct Result: Decodable {
            // swift-format-ignore: AlwaysUseLowerCamelCase
            let finding_descriptions: [Finding]
        }

        struct Finding: Decodable {
            let code: String
        }
    }
}
