internal import PKI

extension FieldReader {
    /// The key algorithm named by `keyType`; nil if it is absent or none.
    mutating func keyAlgorithm(_ fields: Fields) -> KeyAlgorithm? {
        guard let text = text(fields, "keyType") else { return nil }
        if let known = KeyAlgorithm(rawValue: text) { return known }
        let choices = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
        fault(
            fields.line(of: "keyType"), fields.path(of: "keyType"),
            "'\(DocumentNode.excerpt(of: text))' must be one of \(choices)")
        return nil
    }

    /// What an old root waits for, by `retireAfter`; nil if it is absent or neither.
    mutating func retireAfter(_ fields: Fields) -> CertificateAuthorityDocument.RetireAfter? {
        guard let text = text(fields, "retireAfter") else { return nil }
        if let known = CertificateAuthorityDocument.RetireAfter(rawValue: text) { return known }
        fault(
            fields.line(of: "retireAfter"), fields.path(of: "retireAfter"),
            "'\(DocumentNode.excerpt(of: text))' must be 'expired' or 'reissued'")
        return nil
    }

    /// How long a root lives, by `expiration`; nil if it is absent or no duration.
    mutating func rootLifetime(_ fields: Fields) -> WireDuration? {
        guard let expiration = duration(fields, "expiration") else { return nil }
        if expiration.duration > FieldReader.longestAuthority {
            fault(
                fields.line(of: "expiration"), fields.path(of: "expiration"),
                "'\(expiration.text)' is too long: 100y is the most")
        }
        return expiration
    }

    /// The certificate's end must be a year of four digits, and no algorithm of today will be trusted longer.
    private static let longestAuthority: Duration = .seconds(100 * 365 * 86_400)
    static let tenYears = WireDuration(.seconds(10 * 365 * 86_400))
    /// A leaf is backdated 10 s and renewed between half and four fifths of its life. With 10 s the renewal has 2 s for a
    /// round trip and a commit; anything shorter is expired in the hands of a peer whose clock is a little off.
    static let shortestLeaf: Duration = .seconds(10)
}
