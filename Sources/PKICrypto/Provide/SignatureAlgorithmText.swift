import SwiftASN1

/// What a signature algorithm is called that is not accepted, for a message that says so.
enum SignatureAlgorithmText {
    /// `RSA with SHA-1` …; the object identifier where it is none of the known ones.
    static func of(_ certificate: ParsedCertificate) -> String {
        guard let root = try? SwiftASN1.DER.parse(certificate.bytes), case .constructed(let parts) = root.content,
            let algorithm = Array(parts).dropFirst().first, case .constructed(let fields) = algorithm.content,
            let first = Array(fields).first, let identifier = try? ASN1ObjectIdentifier(derEncoded: first)
        else { return "an algorithm that cannot be read" }
        return names[identifier] ?? identifier.dotted
    }

    /// RFC 3279 §2.2, RFC 4055, RFC 5758 and RFC 8410: those that the common tools can be made to use.
    private static let names: [ASN1ObjectIdentifier: String] = [
        [1, 2, 840, 113_549, 1, 1, 4]: "RSA with MD5",
        [1, 2, 840, 113_549, 1, 1, 5]: "RSA with SHA-1",
        [1, 2, 840, 113_549, 1, 1, 10]: "RSA-PSS",
        [1, 2, 840, 113_549, 1, 1, 14]: "RSA with SHA-224",
        [1, 2, 840, 10_045, 4, 1]: "ECDSA with SHA-1",
        [1, 2, 840, 10_045, 4, 3, 1]: "ECDSA with SHA-224",
        [1, 2, 840, 10_045, 4, 3, 4]: "ECDSA with SHA-512",
        [1, 3, 101, 112]: "Ed25519",
        [1, 3, 101, 113]: "Ed448",
    ]
}
