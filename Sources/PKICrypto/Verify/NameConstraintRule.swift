internal import PKI
import SwiftASN1
import X509

/// Holds the names of a certificate against the name constraints of a CA above it (RFC 5280 §4.2.1.10).
///
/// URI, DNS and IP names are compared. Of the other forms a constraint refuses any name of the form, as the RFC demands of
/// those who do not process it; the critical flag makes no difference.
struct NameConstraintRule {
    private let subtrees: NameConstraintSubtrees

    init(_ subtrees: NameConstraintSubtrees) {
        self.subtrees = subtrees
    }

    /// The first name that is not allowed, printable; nil if all are.
    func violation(in certificate: ParsedCertificate) -> String? {
        if certificate.subject != ParsedCertificate.emptyName {
            let constrained = Set((subtrees.permitted + subtrees.excluded).map(NameForm.init))
            if constrained.contains(.directory) { return NameText.of(certificate.subject) }
            if constrained.contains(.email), NameConstraintRule.hasEmailAddress(certificate.subject) {
                return NameText.of(certificate.subject)
            }
        }
        return (certificate.extensions.subjectAltNames ?? []).first { !allows($0) }.map(NameConstraintRule.text)
    }

    /// Whether a URI name is allowed.
    func admits(uri: String) -> Bool { allows(.uniformResourceIdentifier(uri)) }

    /// Whether a name is certainly inside a permitted subtree, if its form has any, and certainly outside of all excluded.
    private func allows(_ name: GeneralName) -> Bool {
        let form = NameForm(name)
        let permitted = subtrees.permitted.filter { NameForm($0) == form }
        let excluded = subtrees.excluded.filter { NameForm($0) == form }
        guard permitted.isEmpty || permitted.contains(where: { place(of: name, in: $0) == .inside }) else { return false }
        return excluded.allSatisfy { place(of: name, in: $0) == .outside }
    }

    private enum Place {
        case inside, outside
        /// Name or subtree is malformed, or of a form that is not processed: neither permitted nor safe from exclusion.
        case unclear
    }

    private func place(of name: GeneralName, in base: GeneralName) -> Place {
        switch (name, base) {
        case (.uniformResourceIdentifier(let uri), .uniformResourceIdentifier(let host)): place(ofURI: uri, in: host)
        case (.dnsName(let name), .dnsName(let domain)): place(ofDNS: name, in: domain)
        case (.ipAddress(let address), .ipAddress(let range)): place(ofIP: Array(address.bytes), in: Array(range.bytes))
        default: .unclear
        }
    }

    /// The host of a URI is its trust domain, parsed: `x` is that host alone, `.x` only what is below it.
    private func place(ofURI uri: String, in base: String) -> Place {
        guard let host = NameConstraintRule.trustDomain(ofURI: uri)?.name else { return .unclear }
        let base = base.lowercased()
        let isBelow = base.hasPrefix(".")
        guard NameConstraintRule.isDNSName(isBelow ? String(base.dropFirst()) : base) else { return .unclear }
        return (isBelow ? host.hasSuffix(base) : host == base) ? .inside : .outside
    }

    /// `x` is that domain and what is below it, `.x` only what is below it, the empty base every domain.
    private func place(ofDNS name: String, in base: String) -> Place {
        let name = name.lowercased()
        let isWildcard = name.hasPrefix("*.")
        let domain = isWildcard ? String(name.dropFirst(2)) : name
        guard NameConstraintRule.isDNSName(domain) else { return .unclear }
        if base.isEmpty { return .inside }
        let base = base.lowercased()
        let isBelow = base.hasPrefix(".")
        let baseDomain = isBelow ? String(base.dropFirst()) : base
        guard NameConstraintRule.isDNSName(baseDomain) else { return .unclear }
        if name.hasSuffix("." + baseDomain) || (!isBelow && name == baseDomain) { return .inside }
        // `*.x` may stand for a name inside the subtree `a.x`, and for others outside.
        return isWildcard && baseDomain.hasSuffix("." + domain) ? .unclear : .outside
    }

    /// The range is an address and a mask of the same length; IPv4 and IPv6 do not meet.
    private func place(ofIP address: [UInt8], in range: [UInt8]) -> Place {
        guard [4, 16].contains(address.count), [8, 32].contains(range.count) else { return .unclear }
        let base = range.prefix(range.count / 2)
        let mask = range.suffix(range.count / 2)
        // A mask is ones, then zeros (RFC 4632 §3.1).
        let ones = mask.prefix { $0 == 0xFF }.count
        let edge = mask.dropFirst(ones).first ?? 0
        guard edge.nonzeroBitCount == (~edge).leadingZeroBitCount, mask.dropFirst(ones + 1).allSatisfy({ $0 == 0 }) else {
            return .unclear
        }
        guard address.count == base.count else { return .outside }
        return zip(address, zip(base, mask)).allSatisfy { $0 & $1.1 == $1.0 & $1.1 } ? .inside : .outside
    }

    /// Nil unless the URI is `spiffe://<trust domain>`, with or without a path.
    private static func trustDomain(ofURI uri: String) -> TrustDomain? {
        let scheme = "spiffe://"
        guard uri.utf8.starts(with: scheme.utf8) else { return nil }
        let host = uri.utf8.dropFirst(scheme.utf8.count).prefix { $0 != UInt8(ascii: "/") }
        return try? TrustDomain(String(Substring(host)))
    }

    /// Labels of lower-case letters, digits, hyphens and underscores.
    private static func isDNSName(_ name: String) -> Bool {
        name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty
                && label.allSatisfy { byte in
                    switch byte {
                    case 0x61...0x7A, 0x30...0x39, 0x2D, 0x5F: true
                    default: false
                    }
                }
        }
    }

    /// Whether the object identifier of emailAddress (PKCS #9) stands anywhere in the name.
    private static func hasEmailAddress(_ name: ArraySlice<UInt8>) -> Bool {
        let identifier: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x01]
        guard name.count >= identifier.count else { return false }
        return (name.startIndex...name.endIndex - identifier.count).contains { name[$0...].starts(with: identifier) }
    }

    private static func text(_ name: GeneralName) -> String {
        switch name {
        case .uniformResourceIdentifier(let uri): PrintableText.of(uri)
        case .dnsName(let name): PrintableText.of("DNS:\(name)")
        case .ipAddress(let address): "IP:\(Hex.encode(address.bytes))"
        case .rfc822Name(let address): PrintableText.of("email:\(address)")
        case .directoryName(let name): PrintableText.of("name:\(name)")
        case .ediPartyName, .otherName, .registeredID, .x400Address: "a name of another form"
        }
    }
}
