/// Names, name constraints and critical extensions.
extension LimboCase {
    static let names: [LimboCase] =
        [
            .hierarchy("name-none", "X509-SVID §2", .refused("not-one-uri")) {
                $0.leaf.name = RawDER.name("api")
                $0.leaf.remove(LimboExtension.subjectAltNameIdentifier)
            },
            .hierarchy("name-empty-list", "RFC 5280 §4.2.1.6", .refused("not-one-uri")) { $0.leaf.set(.names()) },
            .hierarchy("name-dns-alone", "X509-SVID §2", .refused("not-one-uri")) { $0.leaf.set(.names(.dns("payments"))) },
            .hierarchy("name-two-uris", "X509-SVID §2", .refused("not-one-uri")) {
                $0.leaf.set(.names(.uri("spiffe://payments/api"), .uri("spiffe://payments/web")))
            },
            .hierarchy("name-the-same-uri-twice", "X509-SVID §2", .refused("not-one-uri")) {
                $0.leaf.set(.names(.uri("spiffe://payments/api"), .uri("spiffe://payments/api")))
            },
            .hierarchy("name-dns-and-uri", "X509-SVID §2", .accepted) {
                $0.leaf.set(.names(.dns("api.example.org"), .uri("spiffe://payments/api")))
            },
            .hierarchy("name-email-and-uri", "X509-SVID §2", .accepted) {
                $0.leaf.set(.names(.uri("spiffe://payments/api"), .email("api@example.org")))
            },
            .hierarchy("name-subject-too", "RFC 5280 §4.1.2.6", .accepted) {
                $0.leaf.name = RawDER.name("api")
                $0.leaf.set(.names(.uri("spiffe://payments/api")).critical(false))
            },
            .hierarchy("name-subject-and-critical-names", "RFC 5280 §4.2.1.6", .accepted) { $0.leaf.name = RawDER.name("api") },
            .hierarchy("name-not-critical-without-subject", "RFC 5280 §4.2.1.6", .accepted) {
                $0.leaf.set(.names(.uri("spiffe://payments/api")).critical(false))
            },
            .hierarchy("name-other-trust-domain", "X509-SVID §5", .refused("unknown-trust-domain")) {
                $0.leaf = .leaf(.uri("spiffe://orders/api"))
            },
            .hierarchy("name-other-trust-domain-under-the-same-root", "X509-SVID §5", .refused("unknown-trust-domain")) {
                $0.issuing.remove(LimboExtension.subjectAltNameIdentifier)
                $0.leaf = .leaf(.uri("spiffe://payments.example.org/api"))
            },
            .hierarchy("name-octets-beyond-ascii", "RFC 5280 §4.2.1.6", .refused("undecodable")) {
                $0.leaf.set(.names(.uriOctets(Array("spiffe://payments/api\u{E9}".utf8))))
            },
            .hierarchy("name-invalid-utf-8", "RFC 5280 §4.2.1.6", .refused("undecodable")) {
                $0.leaf.set(.names(.uriOctets(Array("spiffe://payments/api".utf8) + [0xFF])))
            },
        ]
        + ([
            ("empty", ""), ("scheme-of-another-kind", "https://payments/api"), ("scheme-in-upper-case", "SPIFFE://payments/api"),
            ("trust-domain-in-upper-case", "spiffe://Payments/api"), ("trust-domain-empty", "spiffe:///api"),
            ("port", "spiffe://payments:8443/api"), ("userinfo", "spiffe://root@payments/api"),
            ("query", "spiffe://payments/api?admin"), ("fragment", "spiffe://payments/api#admin"),
            ("percent", "spiffe://payments/%61pi"), ("percent-in-the-trust-domain", "spiffe://p%61yments/api"),
            ("without-path", "spiffe://payments"), ("path-of-a-slash", "spiffe://payments/"),
            ("trailing-slash", "spiffe://payments/api/"), ("empty-segment", "spiffe://payments//api"),
            ("dot-segment", "spiffe://payments/./api"), ("dot-dot-segment", "spiffe://payments/x/../api"),
            ("nul", "spiffe://payments/api\0"), ("space", "spiffe://payments/a pi"), ("line-feed", "spiffe://payments/api\n"),
            ("trailing-dot-of-the-trust-domain", "spiffe://payments./api"), ("address-as-trust-domain", "spiffe://10.0.0.1/api"),
            ("2049-octets", "spiffe://payments/" + String(repeating: "a", count: 2031)),
        ] as [(String, String)]).map { name, uri in
            .hierarchy("name-\(name)", "SPIFFE-ID §2", .refused("not-spiffe-id")) { $0.leaf = .leaf(.uri(uri)) }
        }
        + [
            .hierarchy("name-2048-octets", "SPIFFE-ID §2.4", .accepted) {
                $0.leaf = .leaf(.uri("spiffe://payments/" + String(repeating: "a", count: 2030)))
            }
        ]

