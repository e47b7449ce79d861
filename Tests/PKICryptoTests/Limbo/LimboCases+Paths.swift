import PKI

/// Which path is found, and through whom.
extension LimboCase {
    static let paths: [LimboCase] = [
        LimboCase("path-circle", "RFC 4158 §2.4.1", .refused("untrusted-root")) {
            let first = LimboCertificate.root("first")
            let second = LimboCertificate.root("second")
            let chain = [
                try LimboCertificate.leaf().signed(by: first), try first.signed(by: second), try second.signed(by: first),
            ]
            return Scenario(chain: chain, roots: [try LimboCertificate.root().selfSigned()])
        },
        LimboCase("path-circle-with-a-way-out", "RFC 4158 §2.4.1", .accepted) {
            let root = LimboCertificate.root()
            let first = LimboCertificate.root("first")
            let second = LimboCertificate.root("second")
            let chain = [
                try LimboCertificate.leaf().signed(by: first), try first.signed(by: second), try second.signed(by: first),
                try second.signed(by: root),
            ]
            return Scenario(chain: chain, roots: [try root.selfSigned()])
        },
        .hierarchy("path-of-ten-certificates", "RFC 5280 §6.1", .accepted) { hierarchy in
            hierarchy.middles = (1...8).map { .root("middle \($0)") }
        },
        .hierarchy("path-of-eleven-certificates", "ours", .refused("chain-too-long")) { hierarchy in
            hierarchy.middles = (1...9).map { .root("middle \($0)") }
        },
        LimboCase("path-past-eight-namesakes-of-the-issuer", "RFC 4158 §3.5", .accepted) {
            let hierarchy = LimboHierarchy()
            let namesakes = try (0..<8).map { _ in try LimboCertificate.issuing().signed(by: .root("elsewhere")) }
            let chain = try hierarchy.chain()
            return Scenario(chain: [chain[0]] + namesakes + [chain[1]], roots: [try hierarchy.root.selfSigned()])
        },
        LimboCase("path-in-a-maze", "RFC 4158 §2.4.1", .refused("too-many-signatures")) {
            // Three keys under one name, each certified by all three, and no way out.
            let keys = (0..<3).map { _ in LimboCertificate.root("maze") }
            let certificates = try keys.flatMap { subject in
                try keys.map { signer in
                    var variant = subject
                    variant.serial[1] = UInt8.random(in: .min ... .max)
                    variant.hasAuthorityKeyIdentifier = false
                    return try variant.signed(by: signer)
                }
            }
            let leaf = try LimboCertificate.leaf().signed(by: keys[0])
            return Scenario(chain: [leaf] + certificates, roots: [try LimboCertificate.root().selfSigned()])
        },
        LimboCase("path-to-the-last-of-thirty-namesake-roots", "RFC 4158 §3.5", .accepted) {
            let hierarchy = LimboHierarchy()
            let namesakes = try (0..<29).map { _ in try LimboCertificate.root().selfSigned() }
            return Scenario(chain: try hierarchy.chain(), roots: namesakes + [try hierarchy.root.selfSigned()])
        },
        LimboCase("path-to-the-last-of-forty-namesake-roots", "ours", .refused("too-many-signatures")) {
            let hierarchy = LimboHierarchy()
            let namesakes = try (0..<39).map { _ in try LimboCertificate.root().selfSigned() }
            return Scenario(chain: try hierarchy.chain(), roots: namesakes + [try hierarchy.root.selfSigned()])
        },
        LimboCase("path-with-one-key-under-two-names", "RFC 5280 §6.1", .accepted) {
            let hierarchy = LimboHierarchy()
            var alias = hierarchy.issuing
            alias.name = RawDER.name("alias")
            let chain = try hierarchy.chain()
            return Scenario(
                chain: [chain[0], try alias.signed(by: hierarchy.root), chain[1]], roots: [try hierarchy.root.selfSigned()])
        },
        LimboCase("path-through-the-other-name-of-the-key", "RFC 5280 §6.1.3 (a)", .refused("untrusted-root")) {
            let hierarchy = LimboHierarchy()
            var alias = hierarchy.issuing
            alias.name = RawDER.name("alias")
            return Scenario(
                chain: [try hierarchy.chain()[0], try alias.signed(by: hierarchy.root)],
                roots: [try hierarchy.root.selfSigned()])
        },
        LimboCase("path-past-the-expired-of-two-issuing-certificates", "RFC 4158 §3.5", .accepted) {
            let hierarchy = LimboHierarchy()
            var expired = hierarchy.issuing
            expired.notAfter = Forge.now - .seconds(1)
            let chain = try hierarchy.chain()
            return Scenario(
                chain: [chain[0], try expired.signed(by: hierarchy.root), chain[1]], roots: [try hierarchy.root.selfSigned()])
        },
        crossSigned("path-through-a-cross-certificate", .accepted, trustsNew: false) { _ in },
        crossSigned("path-past-an-expired-cross-certificate", .accepted, trustsNew: true) {
            $0.notAfter = Forge.now - .seconds(1)
        },
        crossSigned("path-past-a-cross-certificate-without-room", .accepted, trustsNew: true) {
            $0.set(.authority(pathLength: 0))
        },
        crossSigned("path-past-a-cross-certificate-with-a-critical-extension", .accepted, trustsNew: true) {
            $0.set(.unknown(critical: true))
        },
        crossSigned("path-through-an-expired-cross-certificate", .refused("expired"), trustsNew: false) {
            $0.notAfter = Forge.now - .seconds(1)
        },
        crossSigned("path-through-a-cross-certificate-without-room", .refused("path-length"), trustsNew: false) {
            $0.set(.authority(pathLength: 0))
        },
        crossSigned("path-through-a-cross-certificate-for-others", .refused("name-constraint"), trustsNew: false) {
            $0.set(.nameConstraints(permitted: [.uri("orders")]))
        },
        LimboCase("path-past-an-expired-root-to-its-renewal", "RFC 5280 §6.1", .accepted) {
            let hierarchy = LimboHierarchy()
            var expired = hierarchy.root
            expired.notAfter = Forge.now - .seconds(1)
            return Scenario(chain: try hierarchy.chain(), roots: [try expired.selfSigned(), try hierarchy.root.selfSigned()])
        },
        .chain("path-beside-unrelated-roots", "RFC 5280 §6.1", .accepted) {
            $0.roots = try ["other 1", "other 2"].map { try LimboCertificate.root($0).selfSigned() } + $0.roots
        },
        .chain("path-to-an-unrelated-root", "RFC 5280 §6.1", .refused("untrusted-root")) {
            $0.roots = [try LimboCertificate.root("other").selfSigned()]
        },
        .chain("path-to-a-namesake-of-the-root", "RFC 5280 §6.1.3 (a)", .refused("signature")) {
            $0.roots = [try LimboCertificate.root().selfSigned()]
        },
        .chain("path-with-certificates-that-lead-nowhere", "RFC 4158 §2.4", .accepted) {
            $0.chain += try (0..<8).map { try LimboCertificate.root("junk \($0)").selfSigned() }
        },
        .chain("path-with-the-root-sent-along", "RFC 8446 §4.4.2", .accepted) { $0.chain.append($0.roots[0]) },
        .chain("path-to-a-root-that-only-the-peer-sent", "RFC 5280 §6.1", .refused("untrusted-root")) {
            $0.chain.append($0.roots[0])
            $0.roots = [try LimboCertificate.root("other").selfSigned()]
        },
        .chain("path-without-the-issuing-certificate", "RFC 5280 §6.1", .refused("untrusted-root")) { $0.chain.removeLast() },
        .chain("path-with-the-certificates-turned-round", "X509-SVID §5", .refused("leaf-is-ca")) { $0.chain.reverse() },
        LimboCase("path-of-the-leaf-alone", "RFC 5280 §6.1", .accepted) {
            let root = LimboCertificate.root()
            return Scenario(chain: [try LimboCertificate.leaf().signed(by: root)], roots: [try root.selfSigned()])
        },
        LimboCase("path-of-a-self-signed-leaf", "RFC 5280 §6.1", .refused("untrusted-root")) {
            var leaf = LimboCertificate.leaf()
            leaf.name = RawDER.name("api")
            return Scenario(chain: [try leaf.selfSigned()], roots: [try LimboCertificate.root().selfSigned()])
        },
        LimboCase("path-of-a-self-signed-leaf-that-is-trusted", "X509-SVID §5.1", .refused("issuer-not-ca")) {
            var leaf = LimboCertificate.leaf()
            leaf.name = RawDER.name("api")
            let certificate = try leaf.selfSigned()
            return Scenario(chain: [certificate], roots: [certificate])
        },
        LimboCase("path-of-a-leaf-below-a-leaf", "RFC 5280 §6.1.4 (k)", .refused("issuer-not-ca")) {
            var hierarchy = LimboHierarchy()
            var signer = LimboCertificate.leaf()
            signer.name = RawDER.name("api")
            hierarchy.issuing.set(.authority())
            hierarchy.middles = [hierarchy.issuing]
            hierarchy.issuing = signer
            return try hierarchy.scenario()
        },
        LimboCase("path-to-an-issuing-certificate-as-the-root", "RFC 5280 §6.1.1 (d)", .accepted) {
            let hierarchy = LimboHierarchy()
            let chain = try hierarchy.chain()
            return Scenario(chain: [chain[0]], roots: [chain[1]])
        },
    ]

