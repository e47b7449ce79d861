internal import PKI
import X509

/// What X509-SVID demands of the leaf alone, before any issuer is looked for.
enum LeafRules {
    /// The SPIFFE ID of the one URI name (X509-SVID §2). Other types of names may stand beside it and do not count.
    ///
    /// A CA is refused first, since its own URI name has no path and would be refused for that.
    static func identity(of leaf: ParsedCertificate) throws(ChainRefusal) -> SPIFFEID {
        guard !leaf.extensions.isCA else { throw .leafIsCA }
        let uris = leaf.extensions.uris
        guard uris.count == 1 else { throw .notOneURI(count: uris.count) }
        do {
            return try SPIFFEID(uris[0])
        } catch {
            throw .notSPIFFEID(error)
        }
    }

    /// Key usage (X509-SVID §4.3), extended key usage (§4.4), critical extensions, the key's kind and the validity.
    static func check(_ leaf: ParsedCertificate, at now: Timestamp) throws(ChainRefusal) {
        if let unknown = leaf.extensions.unknownCritical {
            throw .unknownCriticalExtension(oid: unknown.dotted)
        }
        guard let usage = leaf.extensions.keyUsage, leaf.extensions.keyUsageIsCritical, usage.digitalSignature,
            !usage.keyCertSign, !usage.cRLSign
        else { throw .leafKeyUsage }
        if let purposes = leaf.extensions.extendedKeyUsage {
            guard purposes.contains(.serverAuth), purposes.contains(.clientAuth) else { throw .leafExtendedKeyUsage }
        }
        // Loaded, and not only looked at: a point that is on no curve is of the right form too.
        guard leaf.key.verificationKey() != nil else { throw .weakAlgorithm(subject: leaf.displayName) }
        try ValidityRule.check(leaf, at: now)
    }
}
