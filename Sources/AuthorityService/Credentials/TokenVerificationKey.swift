package import Authority
import Foundation
import JWTKit
package import PKI

/// The public half of a token signing key, ready to verify.
package struct TokenVerificationKey: Sendable {
    /// The `kid` of the tokens that it verifies.
    package let id: String
    /// The mesh whose dataplane tokens it verifies; nil: admin tokens.
    package let mesh: MeshName?
    let endsAt: Timestamp?
    /// Holds this one key: a token can choose no other by its header.
    private let keys: JWTKeyCollection

    /// Throws if the public key is none of EC P-256.
    package init(_ key: TokenSigningKey) async throws {
        id = key.id
        mesh = key.mesh
        endsAt = key.endsAt
        keys = JWTKeyCollection()
        let pem = PEM.encode(label: "PUBLIC KEY", der: key.publicKey)
        await keys.add(ecdsa: try ES256PublicKey(pem: pem), kid: JWKIdentifier(string: key.id))
    }

    /// The claims of a dataplane token that this key signed. Times are the core's to judge, within what a certificate can state.
    package func dataplaneClaims(of token: String) async throws(Refusal) -> TokenClaims {
        guard let mesh else { throw .tokenInvalid(detail: "it is an admin token, and this needs a dataplane token") }
        let payload: DataplaneTokenPayload = try await verifiedPayload(of: token)
        guard TokenVerificationKey.times.contains(payload.nbf), TokenVerificationKey.times.contains(payload.exp) else {
            throw .tokenInvalid(detail: "its times are none")
        }
        guard TokenVerificationKey.isRead(token, as: payload) else {
            throw .tokenInvalid(detail: "a name stands twice in its claims")
        }
        return TokenClaims(
            keyMesh: mesh, mesh: payload.mesh, name: payload.name, tags: payload.tags, id: payload.jti,
            notBefore: Timestamp(seconds: payload.nbf), expiresAt: Timestamp(seconds: payload.exp))
    }

    /// As `payload`, with the refusal that it means.
    func verifiedPayload<Payload: JWTPayload>(of token: String) async throws(Refusal) -> Payload {
        do {
            return try await payload(of: token, as: Payload.self)
        } catch {
            throw .tokenInvalid(detail: "its signature or claims do not verify")
        }
    }

    /// Throws unless the signature is this key's, by ES256.
    func payload<Payload: JWTPayload>(of token: String, as type: Payload.Type) async throws -> Payload {
        try await keys.verify(token, as: type)
    }

    /// The `kid` of a token's header; nil unless the text has the shape of a signed JWT of sane size whose algorithm is ES256.
    package static func keyID(of token: String) -> String? {
        // A token with forty tags has about 4 KiB; gRPC and HTTP allow header lists of 8 to 16 KiB in all.
        guard token.utf8.count <= 8192 else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        // The stricter of Foundation's two readers: its decoder takes what is neither UTF-8 nor JSON (RFC 8259 §7, §8.1).
        guard parts.count == 3, let header = decodeBase64URL(parts[0]),
            let fields = (try? JSONSerialization.jsonObject(with: header)) as? [String: Any], fields["alg"] as? String == "ES256"
        else { return nil }
        return fields["kid"] as? String
    }

    /// Seconds since the epoch, to the end of the year 9999: beyond it no arithmetic with times is meant to hold.
    static let times: ClosedRange<Int64> = 0...253_402_300_799

    /// Whether another reader finds the same claims: of a name that stands twice, each may take another one (RFC 7519 §4).
    private static func isRead(_ token: String, as payload: DataplaneTokenPayload) -> Bool {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let text = decodeBase64URL(parts[1]),
            let fields = (try? JSONSerialization.jsonObject(with: text)) as? [String: Any]
        else { return false }
        return fields["mesh"] as? String == payload.mesh && fields["name"] as? String == payload.name
            && fields["jti"] as? String == payload.jti && fields["tags"] as? [String: [String]] == payload.tags
            && (fields["nbf"] as? NSNumber)?.int64Value == payload.nbf && (fields["exp"] as? NSNumber)?.int64Value == payload.exp
    }

    private static func decodeBase64URL(_ text: Substring) -> Data? {
        var base64 = String(text).replacing("-", with: "+").replacing("_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.count % 4) % 4)
        return Data(base64Encoded: base64)
    }
}
