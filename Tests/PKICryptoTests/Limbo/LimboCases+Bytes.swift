import Crypto
import CryptoExtras

/// Signatures, keys and encodings.
extension LimboCase {
    static let signatures: [LimboCase] = [
        .hierarchy("signature-of-the-leaf-changed", "RFC 5280 §6.1.3 (a)", .refused("signature")) {
            $0.leaf.alter = { $0.dropLast() + [$0[$0.count - 1] ^ 1] }
        },
        .hierarchy("signature-of-the-issuing-changed", "RFC 5280 §6.1.3 (a)", .refused("signature")) {
            $0.issuing.alter = { $0.dropLast() + [$0[$0.count - 1] ^ 1] }
        },
        .hierarchy("signature-empty", "RFC 5280 §6.1.3 (a)", .refused("signature")) { $0.leaf.alter = { _ in [] } },
        .hierarchy("signature-of-zeros", "RFC 5280 §6.1.3 (a)", .refused("signature")) {
            $0.leaf.alter = { _ in RawDER.sequence(RawDER.integer(0), RawDER.integer(0)) }
        },
        .hierarchy("signature-with-junk-behind", "RFC 3279 §2.2.3", .refused("signature")) { $0.leaf.alter = { $0 + [0] } },
        .hierarchy("signature-by-another-key", "RFC 5280 §6.1.3 (a)", .refused("signature")) {
            $0.issuing.key = .fresh()
            let other = LimboKey.fresh()
            $0.leaf.alter = { _ in (try? other.signature(of: [1], .sha256)) ?? [] }
        },
        .hierarchy("signature-algorithm-differs-inside", "RFC 5280 §4.1.1.2", .refused("undecodable")) {
            $0.leaf.innerAlgorithm = $0.issuing.key.algorithm(.sha384)
        },
        .hierarchy("signature-algorithm-with-a-null", "RFC 5758 §3.2", .refused("weak-algorithm")) {
            $0.leaf.algorithm = RawDER.sequence(RawDER.identifier("1.2.840.10045.4.3.2"), [0x05, 0x00])
        },
        .hierarchy("signature-algorithm-unknown", "RFC 5280 §6.1.3 (a)", .refused("weak-algorithm")) {
            $0.leaf.algorithm = RawDER.sequence(RawDER.identifier("1.3.6.1.4.1.99999.1"))
        },
        .hierarchy("signature-algorithm-of-another-kind-of-key", "RFC 5280 §6.1.3 (a)", .refused("signature")) {
            $0.leaf.algorithm = RawDER.sequence(RawDER.identifier("1.2.840.113549.1.1.11"), [0x05, 0x00])
        },
        .hierarchy("signature-ecdsa-sha-1", "NIST SP 800-131A", .refused("weak-algorithm")) { $0.leaf.hash = .sha1 },
        .hierarchy("signature-rsa-sha-1", "NIST SP 800-131A", .refused("weak-algorithm")) {
            $0.root.key = try .rsa(bits: 2048)
            $0.issuing.hash = .sha1
        },
        .hierarchy("signature-ecdsa-sha-384", "RFC 5758 §3.2", .accepted) { $0.leaf.hash = .sha384 },
        .hierarchy("signature-ecdsa-sha-512", "ours", .refused("weak-algorithm")) { $0.leaf.hash = .sha512 },
        .hierarchy("signature-rsa-sha-512", "RFC 4055 §5", .accepted) {
            $0.root.key = try .rsa(bits: 2048)
            $0.issuing.hash = .sha512
        },
        .hierarchy("signature-rsa-without-null", "RFC 4055 §5", .accepted) {
            $0.root.key = try .rsa(bits: 2048)
            $0.issuing.algorithm = RawDER.sequence(RawDER.identifier("1.2.840.113549.1.1.11"))
        },
        .hierarchy("signature-ed25519", "ours", .refused("weak-algorithm")) { $0.root.key = .ed25519(.init()) },
    ]

