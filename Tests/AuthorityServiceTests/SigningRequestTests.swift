import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@Suite struct SigningRequestTests {
    private static let p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]

    /// A request that openssl made, whose key is thrown away.
    private func request(_ key: [String] = p256, extensions: [String] = []) async throws -> String {
        try await Tool.openssl.output(
            ["req", "-new", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=ignored"] + key
                + extensions.flatMap { ["-addext", $0] })
    }

    private func refusal(
        of request: String, mesh: String = "default", token: String? = nil, by service: Service
    ) async throws -> String? {
        let fresh = try await service.token()
        let credentials = Service.credentials(token: token ?? fresh)
        do {
            _ = try await service.authority.sign(csr: request, mesh: MeshName(mesh), credentials: credentials)
            return nil
        } catch let error as AuthorityError {
            return error.reason
        }
    }

    @Test func `a request gets the token's identity for its own key, and nothing of its subject`() async throws {
        let service = try await Service.started()
        let pem = try await request(extensions: ["subjectAltName=URI:spiffe://default/api"])
        let signed = try await service.authority.sign(
            csr: pem, mesh: MeshName("default"), credentials: Service.credentials(token: try await service.token()))
        let chain = try PEM.decode(signed.pem, label: "CERTIFICATE")
        let verified = try ChainVerifier(roots: service.authority.state.boundRoots).verify(
            chain: chain, at: service.clock.now)
        #expect(verified.identity.uri == "spiffe://default/api")
        #expect(try CertificateFacts(der: chain[0]).subject.isEmpty)
        let theirs = try PKICrypto.CertificateSigningRequest(pem: pem).subjectPublicKeyInfo
        #expect(chain[0].firstRange(of: theirs) != nil)
        #expect(try await service.ledger.certificate(signed.serial)?.digest == verified.digest)
    }

    @Test(arguments: [
        ["subjectAltName=URI:spiffe://default/web"], ["subjectAltName=DNS:example.org"], ["basicConstraints=CA:TRUE"],
        ["extendedKeyUsage=codeSigning"], ["keyUsage=keyCertSign"], ["nsComment=more"],
    ])
    func `a request for more than the identity is refused`(extensions: [String]) async throws {
        let service = try await Service.started()
        let pem = try await request(extensions: extensions)
        #expect(try await refusal(of: pem, by: service) == "csr-invalid")
    }

    @Test(arguments: [["-newkey", "rsa:2048"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]])
    func `a request with a key that no leaf has is refused, and says which it must be`(key: [String]) async throws {
        let service = try await Service.started()
        #expect(try await refusal(of: request(key), by: service) == "csr-invalid")
    }

    @Test func `a request that its key did not sign is refused`() async throws {
        let service = try await Service.started()
        var der = try PEM.decode(await request(), label: "CERTIFICATE REQUEST")[0]
        der[der.count - 1] ^= 1
        let forged = PEM.encode(label: "CERTIFICATE REQUEST", der: der)
        #expect(try await refusal(of: forged, by: service) == "csr-invalid")
        #expect(try await refusal(of: "garbage", by: service) == "csr-invalid")
    }

    @Test func `a token of another mesh signs nothing`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments")
        let token = try await service.token(mesh: "payments")
        #expect(try await refusal(of: request(), token: token, by: service) == "token-of-another-mesh")
    }
}
