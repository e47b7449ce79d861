import PKI

/// Validity, basic constraints, path length, key usage and extended key usage.
extension LimboCase {
    static let validity: [LimboCase] = [
        .hierarchy("validity-leaf-not-yet", "RFC 5280 §4.1.2.5", .refused("not-yet-valid")) {
            $0.leaf.notBefore = Forge.now + .seconds(1)
        },
        .hierarchy("validity-leaf-ended", "RFC 5280 §4.1.2.5", .refused("expired")) {
            $0.leaf.notAfter = Forge.now - .seconds(1)
        },
        .hierarchy("validity-leaf-first-second", "RFC 5280 §4.1.2.5", .accepted) { $0.leaf.notBefore = Forge.now },
        .hierarchy("validity-leaf-last-second", "RFC 5280 §4.1.2.5", .accepted) { $0.leaf.notAfter = Forge.now },
        .hierarchy("validity-ends-before-it-begins", "RFC 5280 §4.1.2.5", .refused("expired")) {
            $0.leaf.notBefore = Forge.now - .seconds(10)
            $0.leaf.notAfter = Forge.now - .seconds(20)
        },
        .hierarchy("validity-issuing-not-yet", "RFC 5280 §6.1.3 (a)", .refused("not-yet-valid")) {
            $0.issuing.notBefore = Forge.now + .seconds(1)
        },
        .hierarchy("validity-issuing-ended", "RFC 5280 §6.1.3 (a)", .refused("expired")) {
            $0.issuing.notAfter = Forge.now - .seconds(1)
        },
        .hierarchy("validity-middle-ended", "RFC 5280 §6.1.3 (a)", .refused("expired")) {
            $0.middles = [.root("middle")]
            $0.middles[0].notAfter = Forge.now - .seconds(1)
        },
        .hierarchy("validity-root-ended", "RFC 5280 §6.1.3 (a)", .refused("expired")) {
            $0.root.notAfter = Forge.now - .seconds(1)
        },
        .hierarchy("validity-leaf-outlives-issuer", "RFC 5280 §6.1.3 (a)", .accepted) {
            $0.issuing.notAfter = Forge.now + .seconds(60)
        },
        .hierarchy("validity-four-digit-year-before-2050", "RFC 5280 §4.1.2.5", .accepted) {
            $0.leaf.validity =
                RawDER.generalizedTime(RawDER.text($0.leaf.notBefore, "yyyyMMddHHmmss'Z'")) + RawDER.time($0.leaf.notAfter)
        },
        .hierarchy("validity-without-end", "RFC 5280 §4.1.2.5", .accepted) {
            $0.leaf.validity = RawDER.time($0.leaf.notBefore) + RawDER.generalizedTime("99991231235959Z")
        },
        .hierarchy("validity-without-seconds", "RFC 5280 §4.1.2.5.1", .refused("undecodable")) {
            $0.leaf.validity = RawDER.utcTime("2611200000Z") + RawDER.time($0.leaf.notAfter)
        },
        .hierarchy("validity-with-offset", "RFC 5280 §4.1.2.5.1", .refused("undecodable")) {
            $0.leaf.validity = RawDER.utcTime("261120000000+0000") + RawDER.time($0.leaf.notAfter)
        },
        .hierarchy("validity-with-fraction", "RFC 5280 §4.1.2.5.2", .refused("undecodable")) {
            $0.leaf.validity = RawDER.time($0.leaf.notBefore) + RawDER.generalizedTime("20510101000000.5Z")
        },
        .hierarchy("validity-on-no-day", "RFC 5280 §4.1.2.5.1", .refused("undecodable")) {
            $0.leaf.validity = RawDER.utcTime("260230000000Z") + RawDER.time($0.leaf.notAfter)
        },
    ]

