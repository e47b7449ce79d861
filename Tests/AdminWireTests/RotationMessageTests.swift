import AdminWire
import PKI
import Testing

@Suite struct RotationMessageTests {
    private static let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    private static let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"

    private func node(_ json: String) throws -> DocumentNode {
        try #require(try DocumentText.parse(Array(json.utf8), format: .json).first)
    }

    private func root(_ certificate: String = RotationMessageTests.certificate, key: String) -> String {
        JSONValue.object([
            .init("cert", .object([.init("inlineString", .string(certificate))])),
            .init("key", .object([.init("inlineString", .string(key))])),
        ]).json
    }

    @Test func `a start that says nothing is one by the certificate authority's own terms`() throws {
        let message = try RotationStartMessage(node("{}"))
        #expect(message == RotationStartMessage() && !message.manual && message.retireAfter == nil && message.root == nil)
        #expect(message.requestJSON.json == "{}")
    }

    @Test func `a start is read as it is written, and its key is printed nowhere`() throws {
        let message = RotationStartMessage(manual: true, retireAfter: .reissued, keyAlgorithm: .ecP384)
        #expect(message.requestJSON.json == #"{"manual":true,"retireAfter":"reissued","keyType":"EC-P384"}"#)
        #expect(try RotationStartMessage(node(message.requestJSON.json)) == message)
        let brought = RotationStartMessage(
            root: NewRootMessage(certificatePEM: Self.certificate, key: PrivateKeyText(Self.key)))
        #expect(try RotationStartMessage(node(brought.requestJSON.json)) == brought)
        #expect(!"\(brought)".contains("PRIVATE KEY-----") && !String(reflecting: brought).contains("PRIVATE KEY-----"))
    }

    @Test(arguments: [
        (#"{"manuel":true}"#, "manuel"), (#"{"manual":"yes"}"#, "manual"), (#"{"retireAfter":"never"}"#, "retireAfter"),
        (#"{"keyType":"DSA"}"#, "keyType"), (#"{"cert":{"inlineString":"x"}}"#, "cert"), (#"{"key":{"file":"k"}}"#, "cert"),
    ]) func `a start that cannot be names its field`(json: String, field: String) {
        let error = #expect(throws: DocumentError.self) { try RotationStartMessage(node(json)) }
        #expect(error?.issues.first?.field == field)
    }

    @Test func `a root comes whole and new: with its key, which is not one that is there already, and without a key type`() throws
    {
        let alone = #"{"cert":{"inlineString":"\#(Self.certificate.replacing("\n", with: "\\n"))"}}"#
        #expect(throws: DocumentError.self) { try RotationStartMessage(node(alone)) }
        let digest = String(repeating: "a", count: 64)
        let same = root(key: digest).replacing(#""key":{"inlineString""#, with: #""key":{"fingerprint""#)
        var error = #expect(throws: DocumentError.self) { try RotationStartMessage(node(same)) }
        #expect(error?.issues.map(\.field) == ["key.fingerprint"])
        error = #expect(throws: DocumentError.self) {
            try RotationStartMessage(node(#"{"keyType":"EC-P256","# + root(key: Self.key).dropFirst()))
        }
        #expect(error?.issues.map(\.field) == ["keyType"])
        error = #expect(throws: DocumentError.self) { try RotationStartMessage(node(root(Self.key, key: Self.key))) }
        #expect(error?.issues.map(\.field) == ["cert"] && !"\(error?.description ?? "")".contains("PRIVATE KEY-----"))
    }

    @Test func `only advance is forced, and to force needs a reason`() throws {
        #expect(try RotationOrderMessage(node("{}"), canForce: true) == RotationOrderMessage())
        let forced = RotationOrderMessage(force: true, reason: "web-7 is scrapped")
        #expect(forced.json.json == #"{"force":true,"reason":"web-7 is scrapped"}"#)
        #expect(try RotationOrderMessage(node(forced.json.json), canForce: true) == forced)
        #expect(try RotationOrderMessage(node(#"{"force":false}"#), canForce: true) == RotationOrderMessage())
        for (json, canForce, field) in [
            (#"{"force":true}"#, true, "reason"), (#"{"force":true,"reason":null}"#, true, "reason"),
            (#"{"force":true,"reason":" "}"#, true, "reason"), (#"{"force":1,"reason":"x"}"#, true, "force"),
            (#"{"force":true,"reason":"x"}"#, false, "force"), (#"{"reason":"a\nb"}"#, false, "reason"),
            (#"{"reason":"\#(String(repeating: "x", count: 501))"}"#, false, "reason"), (#"{"resaon":"x"}"#, false, "resaon"),
        ] {
            let error = #expect(throws: DocumentError.self) { try RotationOrderMessage(node(json), canForce: canForce) }
            #expect(error?.issues.map(\.field) == [field], "\(json)")
        }
    }

    @Test func `a revocation says why`() throws {
        let request = IssuerRevocationRequest(
            reason: "key copied from a backup",
            root: NewRootMessage(certificatePEM: Self.certificate, key: PrivateKeyText(Self.key)))
        #expect(try IssuerRevocationRequest(node(request.requestJSON.json)) == request)
        for json in ["{}", #"{"reason":null}"#, #"{"reason":""}"#, #"{"reason":7}"#, #"{"reason":"\u0007"}"#] {
            let error = #expect(throws: DocumentError.self) { try IssuerRevocationRequest(node(json)) }
            #expect(error?.issues.map(\.field) == ["reason"], "\(json)")
        }
    }

    @Test func `a rotation says no more than there is`() throws {
        let rotation = RotationMessage(
            id: "rot-1", kind: "replace", meshes: ["a"], certificateAuthority: "corp", previousAuthority: "corp", from: "f",
            to: "t", phase: "distributing", phaseSince: "s", retireAfter: "expired", startedAt: "s")
        let text = String(decoding: try WireJSON.encode(rotation), as: UTF8.self)
        #expect(
            text == #"{"certificateAuthority":"corp","from":"f","id":"rot-1","kind":"replace","manual":false,"meshes":["a"],"#
                + #""paused":false,"phase":"distributing","phaseSince":"s","previousAuthority":"corp","retireAfter":"expired","#
                + #""startedAt":"s","to":"t","trigger":"operator"}"#)
        #expect(try WireJSON.decode(RotationMessage.self, from: Array(text.utf8)) == rotation)
    }

    @Test func `what the server says of held rotations is taken back with the document`() throws {
        let message = CertificateAuthorityMessage(
            name: "corp", root: CertificateAuthorityDocument.standardRoot, meshes: [],
            rotation: .init(automatic: true, retireAfter: "expired"), automaticHeld: true, automaticHeldBy: "rot-1", owner: nil,
            issuers: [], creationTime: "2026-01-01T00:00:00Z", modificationTime: "2026-01-01T00:00:00Z")
        let text = String(decoding: try WireJSON.encode(message), as: UTF8.self)
        #expect(text.contains(#""automaticHeld":true,"automaticHeldBy":"rot-1""#))
        #expect(
            try CertificateAuthorityDocument(node(text))
                == CertificateAuthorityDocument(
                    name: "corp", root: CertificateAuthorityDocument.standardRoot, keyStore: .database))
    }
}
