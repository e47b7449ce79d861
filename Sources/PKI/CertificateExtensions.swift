/// Encodes the extensions of a certificate (RFC 5280 §4.2.1) as its profile has them.
package enum CertificateExtensions {
    /// One Extension; `value` is the DER inside its OCTET STRING. The default of `critical`, false, is not encoded (X.690 §11.5).
    static func encoded(_ identifier: [UInt8], critical: Bool, _ value: [UInt8]) -> [UInt8] {
        DER.sequence(identifier, critical ? DER.boolean(true) : [], DER.octetString(value))
    }

    static func basicConstraints(_ constraints: CertificateProfile.BasicConstraints) -> [UInt8] {
        let value: [UInt8]
        switch constraints {
        case .authority(let pathLength):
            value = DER.sequence(DER.boolean(true), pathLength.map { DER.integer($0) } ?? [])
        case .endEntity: value = DER.sequence()
        }
        return encoded(DER.objectIdentifier(2, 5, 29, 19), critical: true, value)
    }

    static func keyUsage(_ usage: Set<CertificateProfile.KeyUsage>) -> [UInt8] {
        encoded(DER.objectIdentifier(2, 5, 29, 15), critical: true, DER.namedBits(usage.map(\.bit)))
    }

    static func extendedKeyUsage(_ usages: [CertificateProfile.ExtendedKeyUsage]) -> [UInt8] {
        let purposes = usages.map { usage in
            switch usage {
            case .clientAuth: DER.objectIdentifier(1, 3, 6, 1, 5, 5, 7, 3, 2)
            case .serverAuth: DER.objectIdentifier(1, 3, 6, 1, 5, 5, 7, 3, 1)
            }
        }
        return encoded(DER.objectIdentifier(2, 5, 29, 37), critical: false, DER.sequence(of: purposes))
    }

    /// The identifier is the last thing in the encoding, where a template can find it.
    static func subjectKeyIdentifier(_ identifier: [UInt8]) -> [UInt8] {
        encoded(DER.objectIdentifier(2, 5, 29, 14), critical: false, DER.octetString(identifier))
    }

    static func authorityKeyIdentifier(_ identifier: [UInt8]) -> [UInt8] {
        encoded(DER.objectIdentifier(2, 5, 29, 35), critical: false, DER.sequence(DER.implicit(0, identifier)))
    }

    static func subjectAlternativeName(uri: String, critical: Bool) -> [UInt8] {
        encoded(
            DER.objectIdentifier(2, 5, 29, 17), critical: critical, DER.sequence(DER.implicit(uriTag, Array(uri.utf8))))
    }

    /// Permits URIs of exactly this host: a constraint without a leading dot covers no subdomain (RFC 5280 §4.2.1.10).
    static func nameConstraints(
        _ constraints: CertificateProfile.NameConstraints, permittedHost host: String
    ) -> [UInt8] {
        let excludedNames = constraints.excludedDNSNames.map { DER.implicit(dnsTag, Array($0.utf8)) }
        let excludedAddresses = constraints.excludedAddresses.map { addresses in
            // Address, then mask: all zero is every address of the family.
            switch addresses {
            case .everyIPv4: DER.implicit(addressTag, [UInt8](repeating: 0, count: 8))
            case .everyIPv6: DER.implicit(addressTag, [UInt8](repeating: 0, count: 32))
            }
        }
        let excluded = (excludedNames + excludedAddresses).flatMap { DER.sequence($0) }
        let permitted = DER.sequence(DER.implicit(uriTag, Array(host.utf8)))
        return encoded(
            DER.objectIdentifier(2, 5, 29, 30), critical: true,
            DER.sequence(DER.context(0, permitted), excluded.isEmpty ? [] : DER.context(1, excluded)))
    }

    /// The tags of GeneralName (RFC 5280 §4.2.1.6).
    private static let dnsTag: UInt8 = 2
    private static let uriTag: UInt8 = 6
    private static let addressTag: UInt8 = 7
}
