import AdminWire
import AuthorityService
import Hummingbird
import PKI
import Testing

@Suite struct CredentialRouteTests {
    @Test func `a dataplane token is issued as bare text, works, is listed and revoked`() async throws {
        try await AdminBench.run { bench in
            let issued = try await bench.send(
                .post, "/tokens/dataplane", type: "application/json",
                body: #"{"mesh":"default","name":"web-1","tags":{"kuma.io/service":["web"]},"validFor":"1h"}"#)
            #expect(issued.status == 200 && issued.headers[.contentType] == "text/plain; charset=utf-8")
            #expect(issued.headers[.cacheControl] == "no-store")
            #expect(issued.text.split(separator: ".").count == 3 && !issued.text.contains("\n"))
            let signed = try await sign(bench, issued.text)
            #expect(signed.status == 200 && signed.headers[.contentType] == "application/pem-certificate-chain")
            let listed = try await bench.send(.get, "/tokens?mesh=default")
            let token = try #require(try WireJSON.decode(Listing<TokenMessage>.self, from: Array(listed.text.utf8)).items.first)
            #expect(token.kind == "dataplane" && token.identity == "spiffe://default/web" && token.revokedAt == nil)
            #expect(!listed.text.contains(issued.text))
            let revoked = try await bench.send(
                .post, "/tokens/revocations", type: "application/json", body: #"{"token":"\#(token.id)"}"#)
            #expect(revoked.status == 200 && revoked.text == #"{"warnings":[]}"#)
            let refused = try await sign(bench, issued.text)
            #expect(refused.status == 401 && refused.problem?.reason == "token-revoked")
            let revocations = try await bench.send(.get, "/tokens/revocations")
            #expect(revocations.json?["items"]?.elements == [.object([.init("token", .string(token.id))])])
            #expect(
                try await bench.send(.post, "/tokens/revocations", type: "application/json", body: #"{"token":"\#(token.id)"}"#)
                    .status == 200)
            #expect(
                try await bench.send(.post, "/tokens/revocations", type: "application/json", body: #"{"token":"none"}"#).status
                    == 404)
        }
    }

    @Test func `a CSR is taken as PEM alone, which the media type must not deny`() async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(
                .post, "/meshes/default/certificates", token: try await bench.dataplaneToken(), type: "application/pkcs10",
                body: AdminBench.csr)
            #expect(answer.status == 415 && answer.problem?.detail.contains("application/x-pem-file") == true)
        }
    }

    @Test func `a revoked identity is refused by every token`() async throws {
        try await AdminBench.run { bench in
            let token = try await bench.dataplaneToken()
            #expect(try await sign(bench, token).status == 200)
            #expect(
                try await bench.send(
                    .post, "/tokens/revocations", type: "application/yaml", body: "identity: spiffe://default/web\n"
                ).status == 200)
            #expect(try await sign(bench, token).problem?.reason == "identity-revoked")
            let bad = try await bench.send(.post, "/tokens/revocations", type: "application/json", body: #"{"identity":"web"}"#)
            #expect(bad.status == 400 && bad.problem?.invalidParameters?.first?.field == "identity")
        }
    }