    static let pathLength: [LimboCase] = [
        .hierarchy("path-length-just-enough", "RFC 5280 §4.2.1.9", .accepted) {
            $0.root.set(.authority(pathLength: 2))
            $0.middles = [.root("middle")]
            $0.middles[0].set(.authority(pathLength: 1))
        },
        .hierarchy("path-length-zero-above-a-ca", "RFC 5280 §4.2.1.9", .refused("path-length")) {
            $0.middles = [.root("middle")]
            $0.middles[0].set(.authority(pathLength: 0))
        },
        .hierarchy("path-length-exceeded-two-levels-below", "RFC 5280 §4.2.1.9", .refused("path-length")) {
            $0.middles = [.root("upper"), .root("lower")]
            $0.middles[0].set(.authority(pathLength: 1))
        },
        .hierarchy("path-length-not-widened-below", "RFC 5280 §6.1.4 (m)", .refused("path-length")) {
            $0.middles = [.root("upper"), .root("lower")]
            $0.middles[0].set(.authority(pathLength: 1))
            $0.middles[1].set(.authority(pathLength: 9))
        },
        .hierarchy("path-length-of-the-root", "RFC 5280 §4.2.1.9", .refused("path-length")) {
            $0.root.set(.authority(pathLength: 0))
        },
        .hierarchy("path-length-self-issued-not-counted", "RFC 5280 §4.2.1.9", .accepted) {
            $0.root.set(.authority(pathLength: 1))
            $0.middles = [.root("root")]
        },
        .hierarchy("path-length-self-issued-still-bound", "RFC 5280 §4.2.1.9", .refused("path-length")) {
            $0.root.set(.authority(pathLength: 0))
            $0.middles = [.root("root")]
        },
        .hierarchy("path-length-negative", "RFC 5280 §4.2.1.9", .refused("undecodable")) {
            $0.issuing.set(.basicConstraints(RawDER.boolean(0xFF), RawDER.integer([0xFF])))
        },
        .hierarchy("path-length-of-nine-octets", "RFC 5280 §4.2.1.9", .refused("undecodable")) {
            $0.issuing.set(.basicConstraints(RawDER.boolean(0xFF), RawDER.integer([1, 0, 0, 0, 0, 0, 0, 0, 0])))
        },
        .hierarchy("path-length-of-a-leaf", "RFC 5280 §4.2.1.9", .refused("undecodable")) {
            $0.leaf.set(.basicConstraints(RawDER.integer(0)))
        },
    ]

    static let basicConstraints: [LimboCase] = [
        .hierarchy("basic-constraints-missing", "RFC 5280 §6.1.4 (k)", .refused("issuer-not-ca")) {
            $0.issuing.remove(LimboExtension.basicConstraintsIdentifier)
        },
        .hierarchy("basic-constraints-not-ca", "RFC 5280 §6.1.4 (k)", .refused("issuer-not-ca")) { $0.issuing.set(.endEntity) },
        .hierarchy("basic-constraints-missing-in-the-middle", "RFC 5280 §6.1.4 (k)", .refused("issuer-not-ca")) {
            $0.middles = [.root("middle")]
            $0.middles[0].remove(LimboExtension.basicConstraintsIdentifier)
        },
        .hierarchy("basic-constraints-missing-in-the-root", "RFC 5280 §4.2.1.9", .refused("issuer-not-ca")) {
            $0.root.remove(LimboExtension.basicConstraintsIdentifier)
        },
        .hierarchy("basic-constraints-not-critical", "RFC 5280 §4.2.1.9", .accepted) {
            $0.issuing.set(.authority(pathLength: 0).critical(false))
        },
        .hierarchy("basic-constraints-of-the-leaf-a-ca", "X509-SVID §5.2", .refused("leaf-is-ca")) {
            $0.leaf.set(.authority())
        },
        .hierarchy("basic-constraints-of-the-leaf-missing", "RFC 5280 §4.2.1.9", .accepted) {
            $0.leaf.remove(LimboExtension.basicConstraintsIdentifier)
        },
        .hierarchy("basic-constraints-false-written-out", "X.690 §11.5", .refused("undecodable")) {
            $0.leaf.set(.basicConstraints(RawDER.boolean(0)))
        },
        .hierarchy("basic-constraints-true-as-one", "X.690 §11.1", .refused("undecodable")) {
            $0.issuing.set(.basicConstraints(RawDER.boolean(1), RawDER.integer(0)))
        },
        .hierarchy("basic-constraints-with-junk-behind", "X.690 §8.1", .refused("undecodable")) {
            $0.issuing.set(LimboExtension("2.5.29.19", critical: true, LimboExtension.authority(pathLength: 0).value + [0]))
        },
    ]