    static let publicKeys: [LimboCase] = [
        .hierarchy("key-rsa-2048-of-the-leaf", "RFC 3279 §2.3.1", .accepted) { $0.leaf.key = try .rsa(bits: 2048) },
        .hierarchy("key-rsa-1024-of-the-leaf", "NIST SP 800-131A", .refused("weak-algorithm")) {
            $0.leaf.key = try .rsa(bits: 1024)
        },
        .hierarchy("key-rsa-1024-of-the-issuing", "NIST SP 800-131A", .refused("weak-algorithm")) {
            $0.issuing.key = try .rsa(bits: 1024)
        },
        .hierarchy("key-rsa-1024-of-the-root", "NIST SP 800-131A", .refused("weak-algorithm")) {
            $0.root.key = try .rsa(bits: 1024)
        },
        .hierarchy("key-p-384-of-the-issuing", "RFC 5480 §2.1.1", .accepted) { $0.issuing.key = .p384(.init()) },
        .hierarchy("key-p-521-of-the-root", "ours", .refused("weak-algorithm")) { $0.root.key = .p521(.init()) },
        .hierarchy("key-ed25519-of-the-leaf", "ours", .refused("weak-algorithm")) { $0.leaf.key = .ed25519(.init()) },
        .hierarchy("key-as-a-compressed-point", "RFC 5480 §2.2", .refused("weak-algorithm")) {
            let key = P256.Signing.PrivateKey()
            $0.leaf.publicKey = p256Info(Array(key.publicKey.compressedRepresentation))
        },
        .hierarchy("key-with-its-curve-written-out", "RFC 5480 §2.1.1", .refused("weak-algorithm")) {
            // The curve's own numbers: only their being there is wrong, since numbers of an attacker's choice look the same.
            let key = P256.Signing.PrivateKey()
            $0.issuing.key = .p256(key)
            $0.issuing.publicKey = RawDER.sequence(
                RawDER.sequence(RawDER.identifier("1.2.840.10045.2.1"), p256Numbers),
                RawDER.bits(Array(key.publicKey.x963Representation)))
        },
        .hierarchy("key-of-the-leaf-that-is-no-point", "SEC 1 §3.2.2", .refused("weak-algorithm")) {
            $0.leaf.publicKey = p256Info([0x04] + [UInt8](repeating: 1, count: 64))
        },
        .hierarchy("key-of-an-issuer-that-is-no-point", "SEC 1 §3.2.2", .refused("weak-algorithm")) {
            $0.issuing.publicKey = p256Info([0x04] + [UInt8](repeating: 1, count: 64))
        },
        .hierarchy("key-of-no-known-kind", "RFC 3279 §2.3", .refused("weak-algorithm")) {
            $0.leaf.publicKey = RawDER.sequence(
                RawDER.sequence(RawDER.identifier("1.3.6.1.4.1.99999.1")), RawDER.bits([1, 2, 3]))
        },
    ]

    private static func p256Info(_ point: [UInt8]) -> [UInt8] {
        let algorithm = RawDER.sequence(RawDER.identifier("1.2.840.10045.2.1"), RawDER.identifier("1.2.840.10045.3.1.7"))
        return RawDER.sequence(algorithm, RawDER.bits(point))
    }

    /// The specified parameters of P-256 (SEC 2 §2.4.2, in the structure of SEC 1 §C.2).
    private static var p256Numbers: [UInt8] {
        let prime: [UInt8] =
            [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 12) + [UInt8](repeating: 0xFF, count: 12)
        let second: [UInt8] = [
            0x5A, 0xC6, 0x35, 0xD8, 0xAA, 0x3A, 0x93, 0xE7, 0xB3, 0xEB, 0xBD, 0x55, 0x76, 0x98, 0x86, 0xBC,
            0x65, 0x1D, 0x06, 0xB0, 0xCC, 0x53, 0xB0, 0xF6, 0x3B, 0xCE, 0x3C, 0x3E, 0x27, 0xD2, 0x60, 0x4B,
        ]
        let base: [UInt8] = [
            0x04,
            0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2,
            0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96,
            0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16,
            0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5,
        ]
        let order: [UInt8] = [
            0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
        ]
        var first = prime
        first[31] = 0xFC
        return RawDER.sequence(
            RawDER.integer(1),
            RawDER.sequence(RawDER.identifier("1.2.840.10045.1.1"), RawDER.integer([0] + prime)),
            RawDER.sequence(RawDER.octets(first), RawDER.octets(second)),
            RawDER.octets(base), RawDER.integer([0] + order), RawDER.integer(1))
    }

