import Crypto
import CryptoExtras

/// A key of a case, and the ways in which it signs.
enum LimboKey {
    case ed25519(Curve25519.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p521(P521.Signing.PrivateKey)
    case rsa(_RSA.Signing.PrivateKey)

    static func fresh() -> LimboKey { .p256(P256.Signing.PrivateKey()) }

    static func rsa(bits: Int) throws -> LimboKey { .rsa(try .init(unsafeKeySize: .init(bitCount: bits))) }

    enum Hash {
        case sha1, sha256, sha384, sha512
    }

    /// The SubjectPublicKeyInfo.
    var publicKey: [UInt8] {
        switch self {
        case .ed25519(let key):
            RawDER.sequence(
                RawDER.sequence(RawDER.identifier("1.3.101.112")), RawDER.bits(Array(key.publicKey.rawRepresentation)))
        case .p256(let key): Array(key.publicKey.derRepresentation)
        case .p384(let key): Array(key.publicKey.derRepresentation)
        case .p521(let key): Array(key.publicKey.derRepresentation)
        case .rsa(let key): Array(key.publicKey.derRepresentation)
        }
    }

    /// Twenty octets that tell keys apart (RFC 7093 §2).
    var identifier: [UInt8] { Array(SHA256.hash(data: publicKey).prefix(20)) }

    /// The hash that goes with the key by default.
    var hash: Hash {
        switch self {
        case .p384: .sha384
        case .p521: .sha512
        case .ed25519, .p256, .rsa: .sha256
        }
    }

    /// The AlgorithmIdentifier of a signature by this key.
    func algorithm(_ hash: Hash) -> [UInt8] {
        switch self {
        case .ed25519: return RawDER.sequence(RawDER.identifier("1.3.101.112"))
        case .p256, .p384, .p521:
            let suffix =
                switch hash {
                case .sha1: "1"
                case .sha256: "3.2"
                case .sha384: "3.3"
                case .sha512: "3.4"
                }
            return RawDER.sequence(RawDER.identifier("1.2.840.10045.4." + suffix))
        case .rsa:
            let suffix =
                switch hash {
                case .sha1: "5"
                case .sha256: "11"
                case .sha384: "12"
                case .sha512: "13"
                }
            return RawDER.sequence(RawDER.identifier("1.2.840.113549.1.1." + suffix), [0x05, 0x00])
        }
    }

    /// The signature of `message`.
    func signature(of message: [UInt8], _ hash: Hash) throws -> [UInt8] {
        switch hash {
        case .sha1: try signature(of: message, Insecure.SHA1.hash(data: message))
        case .sha256: try signature(of: message, SHA256.hash(data: message))
        case .sha384: try signature(of: message, SHA384.hash(data: message))
        case .sha512: try signature(of: message, SHA512.hash(data: message))
        }
    }

    private func signature(of message: [UInt8], _ digest: some Digest) throws -> [UInt8] {
        switch self {
        case .ed25519(let key): Array(try key.signature(for: message))
        case .p256(let key): Array(try key.signature(for: digest).derRepresentation)
        case .p384(let key): Array(try key.signature(for: digest).derRepresentation)
        case .p521(let key): Array(try key.signature(for: digest).derRepresentation)
        case .rsa(let key): Array(try key.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation)
        }
    }
}
