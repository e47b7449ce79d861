import Foundation

/// What a dataplane token says of itself, unverified: good for catching a mix-up of files, and for nothing else.
struct TokenClaims: Decodable, Hashable {
    let mesh: String
    let tags: [String: [String]]?

    /// Nil for a text that is no dataplane token in its outer form.
    init?(token: String) {
        let parts = token.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        // RFC 7515 §2: base64url without padding.
        var base64 = String(parts[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: base64), let claims = try? JSONDecoder().decode(TokenClaims.self, from: data) else {
            return nil
        }
        self = claims
    }
}
