import Foundation
import JWTKit
internal import PKI

/// The public half of a token signing key, ready to verify.
struct TokenVerificationKey: Sendable {
    let id: String
    /// The mesh whose dataplane tokens it verifies; nil: admin tokens.
    let mesh: MeshName?
    let endsAt: Timestamp?
    /// Holds this one key: a token can choose no other by its header.
    private let keys: JWTKeyCollection

    init(_ key: TokenSigningKey) async throws {
        id = key.id
        mesh = key.mesh
        endsAt = key.endsAt
        keys = JWTKeyCollection()
        let pem = PEM.encode(label: "PUBLIC KEY", der: key.publicKey)
        await keys.add(ecdsa: try ES256PublicKey(pem: pem), kid: JWKIdentifier(string: key.id))
    }

    /// Throws unless the signature is this key's, by ES256.
    func payload<Payload: JWTPayload>(of token: String, as type: Payload.Type) async throws -> Payload {
        try await keys.verify(token, as: type)
    }

    /// The `kid` of a token's header; nil unless the text has the shape of a signed JWT of sane size whose algorithm is ES256.
    static func keyID(of token: String) -> String? {
        // A token with forty tags has about 4 KiB; gRPC and HTTP allow header lists of 8 to 16 KiB in all.
        guard token.utf8.count <= 8192 else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = decodeBase64URL(parts[0]) else { return nil }
        guard let fields = try? JSONDecoder().decode(Header.self, from: header), fields.alg == "ES256" else { return nil }
        return fields.kid
    }

    private struct Header: Decodable {
        var alg: String
        var kid: String
    }

    private static func decodeBase64URL(_ text: Substring) -> Data? {
        var base64 = String(text).replacing("-", with: "+").replacing("_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.count % 4) % 4)
        return Data(base64Encoded: base64)
    }
}