    @Test(
        arguments: [
            (#"{"mesh":"default"}"#, 400, "tags"), (#"{"mesh":"none","tags":{"kuma.io/service":["a"]}}"#, 404, nil),
            (#"{"mesh":"default","tags":{"kuma.io/service":["a","b"]}}"#, 400, "tags"),
            (#"{"mesh":"default","tags":{"kuma.io/service":["a/b"]}}"#, 400, "tags"),
            (#"{"mesh":"default","tags":{"kuma.io/service":["a"]},"validFor":"10y"}"#, 400, "validFor"),
            (#"{"mesh":"default","tags":{"kuma.io/service":["a"]},"validFor":"soon"}"#, 400, "validFor"),
            (#"{"mesh":"default","workload":"a"}"#, 400, "workload"), (#"{}"#, 400, "mesh"), ("[]", 400, nil),
        ] as [(String, Int, String?)]) func `a dataplane token that cannot be is refused with its field`(
            body: String, status: Int, field: String?
        ) async throws
    {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.post, "/tokens/dataplane", type: "application/json", body: body)
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.problem?.invalidParameters?.first?.field == field)
        }
    }

    @Test func `an admin token has the roles that were asked for`() async throws {
        try await AdminBench.run { bench in
            let issued = try await bench.send(
                .post, "/tokens/user", type: "application/json", body: #"{"name":"eve","roles":["viewer"],"validFor":"1h"}"#)
            #expect(issued.status == 200)
            #expect(try await bench.send(.get, "/meshes", token: issued.text).status == 200)
            #expect(try await bench.send(.delete, "/meshes/default", token: issued.text).status == 403)
            for body in [
                #"{"name":"eve","roles":["root"]}"#, #"{"name":"eve","roles":[]}"#, #"{"name":"eve"}"#,
                #"{"name":"","roles":["admin"]}"#,
            ] {
                #expect(try await bench.send(.post, "/tokens/user", type: "application/json", body: body).status == 400)
            }
        }
    }

    @Test func `a chain from a CSR is accepted by its own mesh and refused by another`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("other")
            let chain = try await sign(bench, try await bench.dataplaneToken()).text
            #expect(try PEM.decode(chain, label: "CERTIFICATE").count == 2)
            let own = try await bench.send(.post, "/meshes/default/verify", type: "application/x-pem-file", body: chain)
            #expect(own.status == 200)
            let accepted = try WireJSON.decode(VerificationMessage.self, from: Array(own.text.utf8))
            #expect(accepted.accepted && accepted.reason == "accepted" && accepted.identity == "spiffe://default/web")
            let other = try await bench.send(.post, "/meshes/other/verify", type: "application/x-pem-file", body: chain)
            let refused = try WireJSON.decode(VerificationMessage.self, from: Array(other.text.utf8))
            #expect(!refused.accepted && refused.reason == "unknown-trust-domain")
            #expect(try await bench.send(.post, "/meshes/default/verify", type: "text/plain", body: "nothing").status == 400)
            #expect(try await bench.send(.post, "/meshes/none/verify", type: "text/plain", body: chain).status == 404)
        }
    }

    @Test func `a CSR that is none is a bad request and one of 64 KiB is too large`() async throws {
        try await AdminBench.run { bench in
            let token = try await bench.dataplaneToken()
            let garbage = try await sign(
                bench, token, body: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")
            #expect(garbage.status == 400 && garbage.problem?.reason == "csr-invalid")
            #expect(try await sign(bench, token, body: String(repeating: "A", count: (64 << 10) + 1)).status == 413)
            #expect(try await sign(bench, token, type: "application/json").status == 415)
            let flipped = AdminBench.csr.replacing("WzfvX+GRBMJ0", with: "WzfvX+GRBMJ1")
            #expect(try await sign(bench, token, body: flipped).status == 400)
            let leaves = try await bench.authority.certificates(CertificateQuery(kind: .leaf))
            #expect(leaves.total == 0)
        }
    }

    @Test func `a token for one mesh signs in no other, whether it exists or not`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("other")
            let token = try await bench.dataplaneToken()
            var answers: Set<String> = []
            for mesh in ["other", "none", "UPPER"] {
                let answer = try await bench.send(
                    .post, "/meshes/\(mesh)/certificates", token: token, type: "text/plain",
                    headers: AdminBench.requestID("same"),
                    body: AdminBench.csr)
                #expect(answer.status == 403)
                answers.insert(answer.text)
            }
            #expect(answers.count == 1)
        }
    }

    @Test func `a dataplane token is read with and without Bearer`() async throws {
        try await AdminBench.run { bench in
            let token = try await bench.dataplaneToken()
            for header in [token, "Bearer \(token)", "bearer \(token)"] {
                let answer = try await bench.send(
                    .post, "/meshes/default/certificates", token: nil, type: "text/plain", headers: [.authorization: header],
                    body: AdminBench.csr)
                #expect(answer.status == 200, "\(answer.text)")
            }
        }
    }

    private func sign(
        _ bench: AdminBench, _ token: String, type: String = "application/x-pem-file", body: String = AdminBench.csr
    ) async throws -> AdminBench.Answer {
        try await bench.send(.post, "/meshes/default/certificates", token: token, type: type, body: body)
    }
}
