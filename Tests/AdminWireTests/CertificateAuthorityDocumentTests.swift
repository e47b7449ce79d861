import AdminWire
import PKI
import Testing

/// What a CertificateAuthority document says, in both of Kuma's forms.
@Suite struct CertificateAuthorityDocumentTests {
    @Test func `a Universal document gives all its fields`() throws {
        let authority = try #require(try authorities(universal).first)
        #expect(
            authority
                == CertificateAuthorityDocument(
                    name: "corp", root: .generated(keyAlgorithm: .ecP384, expiration: try WireDuration("5y")),
                    meshes: [try MeshName("payments"), try MeshName("orders")],
                    rotation: .init(automatic: false, retireAfter: .reissued), keyStore: .database))
    }

    @Test func `the Kubernetes form means the same as the Universal one`() throws {
        let kubernetes = """
            apiVersion: kuma.io/v1alpha1
            kind: CertificateAuthority
            metadata: {name: corp, uid: 0b8c2a7e-0000-0000-0000-000000000000, generation: 3}
            spec:
            \(universal.split(separator: "\n").dropFirst(2).map { "  \($0)" }.joined(separator: "\n"))
            """
        #expect(try documents(kubernetes) == documents(universal))
    }

    @Test func `a name alone is an EC key for ten years that rotates by itself and is shared with nobody`() throws {
        let authority = try #require(try authorities("type: CertificateAuthority\nname: corp\n").first)
        #expect(authority == CertificateAuthorityDocument(name: "corp", root: CertificateAuthorityDocument.standardRoot))
        #expect(authority.rotation.automatic && authority.rotation.retireAfter == .expired)
        #expect(
            authority.root == .generated(keyAlgorithm: .ecP256, expiration: WireDuration(.seconds(10 * 365 * 86_400))))
    }

    @Test(arguments: DocumentForm.allCases) func `a document survives the way through JSON and YAML`(form: DocumentForm) throws {
        for text in [universal, imported(key: "fingerprint: \(fingerprint)"), "type: CertificateAuthority\nname: corp\n"] {
            let written = try documents(text)
            for document in written {
                #expect(document.warnings.isEmpty)
                #expect(try documents(document.json(form).json, .json) == written)
                #expect(try documents(document.json(form).yaml) == written)
            }
        }
    }

    @Test func `an imported CA brings its root and key`() throws {
        let authority = try #require(try authorities(imported(key: "inlineString: \"\(pem(key))\"")).first)
        #expect(authority.root == .provided(certificatePEM: certificate, key: .pem(PrivateKeyText(key))))
    }

    @Test func `what the server answers is taken back as the document without loss`() throws {
        let roots: [CertificateAuthorityDocument.Root] = [
            .generated(keyAlgorithm: .rsa3072, expiration: try WireDuration("1y")),
            .provided(certificatePEM: certificate, key: .fingerprint(Fingerprint(sha256: [UInt8](repeating: 0xAB, count: 32)))),
        ]
        for root in roots {
            let message = CertificateAuthorityMessage(
                name: "corp", root: root, meshes: ["orders", "payments"],
                rotation: .init(automatic: false, retireAfter: "reissued"), owner: nil, issuers: ["iss-1", "iss-2"],
                currentIssuers: ["iss-2"], creationTime: "2026-01-02T03:04:05Z", modificationTime: "2026-01-02T03:04:06Z")
            let text = String(decoding: try WireJSON.encode(message), as: UTF8.self)
            let document = try #require(try documents(text, .json).first)
            #expect(document.warnings.isEmpty)
            #expect(
                document
                    == .certificateAuthority(
                        CertificateAuthorityDocument(
                            name: "corp", root: root, meshes: [try MeshName("orders"), try MeshName("payments")],
                            rotation: .init(automatic: false, retireAfter: .reissued), keyStore: .database)))
            #expect(try WireJSON.decode(CertificateAuthorityMessage.self, from: Array(text.utf8)) == message)
        }
    }

    @Test func `a mesh's own CA is shown with its owner and is no document to send`() throws {
        let message = CertificateAuthorityMessage(
            name: "payments.ca-1", root: CertificateAuthorityDocument.standardRoot, meshes: ["payments"],
            rotation: .init(automatic: true, retireAfter: "expired"), owner: "payments", issuers: [],
            creationTime: "2026-01-02T03:04:05Z", modificationTime: "2026-01-02T03:04:05Z")
        let text = String(decoding: try WireJSON.encode(message), as: UTF8.self)
        #expect(text.contains(#""owner":"payments""#) && text.contains(#""origin":"generated""#))
        let error = #expect(throws: DocumentError.self) { try documents(text, .json) }
        #expect(error?.issues.map(\.field) == ["name", "owner"])
    }

    private func imported(key: String) -> String {
        "type: CertificateAuthority\nname: corp\nmeshes: [a]\ncert: {inlineString: \"\(pem(certificate))\"}\nkey: {\(key)}\n"
    }

    private func pem(_ text: String) -> String { text.split(separator: "\n").joined(separator: "\\n") + "\\n" }

    private func authorities(_ text: String) throws(DocumentError) -> [CertificateAuthorityDocument] {
        try documents(text).compactMap { if case .certificateAuthority(let authority) = $0 { authority } else { nil } }
    }
}

private let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
private let key = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"
private let fingerprint = String(repeating: "ab", count: 32)

private let universal = """
    type: CertificateAuthority
    name: corp
    keyType: EC-P384
    expiration: 5y
    meshes: [payments, orders]
    rotation: {automatic: false, retireAfter: reissued}
    keyStore: database
    """

extension CertificateAuthorityDocument {
    /// EC-P256 for ten years: what a document that says nothing of its root means.
    static let standardRoot = Root.generated(
        keyAlgorithm: .ecP256, expiration: WireDuration(.seconds(10 * 365 * 86_400)))
}