    static let keyUsage: [LimboCase] = [
        .hierarchy("key-usage-issuing-cannot-sign", "RFC 5280 §6.1.4 (n)", .refused("issuer-key-usage")) {
            $0.issuing.set(.keyUsage(.cRLSign))
        },
        .hierarchy("key-usage-issuing-missing", "RFC 5280 §4.2.1.3", .refused("issuer-key-usage")) {
            $0.issuing.remove(LimboExtension.keyUsageIdentifier)
        },
        .hierarchy("key-usage-middle-cannot-sign", "RFC 5280 §6.1.4 (n)", .refused("issuer-key-usage")) {
            $0.middles = [.root("middle")]
            $0.middles[0].set(.keyUsage(.digitalSignature))
        },
        .hierarchy("key-usage-root-cannot-sign", "RFC 5280 §6.1.4 (n)", .refused("issuer-key-usage")) {
            $0.root.set(.keyUsage(.cRLSign))
        },
        .hierarchy("key-usage-root-missing", "RFC 5280 §6.1.4 (n)", .accepted) {
            $0.root.remove(LimboExtension.keyUsageIdentifier)
        },
        .hierarchy("key-usage-leaf-missing", "X509-SVID §4.3", .refused("leaf-key-usage")) {
            $0.leaf.remove(LimboExtension.keyUsageIdentifier)
        },
        .hierarchy("key-usage-leaf-not-critical", "X509-SVID §4.3", .refused("leaf-key-usage")) {
            $0.leaf.set(.keyUsage(.digitalSignature).critical(false))
        },
        .hierarchy("key-usage-leaf-enciphers-alone", "X509-SVID §4.3", .refused("leaf-key-usage")) {
            $0.leaf.set(.keyUsage(.keyEncipherment))
        },
        .hierarchy("key-usage-leaf-enciphers-too", "X509-SVID §4.3", .accepted) {
            $0.leaf.set(.keyUsage(.digitalSignature, .keyEncipherment))
        },
        .hierarchy("key-usage-leaf-signs-certificates", "X509-SVID §4.3", .refused("leaf-key-usage")) {
            $0.leaf.set(.keyUsage(.digitalSignature, .keyCertSign))
        },
        .hierarchy("key-usage-leaf-signs-revocations", "X509-SVID §4.3", .refused("leaf-key-usage")) {
            $0.leaf.set(.keyUsage(.digitalSignature, .cRLSign))
        },
        .hierarchy("key-usage-leaf-empty", "RFC 5280 §4.2.1.3", .refused("leaf-key-usage")) {
            $0.leaf.set(.keyUsage(RawDER.bits([])))
        },
        .hierarchy("key-usage-with-trailing-zero-bits", "X.690 §11.2.2", .refused("undecodable")) {
            $0.leaf.set(.keyUsage(RawDER.bits([0x80])))
        },
        .hierarchy("key-usage-with-padding-that-is-set", "X.690 §11.2.1", .refused("undecodable")) {
            $0.leaf.set(.keyUsage(RawDER.bits([0x81], unused: 7)))
        },
    ]

    static let extendedKeyUsage: [LimboCase] = [
        .hierarchy("purposes-of-the-leaf-missing", "RFC 5280 §4.2.1.12", .accepted) {
            $0.leaf.remove(LimboExtension.extendedKeyUsageIdentifier)
        },
        .hierarchy("purposes-of-the-leaf-client-alone", "X509-SVID §4.4", .refused("leaf-extended-key-usage")) {
            $0.leaf.set(.purposes(.clientAuth))
        },
        .hierarchy("purposes-of-the-leaf-server-alone", "X509-SVID §4.4", .refused("leaf-extended-key-usage")) {
            $0.leaf.set(.purposes(.serverAuth))
        },
        .hierarchy("purposes-of-the-leaf-code-signing", "RFC 5280 §4.2.1.12", .refused("leaf-extended-key-usage")) {
            $0.leaf.set(.purposes(.codeSigning))
        },
        .hierarchy("purposes-of-the-leaf-any", "X509-SVID §4.4", .refused("leaf-extended-key-usage")) {
            $0.leaf.set(.purposes(.any))
        },
        .hierarchy("purposes-of-the-leaf-and-more", "RFC 5280 §4.2.1.12", .accepted) {
            $0.leaf.set(.purposes(.codeSigning, .clientAuth, .serverAuth))
        },
        .hierarchy("purposes-of-the-leaf-critical", "RFC 5280 §4.2.1.12", .accepted) {
            $0.leaf.set(.purposes(.serverAuth, .clientAuth).critical(true))
        },
        .hierarchy("purposes-of-the-leaf-none", "RFC 5280 §4.2.1.12", .refused("leaf-extended-key-usage")) {
            $0.leaf.set(.purposes())
        },
        .hierarchy("purposes-of-the-issuing-code-signing", "RFC 5280 §4.2.1.12", .refused("issuer-extended-key-usage")) {
            $0.issuing.set(.purposes(.codeSigning))
        },
        .hierarchy("purposes-of-the-issuing-server-alone", "RFC 5280 §4.2.1.12", .refused("issuer-extended-key-usage")) {
            $0.issuing.set(.purposes(.serverAuth))
        },
        .hierarchy("purposes-of-the-issuing-both", "RFC 5280 §4.2.1.12", .accepted) {
            $0.issuing.set(.purposes(.serverAuth, .clientAuth))
        },
        .hierarchy("purposes-of-the-issuing-any", "RFC 5280 §4.2.1.12", .accepted) { $0.issuing.set(.purposes(.any)) },
        .hierarchy("purposes-of-the-root-client-alone", "RFC 5280 §4.2.1.12", .refused("issuer-extended-key-usage")) {
            $0.root.set(.purposes(.clientAuth))
        },
    ]
}
