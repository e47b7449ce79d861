/// An extension of a case's certificate: identifier, flag and value, each as it is asked for.
struct LimboExtension {
    var identifier: String
    var isCritical: Bool
    var value: [UInt8]
    /// In place of `BOOLEAN TRUE`, or of its absence.
    var flag: [UInt8]?

    init(_ identifier: String, critical: Bool = false, _ value: [UInt8]) {
        self.identifier = identifier
        self.isCritical = critical
        self.value = value
    }

    var der: [UInt8] {
        RawDER.sequence(
            RawDER.identifier(identifier), flag ?? (isCritical ? RawDER.boolean(0xFF) : []), RawDER.octets(value))
    }

    /// The same with another flag.
    func critical(_ isCritical: Bool) -> LimboExtension {
        var changed = self
        changed.isCritical = isCritical
        return changed
    }

    // MARK: Identifiers

    static let subjectKeyIdentifier = "2.5.29.14"
    static let keyUsageIdentifier = "2.5.29.15"
    static let subjectAltNameIdentifier = "2.5.29.17"
    static let basicConstraintsIdentifier = "2.5.29.19"
    static let nameConstraintsIdentifier = "2.5.29.30"
    static let authorityKeyIdentifier = "2.5.29.35"
    static let extendedKeyUsageIdentifier = "2.5.29.37"

    // MARK: Values

    static func authority(pathLength: UInt8? = nil) -> LimboExtension {
        basicConstraints(RawDER.boolean(0xFF), pathLength.map { RawDER.integer($0) } ?? [])
    }

    static let endEntity = basicConstraints()

    static func basicConstraints(_ parts: [UInt8]...) -> LimboExtension {
        LimboExtension(basicConstraintsIdentifier, critical: true, RawDER.sequence(parts.flatMap { $0 }))
    }

    /// By the bit's number.
    enum Usage: Int {
        case digitalSignature = 0
        case keyEncipherment = 2
        case keyCertSign = 5
        case cRLSign = 6
    }

    static func keyUsage(_ usages: Usage...) -> LimboExtension {
        let octet = usages.reduce(UInt8(0)) { $0 | 0x80 >> UInt8($1.rawValue) }
        return keyUsage(RawDER.bits([octet], unused: UInt8(octet.trailingZeroBitCount)))
    }

    static func keyUsage(_ value: [UInt8]) -> LimboExtension { LimboExtension(keyUsageIdentifier, critical: true, value) }

    enum Purpose: String {
        case any = "2.5.29.37.0"
        case clientAuth = "1.3.6.1.5.5.7.3.2"
        case codeSigning = "1.3.6.1.5.5.7.3.3"
        case serverAuth = "1.3.6.1.5.5.7.3.1"
    }

    static func purposes(_ purposes: Purpose...) -> LimboExtension {
        LimboExtension(extendedKeyUsageIdentifier, RawDER.element(0x30, purposes.flatMap { RawDER.identifier($0.rawValue) }))
    }

    static func names(_ names: LimboName...) -> LimboExtension { self.names(names) }

    static func names(_ names: [LimboName]) -> LimboExtension {
        LimboExtension(subjectAltNameIdentifier, critical: true, RawDER.element(0x30, names.flatMap(\.der)))
    }

    static func nameConstraints(permitted: [LimboName] = [], excluded: [LimboName] = []) -> LimboExtension {
        func subtrees(_ tag: UInt8, _ names: [LimboName]) -> [UInt8] {
            names.isEmpty ? [] : RawDER.element(tag, names.flatMap { RawDER.sequence($0.der) })
        }
        return LimboExtension(
            nameConstraintsIdentifier, critical: true, RawDER.sequence(subtrees(0xA0, permitted), subtrees(0xA1, excluded)))
    }

    static func subjectKey(_ identifier: [UInt8]) -> LimboExtension {
        LimboExtension(subjectKeyIdentifier, RawDER.octets(identifier))
    }

    static func authorityKey(_ identifier: [UInt8]) -> LimboExtension {
        LimboExtension(authorityKeyIdentifier, RawDER.sequence(RawDER.element(0x80, identifier)))
    }

    /// An extension that nobody knows.
    static func unknown(critical: Bool, arc: Int = 1) -> LimboExtension {
        LimboExtension("1.3.6.1.4.1.99999.\(arc)", critical: critical, [0x05, 0x00])
    }
}

/// A GeneralName (RFC 5280 §4.2.1.6), as a name or as the base of a constraint.
enum LimboName {
    /// The octets of an address; in a constraint, address and mask.
    case address([UInt8])
    /// A whole Name.
    case directory([UInt8])
    case dns(String)
    case email(String)
    case uri(String)
    /// A URI whose IA5String has any octets.
    case uriOctets([UInt8])

    var der: [UInt8] {
        switch self {
        case .address(let octets): RawDER.element(0x87, octets)
        case .directory(let name): RawDER.element(0xA4, name)
        case .dns(let name): RawDER.element(0x82, Array(name.utf8))
        case .email(let address): RawDER.element(0x81, Array(address.utf8))
        case .uri(let uri): RawDER.element(0x86, Array(uri.utf8))
        case .uriOctets(let octets): RawDER.element(0x86, octets)
        }
    }
}
