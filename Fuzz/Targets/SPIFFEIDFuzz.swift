import Foundation
import PKI

/// A SPIFFE ID and a trust domain, as text of any octets.
///
/// Laws: accepted is exactly what the grammar, written down once more as a regular expression, describes; what is accepted
/// stands byte for byte, and is the same to Foundation's reading of a URI.
enum SPIFFEIDFuzz {
    static func run(_ bytes: [UInt8]) throws -> FuzzTarget.Verdict {
        let text = String(decoding: bytes, as: UTF8.self)
        let domain = try? TrustDomain(text)
        try BrokenInvariant.require((domain != nil) == isTrustDomain(text), "the grammar says otherwise of the trust domain")
        if let domain {
            try BrokenInvariant.require(Array(domain.name.utf8) == bytes, "a trust domain that was changed")
            // A second trust domain never comes out of the first by a prefix.
            try BrokenInvariant.require(try SPIFFEID(domain.uri + "/a").trustDomain == domain, "another trust domain")
        }
        do {
            try confirm(try SPIFFEID(text), bytes)
            return .accepted
        } catch let error as SPIFFEIDError {
            try SpokenText.check("\(error)")
            try BrokenInvariant.require(!isSPIFFEID(text), "the grammar accepts what is refused: \(error)")
            return domain == nil ? .refused : .accepted
        }
    }

    private static func confirm(_ id: SPIFFEID, _ bytes: [UInt8]) throws {
        try BrokenInvariant.require(Array(id.uri.utf8) == bytes, "a SPIFFE ID that was changed")
        try BrokenInvariant.require(isSPIFFEID(id.uri), "the grammar refuses what is accepted")
        guard let parts = URLComponents(string: id.uri) else { throw BrokenInvariant("no URI to Foundation") }
        try BrokenInvariant.require(
            parts.scheme == "spiffe" && parts.host == id.trustDomain.name && parts.path == id.path
                && parts.user == nil && parts.port == nil && parts.query == nil && parts.fragment == nil,
            "another URI to Foundation")
        let copy = try JSONDecoder().decode([SPIFFEID].self, from: JSONEncoder().encode([id]))
        try BrokenInvariant.require(copy == [id], "another SPIFFE ID after JSON")
    }

    private static func isTrustDomain(_ text: String) -> Bool {
        text.utf8.count <= 255 && matches("^\(domain)$", text)
    }

    private static func isSPIFFEID(_ text: String) -> Bool {
        guard text.utf8.count <= 2048, matches("^spiffe://\(domain)\(path)$", text) else { return false }
        return text.utf8.dropFirst(9).prefix { $0 != 0x2F }.count <= 255
    }

    /// Labels of 1 to 63 characters that neither begin nor end with a hyphen, the last not all digits.
    private static let domain = #"(?:\#(label)\.)*(?![0-9]+(?:/|\z))\#(label)"#
    private static let label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    private static let path = #"(?:/(?!\.{1,2}(?:/|\z))[A-Za-z0-9._-]+)+"#

    private static func matches(_ pattern: String, _ text: String) -> Bool {
        // `$` would pass over a line feed at the end.
        let whole = pattern.dropLast() + #"\z"#
        return text.range(of: String(whole), options: .regularExpression) != nil
    }
}