    static let criticalExtensions: [LimboCase] = [
        .hierarchy("critical-unknown-in-the-leaf", "RFC 5280 §4.2", .refused("unknown-critical-extension")) {
            $0.leaf.set(.unknown(critical: true))
        },
        .hierarchy("critical-unknown-in-the-issuing", "RFC 5280 §4.2", .refused("unknown-critical-extension")) {
            $0.issuing.set(.unknown(critical: true))
        },
        .hierarchy("critical-unknown-in-the-root", "RFC 5280 §4.2", .refused("unknown-critical-extension")) {
            $0.root.set(.unknown(critical: true))
        },
        .hierarchy("unknown-not-critical", "RFC 5280 §4.2", .accepted) { $0.leaf.set(.unknown(critical: false)) },
        .hierarchy("critical-policies", "RFC 5280 §4.2.1.4", .refused("unknown-critical-extension")) {
            let policies = RawDER.sequence(RawDER.sequence(RawDER.identifier("1.3.6.1.4.1.99999.7")))
            $0.leaf.set(LimboExtension("2.5.29.32", critical: true, policies))
        },
        .hierarchy("critical-policy-constraints", "RFC 5280 §4.2.1.11", .refused("unknown-critical-extension")) {
            $0.issuing.set(LimboExtension("2.5.29.36", critical: true, RawDER.sequence(RawDER.element(0x80, [0]))))
        },
        .hierarchy("critical-inhibit-any-policy", "RFC 5280 §4.2.1.14", .refused("unknown-critical-extension")) {
            $0.issuing.set(LimboExtension("2.5.29.54", critical: true, RawDER.integer(0)))
        },
        .hierarchy("critical-subject-key-identifier", "RFC 5280 §4.2.1.2", .refused("unknown-critical-extension")) {
            $0.leaf.set(.subjectKey($0.leaf.key.identifier).critical(true))
        },
        .hierarchy("critical-authority-key-identifier", "RFC 5280 §4.2.1.1", .refused("unknown-critical-extension")) {
            $0.leaf.set(.authorityKey($0.issuing.key.identifier).critical(true))
        },
        .hierarchy("twice-an-unknown-extension", "RFC 5280 §4.2", .refused("undecodable")) {
            $0.leaf.extensions += [.unknown(critical: false), .unknown(critical: false)]
        },
        .hierarchy("twice-the-names", "RFC 5280 §4.2", .refused("undecodable")) {
            $0.leaf.extensions.append(.names(.uri("spiffe://payments/web")))
        },
        .hierarchy("twice-basic-constraints", "RFC 5280 §4.2", .refused("undecodable")) {
            $0.issuing.extensions.append(.endEntity)
        },
    ]

