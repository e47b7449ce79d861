/// The DER of an X.501 name: the subject or issuer of a certificate.
package struct DistinguishedName: Hashable, Sendable {
    /// The Name, a SEQUENCE of relative distinguished names.
    package let der: [UInt8]

    /// No attribute at all, as in a leaf, whose name is its SAN alone.
    package static let empty = DistinguishedName(der: DER.sequence())

    /// The name of a certificate that came from elsewhere, byte for byte: a chain is compared by these bytes.
    package init(der: [UInt8]) {
        self.der = der
    }

    /// Organization, then common name, each a UTF8String; both nil make the empty name.
    package init(organization: String?, commonName: String?) throws(InvalidName) {
        var attributes: [[UInt8]] = []
        if let organization {
            attributes.append(try DistinguishedName.attribute(DER.objectIdentifier(2, 5, 4, 10), organization))
        }
        if let commonName {
            attributes.append(try DistinguishedName.attribute(DER.objectIdentifier(2, 5, 4, 3), commonName))
        }
        self.der = DER.sequence(of: attributes)
    }

    package var isEmpty: Bool { self == .empty }

    /// RFC 5280 appendix A.1: ub-organization-name and ub-common-name are both 64 characters.
    package static let maximumCharacters = 64

    private static func attribute(_ type: [UInt8], _ value: String) throws(InvalidName) -> [UInt8] {
        guard (1...maximumCharacters).contains(value.unicodeScalars.count) else {
            throw InvalidName("must have 1 to \(maximumCharacters) characters in each attribute")
        }
        return DER.set(of: DER.sequence(type, DER.utf8String(value)))
    }
}
