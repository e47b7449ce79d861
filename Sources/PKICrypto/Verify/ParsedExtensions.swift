import SwiftASN1
import X509

/// The extensions that matter for an identity and its chain (RFC 5280 §4.2), read from a certificate or from a CSR.
struct ParsedExtensions: Sendable {
    /// Nil without the extension: no CA.
    private(set) var basicConstraints: BasicConstraints?
    private(set) var keyUsage: KeyUsage?
    private(set) var keyUsageIsCritical = false
    private(set) var extendedKeyUsage: ExtendedKeyUsage?
    /// The names of the SAN, in their order; nil without the extension.
    private(set) var subjectAltNames: [GeneralName]?
    private(set) var nameConstraints: NameConstraintSubtrees?
    /// A hint for the search of the issuer, never a proof.
    private(set) var subjectKeyIdentifier: ArraySlice<UInt8>?
    private(set) var authorityKeyIdentifier: ArraySlice<UInt8>?
    /// The first critical extension that is not among those above; key identifiers count, for they must not be critical.
    private(set) var unknownCritical: ASN1ObjectIdentifier?
    /// Every extension, in its order.
    private(set) var identifiers: [ASN1ObjectIdentifier] = []

    init() {}

    /// Reads a sequence of extensions; an extension that stands twice is refused (RFC 5280 §4.2).
    init(_ node: ASN1Node) throws {
        for ext in try SwiftASN1.DER.sequence(of: Certificate.Extension.self, identifier: .sequence, rootNode: node) {
            guard !identifiers.contains(ext.oid) else {
                throw MalformedDER("the extension \(ext.oid.dotted) stands twice")
            }
            identifiers.append(ext.oid)
            guard identifiers.count <= ParsedExtensions.maximumExtensions else {
                throw MalformedDER("more extensions than the \(ParsedExtensions.maximumExtensions) accepted")
            }
            try read(ext)
        }
    }

    var isCA: Bool {
        switch basicConstraints {
        case .isCertificateAuthority: true
        case .notCertificateAuthority, nil: false
        }
    }

    /// How many intermediate certificates may stand below; nil: any number.
    var pathLength: Int? {
        switch basicConstraints {
        case .isCertificateAuthority(let length): length
        case .notCertificateAuthority, nil: nil
        }
    }

    /// The URI names of the SAN.
    var uris: [String] {
        (subjectAltNames ?? []).compactMap { name in
            guard case .uniformResourceIdentifier(let uri) = name else { return nil }
            return uri
        }
    }

    private mutating func read(_ ext: Certificate.Extension) throws {
        switch ext.oid {
        case .X509ExtensionID.basicConstraints:
            let constraints = try BasicConstraints(ext)
            if case .isCertificateAuthority(let length?) = constraints, length < 0 {
                throw MalformedDER("a negative path length")
            }
            basicConstraints = constraints
        case .X509ExtensionID.keyUsage:
            keyUsage = try KeyUsage(ext)
            keyUsageIsCritical = ext.critical
        case .X509ExtensionID.extendedKeyUsage:
            extendedKeyUsage = try ExtendedKeyUsage(ext)
        case .X509ExtensionID.subjectAlternativeName:
            let names = Array(try SubjectAlternativeNames(ext))
            guard names.count <= ParsedExtensions.maximumNames else {
                throw MalformedDER("\(names.count) names are more than the \(ParsedExtensions.maximumNames) accepted")
            }
            subjectAltNames = names
        case .X509ExtensionID.nameConstraints:
            nameConstraints = try NameConstraintSubtrees(der: ext.value)
        case .X509ExtensionID.subjectKeyIdentifier:
            subjectKeyIdentifier = try SubjectKeyIdentifier(ext).keyIdentifier
            noteIfCritical(ext)
        case .X509ExtensionID.authorityKeyIdentifier:
            authorityKeyIdentifier = try AuthorityKeyIdentifier(ext).keyIdentifier
            noteIfCritical(ext)
        default:
            noteIfCritical(ext)
        }
    }

    private mutating func noteIfCritical(_ ext: Certificate.Extension) {
        if ext.critical, unknownCritical == nil { unknownCritical = ext.oid }
    }

    /// Ours have at most eight; each is compared with those before it.
    static let maximumExtensions = 32

    /// SAN names, permitted subtrees and excluded subtrees, each: every name is compared with every subtree of each CA
    /// above it, so 256 of both bounds a certificate to 131,072 comparisons.
    static let maximumNames = 256
}
