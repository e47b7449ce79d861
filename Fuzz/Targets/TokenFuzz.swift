import Authority
import AuthorityService
import Crypto
import Foundation
import PKI

/// A dataplane token. The first octet says how it comes: 0 as the text of a token, which only a known signature can make good;
/// 1 as a header and a payload, each in a block, which are signed here.
///
/// Laws: a token is accepted only with the signing key's own signature over its very text, by ES256 and under that key's name;
/// its claims are what its payload says to Foundation.
enum TokenFuzz {
    static func run(_ bytes: [UInt8]) async throws -> FuzzTarget.Verdict {
        let keys = try FuzzKeys.shared.get()
        var input = FuzzInput(bytes)
        let isSigned = input.byte() & 1 == 1
        var token = ""
        if isSigned {
            token = "\(encoded(input.block())).\(encoded(input.block()))"
            token += ".\(encoded(Array(try keys.token.signature(for: Data(token.utf8)).rawRepresentation)))"
        } else {
            token = String(decoding: input.remainder(), as: UTF8.self)
        }
        let key = try await TokenVerificationKey(
            TokenSigningKey(
                id: "fuzz", mesh: MeshName("payments"), publicKey: Array(keys.token.publicKey.derRepresentation),
                sealedKey: SealedKey(keyEncryptionKeyID: "", wrappedDataKey: [], ciphertext: []), createdAt: FuzzKeys.now,
                endsAt: nil))
        guard TokenVerificationKey.keyID(of: token) == key.id else { return .refused }
        let claims: TokenClaims
        do {
            claims = try await key.dataplaneClaims(of: token)
        } catch {
            try SpokenText.check("\(error)")
            return .refused
        }
        try confirm(claims, of: token, keys)
        return .accepted
    }

    private static func confirm(_ claims: TokenClaims, of token: String, _ keys: FuzzKeys) throws {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = decoded(parts[0]), let payload = decoded(parts[1]),
            let signature = decoded(parts[2])
        else { throw BrokenInvariant("accepted, and no token") }
        let text = Data("\(parts[0]).\(parts[1])".utf8)
        try BrokenInvariant.require(
            keys.token.publicKey.isValidSignature(try P256.Signing.ECDSASignature(rawRepresentation: signature), for: text),
            "accepted, and signed by nobody")
        let fields = try JSONSerialization.jsonObject(with: header) as? [String: Any]
        try BrokenInvariant.require(
            fields?["alg"] as? String == "ES256" && fields?["kid"] as? String == "fuzz", "accepted with another header")
        guard let said = try JSONSerialization.jsonObject(with: payload) as? [String: Any] else {
            throw BrokenInvariant("accepted, and no claims")
        }
        try BrokenInvariant.require(
            said["mesh"] as? String == claims.mesh && said["name"] as? String == claims.name
                && said["jti"] as? String == claims.id && said["tags"] as? [String: [String]] == claims.tags
                && (said["nbf"] as? NSNumber)?.int64Value == claims.notBefore.seconds
                && (said["exp"] as? NSNumber)?.int64Value == claims.expiresAt.seconds, "other claims")
    }

    private static func encoded(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func decoded(_ text: Substring) -> Data? {
        var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.count % 4) % 4)
        return Data(base64Encoded: String(base64))
    }
}
