import AdminWire
import Foundation
import TestSupport
import Testing

@testable import signet

@Suite struct AuthorityCommandTests {
    private func issuer(_ certificate: String, _ states: [String]) throws -> JSONValue {
        let uses = states.map { #"{"mesh":"m","state":"\#($0)"}"# }.joined(separator: ",")
        return try JSONValue(parsing: #"{"certificate":"\#(certificate)","uses":[\#(uses)]}"#)
    }

    @Test func `Exported are the roots in some bundle and those of no mesh yet, never those left behind`() throws {
        let issuers = [
            try issuer("unused", []), try issuer("active", ["active"]), try issuer("prepared", ["prepared"]),
            try issuer("outgoing", ["outgoing", "retired"]), try issuer("retired", ["retired", "retired"]),
            try issuer("revoked", ["revoked"]),
        ]
        #expect(AuthorityExport.roots(issuers) == ["unused", "active", "prepared", "outgoing"])
    }

    @Test(arguments: [
        (["--key-type", "RSA-1024"], "keyType"), (["--expiration", "0s"], "--expiration"),
    ])
    func `A certificate authority that cannot be is wrong usage, before a server is asked`(
        arguments: [String], field: String
    ) async throws {
        let result = try await SignetLine().run(["ca", "create", "corp"] + arguments)
        #expect(result.status == 2 && result.errors.contains(field), "\(result)")
        #expect(!result.errors.contains("no server is known"))
    }

    @Test func `A name with a dot, which is a mesh's own, is refused with that reason`() async throws {
        let result = try await SignetLine().run("ca", "create", "payments.ca-1")
        #expect(result.status == 2 && result.errors.hasPrefix("signet: name: "), "\(result)")
    }

    @Test func `A key is never in what an import says, whatever is wrong with its files`() async throws {
        try await Workspace.open("import") { workspace in
            let key = try await Tool.openssl.output(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
            let body = key.split(separator: "\n").filter { !$0.hasPrefix("-----") }
            let keyFile = try workspace.write(key, to: "root.key")
            let text = try workspace.write("no PEM\n", to: "text")
            for (certificate, keyPath) in [(keyFile, keyFile), (text, keyFile), (keyFile, text)] {
                let result = try await SignetLine().run(
                    "ca", "import", "corp", "--cert", certificate, "--key", keyPath)
                #expect(result.status == 2 && result.output.isEmpty, "\(result)")
                for line in body { #expect(!result.errors.contains(line), "\(result)") }
            }
        }
    }

    @Test func `A rotation's page names those that hold it, with Envoy's own words`() throws {
        let rotation = try WireJSON.decode(
            RotationMessage.self,
            from: Array(
                #"""
                {"id":"rot-1","trigger":"operator","manual":false,"paused":false,"kind":"move","meshes":["orders"],"certificateAuthority":"corp","previousAuthority":"orders.ca-1",
                "from":"a1","to":"b2","phase":"distributing","phaseSince":"2026-01-01T00:00:00Z","retireAfter":"expired",
                "startedAt":"2026-01-01T00:00:00Z","gate":{"open":false,"settled":3,"pending":1,"blockers":[
                {"mesh":"orders","identity":"spiffe://orders/web","proxy":"web-1","node":"n-1","resource":"ROOTCA",
                "reason":"rejected","detail":"Invalid\npath"}]}}
                """#.utf8))
        #expect(
            GetRotation.page(rotation) == """
                rot-1: orders from orders.ca-1 (a1) to corp (b2)
                distributing since 2026-01-01T00:00:00Z, started 2026-01-01T00:00:00Z
                settled: 3, pending: 1

                MESH    IDENTITY             PROXY  NODE  RESOURCE  WHY                     UNTIL
                orders  spiffe://orders/web  web-1  n-1   ROOTCA    rejected: Invalid path  -

                """)
    }
}
