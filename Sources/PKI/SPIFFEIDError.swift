/// Why a text is not a SPIFFE ID or trust domain.
///
/// Source: SPIFFE-ID standard §2.1–2.4. A text is accepted or refused byte for byte, never normalised.
package enum SPIFFEIDError: Error, Hashable, Sendable {
    /// `.` or `..` as a path segment.
    case dotSegment
    /// `//` in the path, or a slash at its end.
    case emptySegment
    /// The trust domain is missing.
    case emptyTrustDomain
    /// A byte that the grammar does not allow; its offset within the text.
    case forbiddenByte(UInt8, offset: Int)
    /// A trust domain label is empty, longer than 63 bytes, or begins or ends with a hyphen.
    case invalidLabel(String)
    /// No path, where an identity needs one.
    case missingPath
    /// The last label consists of digits alone: BoringSSL takes such a host for an IP address.
    case numericLastLabel(String)
    /// More bytes than the standard allows.
    case tooLong(bytes: Int, limit: Int)
    /// The text does not begin with `spiffe://`.
    case wrongScheme
}

extension SPIFFEIDError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .dotSegment: "a path segment must not be '.' or '..'"
        case .emptySegment: "the path must not contain an empty segment or end with a slash"
        case .emptyTrustDomain: "the trust domain is empty"
        case .forbiddenByte(let byte, let offset):
            "byte 0x\(byte < 16 ? "0" : "")\(String(byte, radix: 16)) at offset \(offset) is not allowed here"
        case .invalidLabel(let label):
            "the label '\(label)' must be 1 to 63 letters, digits or hyphens and not begin or end with a hyphen"
        case .missingPath: "the path is missing"
        case .numericLastLabel(let label): "the last label '\(label)' must not be a number"
        case .tooLong(let bytes, let limit): "\(bytes) bytes are more than the \(limit) allowed"
        case .wrongScheme: "it must begin with 'spiffe://'"
        }
    }
}