    static let nameConstraints: [LimboCase] = [
        .hierarchy("constraint-permits-the-host", "RFC 5280 §4.2.1.10", .accepted) {
            $0.issuing.set(.nameConstraints(permitted: [.uri("payments")]))
        },
        .hierarchy("constraint-permits-another-host", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(permitted: [.uri("orders")]))
        },
        .hierarchy("constraint-excludes-the-host", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(excluded: [.uri("payments")]))
        },
        .hierarchy("constraint-excludes-another-host", "RFC 5280 §4.2.1.10", .accepted) {
            $0.issuing.set(.nameConstraints(excluded: [.uri("orders")]))
        },
        .hierarchy("constraint-permits-and-excludes", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(permitted: [.uri("payments")], excluded: [.uri("payments")]))
        },
        .hierarchy("constraint-in-upper-case", "RFC 5280 §7.4", .accepted) {
            $0.issuing.set(.nameConstraints(permitted: [.uri("PAYMENTS")]))
        },
        .hierarchy("constraint-host-not-what-is-below", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.domain = "prod.example.org"
            $0.issuing.set(.nameConstraints(permitted: [.uri("example.org")]))
            $0.issuing.remove(LimboExtension.subjectAltNameIdentifier)
            $0.leaf = .leaf(.uri("spiffe://prod.example.org/api"))
        },
        .hierarchy("constraint-with-a-dot-what-is-below", "RFC 5280 §4.2.1.10", .accepted) {
            $0.domain = "prod.example.org"
            $0.issuing.set(.nameConstraints(permitted: [.uri(".example.org")]))
            $0.issuing.remove(LimboExtension.subjectAltNameIdentifier)
            $0.leaf = .leaf(.uri("spiffe://prod.example.org/api"))
        },
        .hierarchy("constraint-with-a-dot-not-the-host", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.domain = "example.org"
            $0.issuing.set(.nameConstraints(permitted: [.uri(".example.org")]))
            $0.issuing.remove(LimboExtension.subjectAltNameIdentifier)
            $0.leaf = .leaf(.uri("spiffe://example.org/api"))
        },
        .hierarchy("constraint-not-critical-still-binds", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(permitted: [.uri("orders")]).critical(false))
        },
        .hierarchy("constraint-at-two-levels-agreeing", "RFC 5280 §6.1.4 (g)", .accepted) {
            $0.middles = [.root("middle")]
            $0.middles[0].set(.nameConstraints(permitted: [.uri("payments"), .uri("orders")]))
            $0.issuing.set(.nameConstraints(permitted: [.uri("payments")]))
        },
        .hierarchy("constraint-at-two-levels-apart", "RFC 5280 §6.1.4 (g)", .refused("name-constraint")) {
            $0.middles = [.root("middle")]
            $0.middles[0].set(.nameConstraints(permitted: [.uri("orders")]))
            $0.issuing.set(.nameConstraints(permitted: [.uri("payments")]))
            $0.issuing.remove(LimboExtension.subjectAltNameIdentifier)
        },
        .hierarchy("constraint-not-widened-below", "RFC 5280 §6.1.4 (g)", .refused("name-constraint")) {
            $0.middles = [.root("middle")]
            $0.middles[0].set(.nameConstraints(permitted: [.uri("orders")]))
            $0.issuing.set(.nameConstraints(permitted: [.uri("payments"), .uri("orders")]))
            $0.issuing.remove(LimboExtension.subjectAltNameIdentifier)
        },
        .hierarchy("constraint-excluded-above-permitted-below", "RFC 5280 §6.1.4 (g)", .refused("name-constraint")) {
            $0.middles = [.root("middle")]
            $0.middles[0].set(.nameConstraints(excluded: [.uri("payments")]))
            $0.issuing.set(.nameConstraints(permitted: [.uri("payments")]))
            $0.issuing.remove(LimboExtension.subjectAltNameIdentifier)
        },
        .hierarchy("constraint-of-the-root", "RFC 5280 §6.1.1 (e)", .refused("name-constraint")) {
            $0.root.set(.nameConstraints(permitted: [.uri("orders")]))
            $0.issuing.remove(LimboExtension.subjectAltNameIdentifier)
        },
        .hierarchy("constraint-broken-by-a-ca-between", "RFC 5280 §6.1.3 (b)", .refused("name-constraint")) {
            $0.middles = [.root("middle")]
            $0.middles[0].set(.names(.uri("spiffe://orders/ca")).critical(false))
            $0.root.set(.nameConstraints(permitted: [.uri("payments")]))
        },
        .hierarchy("constraint-passes-over-a-self-issued-ca", "RFC 5280 §6.1.3 (b)", .accepted) {
            $0.middles = [.root("root")]
            $0.middles[0].set(.names(.uri("spiffe://orders/ca")).critical(false))
            $0.root.set(.nameConstraints(permitted: [.uri("payments")]))
        },
        .hierarchy("constraint-of-dns-beside-a-uri", "RFC 5280 §4.2.1.10", .accepted) {
            $0.issuing.set(.nameConstraints(permitted: [.dns("example.org")]))
        },
        .hierarchy("constraint-of-dns-excluded-all", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(permitted: [.uri("payments")], excluded: [.dns("")]))
            $0.leaf.set(.names(.uri("spiffe://payments/api"), .dns("api.example.org")))
        },
        .hierarchy("constraint-of-dns-permitted", "RFC 5280 §4.2.1.10", .accepted) {
            $0.issuing.set(.nameConstraints(permitted: [.dns("example.org")]))
            $0.leaf.set(.names(.uri("spiffe://payments/api"), .dns("api.example.org")))
        },
        .hierarchy("constraint-of-addresses-excluded-all", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(excluded: [.address([UInt8](repeating: 0, count: 8))]))
            $0.leaf.set(.names(.uri("spiffe://payments/api"), .address([10, 0, 0, 1])))
        },
        .hierarchy("constraint-of-addresses-with-holes", "RFC 4632 §3.1", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(permitted: [.address([10, 0, 0, 1, 255, 0, 0, 255])]))
            $0.leaf.set(.names(.uri("spiffe://payments/api"), .address([10, 9, 9, 1])))
        },
        .hierarchy("constraint-of-email", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(permitted: [.email("example.org")]))
            $0.leaf.set(.names(.uri("spiffe://payments/api"), .email("api@example.org")))
        },
        .hierarchy("constraint-of-directory-names", "RFC 5280 §4.2.1.10", .refused("name-constraint")) {
            $0.issuing.set(.nameConstraints(permitted: [.directory(RawDER.name("api"))]))
            $0.leaf.name = RawDER.name("api")
        },
        .hierarchy("constraint-of-directory-names-and-no-subject", "RFC 5280 §4.2.1.10", .accepted) {
            $0.issuing.set(.nameConstraints(permitted: [.directory(RawDER.name("api"))]))
        },
        .hierarchy("constraint-of-nothing", "RFC 5280 §4.2.1.10", .refused("undecodable")) { $0.issuing.set(.nameConstraints()) },
        .hierarchy("constraint-with-a-minimum", "RFC 5280 §4.2.1.10", .refused("undecodable")) {
            let subtree = RawDER.sequence(LimboName.uri("payments").der, RawDER.element(0x80, [1]))
            $0.issuing.set(LimboExtension("2.5.29.30", critical: true, RawDER.sequence(RawDER.element(0xA0, subtree))))
        },
        .hierarchy("constraint-of-a-leaf", "RFC 5280 §4.2.1.10", .accepted) {
            $0.leaf.set(.nameConstraints(permitted: [.uri("orders")]))
        },
    ]
}