    /// A hierarchy of a new root, which an old one certified too; `change` is of that cross certificate.
    private static func crossSigned(
        _ id: String, _ expected: Verdict, trustsNew: Bool, _ change: @escaping @Sendable (inout LimboCertificate) -> Void
    ) -> LimboCase {
        LimboCase(id, "RFC 4158 §2.4", expected) {
            let old = LimboCertificate.root("old")
            var hierarchy = LimboHierarchy()
            hierarchy.root = .root("new")
            var cross = hierarchy.root
            change(&cross)
            var scenario = try hierarchy.scenario()
            scenario.chain.append(try cross.signed(by: old))
            scenario.roots = [try old.selfSigned()] + (trustsNew ? scenario.roots : [])
            return scenario
        }
    }

    /// Names and key identifiers that do or do not lead from a certificate to the one that signed it.
    static let issuers: [LimboCase] = [
        .hierarchy("issuer-key-identifier-of-the-leaf-wrong", "RFC 5280 §4.2.1.1", .accepted) {
            $0.leaf.set(.authorityKey([UInt8](repeating: 7, count: 20)))
        },
        .hierarchy("issuer-key-identifier-of-the-leaf-missing", "RFC 5280 §4.2.1.1", .accepted) {
            $0.leaf.hasAuthorityKeyIdentifier = false
        },
        .hierarchy("issuer-key-identifier-of-the-issuing-missing", "RFC 5280 §4.2.1.1", .accepted) {
            $0.issuing.hasAuthorityKeyIdentifier = false
        },
        .hierarchy("issuer-own-key-identifier-missing", "RFC 5280 §4.2.1.2", .accepted) {
            $0.issuing.hasSubjectKeyIdentifier = false
        },
        .hierarchy("issuer-own-key-identifier-wrong", "RFC 5280 §4.2.1.2", .accepted) {
            $0.issuing.set(.subjectKey([UInt8](repeating: 7, count: 20)))
        },
        .hierarchy("issuer-key-identifier-empty", "RFC 5280 §4.2.1.1", .accepted) {
            $0.leaf.set(LimboExtension(LimboExtension.authorityKeyIdentifier, RawDER.sequence()))
        },
        .hierarchy("issuer-serial-number-of-the-key-identifier-wrong", "RFC 5280 §4.2.1.1", .accepted) {
            let name = RawDER.element(0xA1, LimboName.directory($0.root.name).der)
            let value = RawDER.sequence(RawDER.element(0x80, $0.issuing.key.identifier), name, RawDER.element(0x82, [0x01]))
            $0.leaf.set(LimboExtension(LimboExtension.authorityKeyIdentifier, value))
        },
        .hierarchy("issuer-name-of-another", "RFC 5280 §6.1.3 (a)", .refused("untrusted-root")) {
            $0.leaf.issuer = RawDER.name("another")
        },
        .hierarchy("issuer-name-empty", "RFC 5280 §4.1.2.4", .refused("untrusted-root")) { $0.leaf.issuer = RawDER.sequence() },
        .hierarchy("issuer-name-in-another-case", "RFC 5280 §7.1", .refused("untrusted-root")) {
            $0.leaf.issuer = RawDER.name("ISSUING")
        },
        .hierarchy("issuer-name-in-another-string-type", "RFC 5280 §7.1", .refused("untrusted-root")) {
            $0.leaf.issuer = RawDER.name("issuing", value: RawDER.printable)
        },
        .hierarchy("issuer-without-a-name", "RFC 5280 §4.1.2.6", .refused("untrusted-root")) {
            $0.issuing.name = RawDER.sequence()
            $0.issuing.set(.names(.uri("spiffe://payments")))
        },
    ]
}
