import PKI
import PKICrypto
import Testing

@testable import AuthorityService

@Suite struct LeafVersionTests {
    private static let secret = SecretBytes((0..<32).map { UInt8($0) })

    /// As it is documented, put together by the plainest means.
    private static func text(_ version: LeafVersion, _ identity: SPIFFEID) -> String {
        let body = "\(version.issuer).\(version.serial).\(version.notBefore.seconds).\(version.notAfter.seconds)"
        let code = secret.withUnsafeBytes {
            Digest.hmacSHA256(key: Array($0), message: "signet leaf version\n\(body)\n\(identity.uri)".utf8)
        }
        return "\(body).\(Hex.encode(code.prefix(16)))"
    }

    @Test func `the text is what the documentation says, for every length of identity and serial`() throws {
        let key = AuthenticationKey(Self.secret)
        for path in ["/a", "/api", "/" + String(repeating: "x", count: 100), "/" + String(repeating: "y", count: 2000)] {
            let identity = try SPIFFEID("spiffe://payments" + path)
            for serial in [
                SerialNumber.random(), SerialNumber(bytes: [1]), SerialNumber(bytes: [UInt8](repeating: 255, count: 20)),
            ] {
                let version = LeafVersion(
                    issuer: IssuerID(random: SecureRandom.bytes(8)), serial: serial, notBefore: Timestamp(seconds: 0),
                    notAfter: Timestamp(seconds: 253_402_300_799))
                let sealed = version.sealed(for: identity, key: key)
                #expect(sealed == Self.text(version, identity))
                #expect(LeafVersion(sealed, identity: identity, key: key) == version)
                #expect(LeafVersion(sealed, identity: try SPIFFEID("spiffe://payments/other"), key: key) == nil)
                #expect(LeafVersion(sealed, identity: identity, key: AuthenticationKey(SecretBytes([1]))) == nil)
            }
        }
    }

    @Test(arguments: ["0123456789abcdef.01.+1.2.", "0123456789abcdef.01.1.2.", "0123456789abcdef.01.01.2."])
    func `a version that is spelled otherwise is none, whoever made its code`(spelled: String) throws {
        let identity = try SPIFFEID("spiffe://payments/api")
        let body = String(spelled.dropLast())
        let code = Self.secret.withUnsafeBytes {
            Digest.hmacSHA256(key: Array($0), message: "signet leaf version\n\(body)\n\(identity.uri)".utf8)
        }
        let isPlain = body == "0123456789abcdef.01.1.2"
        let version = LeafVersion(
            spelled + Hex.encode(code.prefix(16)), identity: identity, key: AuthenticationKey(Self.secret))
        #expect((version != nil) == isPlain)
    }
}
