package import PKI
import Yams

extension CertificateProfile {
    /// Parses one profile; an unknown or missing field, or a value out of range, throws with file, line and field.
    package init(yaml text: String, file: String) throws(ProfileError) {
        var fields = try ProfileFields(CertificateProfile.document(text, file: file), file: file)
        let kind = try fields.choice("kind", of: CertificateRecord.Kind.self)
        let keys = try fields.choices("keys", of: KeyAlgorithm.self)

        var validity = try fields.mapping("validity")
        let backdate = try validity.duration("backdate")
        var lifetime = try validity.mapping("lifetime")
        let rule = try CertificateProfile.lifetime(&lifetime)
        try lifetime.end()
        try validity.end()

        let subject = try CertificateProfile.subject(&fields)

        var alternative = try fields.mapping("subjectAlternativeName")
        let uri = try alternative.choice("uri", of: SubjectAlternativeName.URI.self)
        let isCritical = try alternative.boolean("critical")
        try alternative.end()

        var constraints = try fields.mapping("basicConstraints")
        let isAuthority = try constraints.boolean("ca")
        let pathLength = isAuthority ? try constraints.optionalNumber("pathLength") : nil
        try constraints.end()

        let keyUsage = try fields.choices("keyUsage", of: KeyUsage.self)
        let extendedKeyUsage = try fields.choices("extendedKeyUsage", of: ExtendedKeyUsage.self)

        var names: NameConstraints?
        if var constraints = try fields.optionalMapping("nameConstraints") {
            names = NameConstraints(
                excludedDNSNames: try constraints.texts("excludedDNS"),
                excludedAddresses: try constraints.choices("excludedIP", of: NameConstraints.Addresses.self))
            try constraints.end()
        }
        let hasAuthorityKeyIdentifier = try fields.boolean("authorityKeyIdentifier")
        try fields.end()
        do {
            try self.init(
                kind: kind, keys: keys, validity: Validity(backdate: backdate, lifetime: rule), subject: subject,
                subjectAlternativeName: SubjectAlternativeName(uri: uri, isCritical: isCritical),
                basicConstraints: isAuthority ? .authority(pathLength: pathLength) : .endEntity,
                keyUsage: Set(keyUsage), extendedKeyUsage: extendedKeyUsage, nameConstraints: names,
                hasAuthorityKeyIdentifier: hasAuthorityKeyIdentifier)
        } catch {
            throw fields.error("", at: nil, error.description)
        }
    }

    private static func document(_ text: String, file: String) throws(ProfileError) -> Node {
        let node: Node?
        do {
            node = try Parser(yaml: text).singleRoot()
        } catch {
            throw ProfileError(file: file, line: 1, field: "", problem: "is not YAML: \(error)")
        }
        guard let node else { throw ProfileError(file: file, line: 1, field: "", problem: "is empty") }
        return node
    }

    private static func lifetime(_ fields: inout ProfileFields) throws(ProfileError) -> Lifetime {
        if let factor = try fields.optionalNumber("leaves") {
            guard factor >= 2 else { throw fields.error("leaves", at: nil, "must be at least 2: a leaf ends before its issuer") }
            return .leaves(Int(factor), atLeast: try fields.duration("atLeast"))
        }
        if fields.optional("untilLastLeaf")?.scalar?.string == "true" { return .untilLastLeaf }
        guard fields.optional("configured")?.scalar?.string == "true" else {
            throw fields.error("", at: nil, "must have leaves, or 'untilLastLeaf: true', or 'configured: true'")
        }
        return .configured(otherwise: try fields.duration("otherwise"))
    }

    private static func subject(_ fields: inout ProfileFields) throws(ProfileError) -> Subject {
        let node = try fields.required("subject")
        switch node.scalar?.string {
        case "as-new-root": return .asNewRoot
        case "empty": return .empty
        case .some: throw fields.error("subject", at: node, "must be empty, as-new-root, or a mapping")
        case nil: break
        }
        var name = try fields.nested(node, "subject")
        let commonName = try name.text("commonName")
        guard commonName.contains("{id}") else {
            throw name.error("commonName", at: nil, "must contain {id}, so that no two certificates have one name")
        }
        let organization = name.has("organization") ? try name.text("organization") : nil
        try name.end()
        return .name(organization: organization, commonName: commonName)
    }
}