    static let encodings: [LimboCase] = [
        .chain("encoding-octet-behind-the-leaf", "X.690 §8.1", .refused("undecodable")) { $0.chain[0].append(0) },
        .chain("encoding-cut-short", "X.690 §8.1", .refused("undecodable")) { $0.chain[0].removeLast() },
        .hierarchy("encoding-element-behind-the-extensions", "RFC 5280 §4.1", .refused("undecodable")) {
            $0.leaf.afterExtensions = RawDER.integer(0)
        },
        .hierarchy("encoding-of-no-extensions", "RFC 5280 §4.1", .refused("not-one-uri")) {
            $0.leaf.beforeExtensions = RawDER.element(0xA3, RawDER.sequence())
            $0.leaf.extensions = []
            $0.leaf.hasSubjectKeyIdentifier = false
            $0.leaf.hasAuthorityKeyIdentifier = false
        },
        .hierarchy("encoding-version-1", "RFC 5280 §4.1.2.1", .refused("undecodable")) { $0.issuing.version = nil },
        .hierarchy("encoding-version-1-written-out", "X.690 §11.5", .refused("undecodable")) { $0.issuing.version = 0 },
        .hierarchy("encoding-version-2", "RFC 5280 §4.1.2.1", .refused("undecodable")) { $0.issuing.version = 1 },
        .hierarchy("encoding-version-4", "RFC 5280 §4.1.2.1", .refused("undecodable")) { $0.leaf.version = 3 },
        .hierarchy("encoding-root-of-version-1", "RFC 5280 §6.1.1 (d)", .refused("undecodable")) { $0.root.version = nil },
        .hierarchy("encoding-unique-identifiers", "RFC 5280 §4.1.2.8", .accepted) {
            $0.leaf.beforeExtensions = RawDER.element(0x81, [0, 1]) + RawDER.element(0x82, [0, 2])
        },
        .hierarchy("encoding-serial-negative", "RFC 5280 §4.1.2.2", .refused("undecodable")) { $0.leaf.serial = [0x80, 1] },
        .hierarchy("encoding-serial-zero", "RFC 5280 §4.1.2.2", .accepted) { $0.leaf.serial = [0] },
        .hierarchy("encoding-serial-empty", "X.690 §8.3.1", .refused("undecodable")) { $0.leaf.serial = [] },
        .hierarchy("encoding-serial-not-the-shortest", "X.690 §8.3.2", .refused("undecodable")) { $0.leaf.serial = [0, 1] },
        .hierarchy("encoding-serial-of-20-octets", "RFC 5280 §4.1.2.2", .accepted) {
            $0.leaf.serial = [UInt8](repeating: 0x7F, count: 20)
        },
        .hierarchy("encoding-serial-of-21-octets", "RFC 5280 §4.1.2.2", .refused("undecodable")) {
            $0.leaf.serial = [UInt8](repeating: 0x7F, count: 21)
        },
        .hierarchy("encoding-critical-false-written-out", "X.690 §11.5", .refused("undecodable")) {
            var purposes = LimboExtension.purposes(.serverAuth, .clientAuth)
            purposes.flag = RawDER.boolean(0)
            $0.leaf.set(purposes)
        },
        .hierarchy("encoding-critical-as-one", "X.690 §11.1", .refused("undecodable")) {
            var usage = LimboExtension.keyUsage(.digitalSignature)
            usage.flag = RawDER.boolean(1)
            $0.leaf.set(usage)
        },
        .chain("encoding-length-indefinite", "X.690 §10.1", .refused("undecodable")) { scenario in
            let leaf = scenario.chain[0]
            scenario.chain[0] = [0x30, 0x80] + leaf.dropFirst(4) + [0, 0]
        },
        .chain("encoding-length-not-the-shortest", "X.690 §10.1", .refused("undecodable")) { scenario in
            let leaf = scenario.chain[0]
            scenario.chain[0] = [0x30, 0x83, 0x00] + leaf[2...]
        },
        .hierarchy("encoding-of-33-extensions", "ours", .refused("undecodable")) { hierarchy in
            hierarchy.leaf.extensions += (1...27).map { .unknown(critical: false, arc: $0) }
        },
        .hierarchy("encoding-of-257-names", "ours", .refused("undecodable")) { hierarchy in
            hierarchy.leaf.set(.names([.uri("spiffe://payments/api")] + (1...256).map { .dns("n\($0)") }))
        },
        .hierarchy("encoding-of-over-64-kib", "ours", .refused("undecodable")) {
            $0.leaf.set(LimboExtension("1.3.6.1.4.1.99999.1", [UInt8](repeating: 5, count: 66_000)))
        },
    ]
}
