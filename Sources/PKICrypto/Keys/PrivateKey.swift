import COpenSSL
package import PKI

/// A private key: makes signatures, and gives itself out as PKCS#8 and in no other way.
///
/// Any number of threads may sign with one at once.
package final class PrivateKey: Sendable {
    private enum Kind: Sendable {
        case evp(EVPKey)
        case p256(P256Key)
    }

    private let kind: Kind
    package let algorithm: KeyAlgorithm
    /// The public key as SubjectPublicKeyInfo, DER.
    package let subjectPublicKeyInfo: [UInt8]

    /// Makes a fresh key.
    package static func generate(_ algorithm: KeyAlgorithm) throws(CryptoFailure) -> PrivateKey {
        switch algorithm {
        case .ecP256: PrivateKey(try P256Key.generate())
        case .ecP384, .rsa2048, .rsa3072, .rsa4096: PrivateKey(try EVPKey.generate(algorithm))
        }
    }

    /// Reads a PKCS#8 PrivateKeyInfo (RFC 5208), unencrypted DER, of one of the known algorithms.
    ///
    /// The whole of `pkcs8` must be the one structure, and private and public half must belong together.
    package convenience init(pkcs8: SecretBytes) throws(CryptoFailure) {
        let key = try EVPKey.parse(pkcs8: pkcs8)
        if let p256 = try key.p256() {
            self.init(p256)
        } else {
            self.init(key)
        }
    }

    private init(_ key: P256Key) {
        self.kind = .p256(key)
        self.algorithm = .ecP256
        self.subjectPublicKeyInfo = key.subjectPublicKeyInfo
    }

    private init(_ key: EVPKey) {
        self.kind = .evp(key)
        self.algorithm = key.algorithm
        self.subjectPublicKeyInfo = key.subjectPublicKeyInfo
    }

    /// The identifier of the public key in certificates, 20 octets.
    package var subjectKeyIdentifier: [UInt8] { SubjectPublicKeyInfo.keyIdentifier(of: subjectPublicKeyInfo) }

    /// SHA-256 of the SubjectPublicKeyInfo.
    package var fingerprint: Fingerprint { Fingerprint(sha256: Digest.sha256(subjectPublicKeyInfo)) }

    /// The signature of `message` by the key's signature algorithm; ECDSA's is DER (RFC 3279 §2.2.3).
    package func signature(of message: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        switch algorithm.signatureAlgorithm {
        case .ecdsaWithSHA256, .sha256WithRSAEncryption: try sign(digest: Digest.sha256(message))
        case .ecdsaWithSHA384: try sign(digest: Digest.sha384(message))
        }
    }

    /// The signature of a message by its digest: SHA-384 for P-384, SHA-256 for every other key.
    package func sign(digest: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        var failure: CryptoFailure?
        let signature = [UInt8](unsafeUninitializedCapacity: maximumSignatureCount) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            do throws(CryptoFailure) {
                count = try sign(digest: digest, into: target)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return signature
    }

    /// Writes what `sign(digest:)` gives to the beginning of `target`, which must hold `maximumSignatureCount`; gives its octets.
    func sign(digest: [UInt8], into target: UnsafeMutablePointer<UInt8>) throws(CryptoFailure) -> Int {
        let needed = algorithm.signatureAlgorithm == .ecdsaWithSHA384 ? 48 : 32
        guard digest.count == needed else {
            throw CryptoFailure(
                "sign with \(algorithm.rawValue)", reasons: ["a digest of \(digest.count) octets where \(needed) are needed"])
        }
        switch kind {
        case .evp(let key): return try key.sign(digest: digest, into: target)
        case .p256(let key): return try key.sign(digest: digest, into: target)
        }
    }

    /// The most octets that a signature of this key has.
    var maximumSignatureCount: Int {
        switch kind {
        case .evp: EVPKey.maximumSignatureCount
        case .p256: P256Key.maximumSignatureCount
        }
    }

    /// The key as PKCS#8 PrivateKeyInfo, DER, not encrypted.
    package func pkcs8() throws(CryptoFailure) -> SecretBytes {
        switch kind {
        case .evp(let key): try key.pkcs8()
        case .p256(let key): key.pkcs8
        }
    }

    /// The key as PKCS#8 in PEM (`PRIVATE KEY`), as Envoy reads it.
    package func pkcs8PEM() throws(CryptoFailure) -> SecretBytes {
        let secret = try pkcs8()
        return secret.withUnsafeBytes { der in
            SecretBytes(capacity: PEM.encodedCount(label: PrivateKey.label, of: der.count)) { target in
                PEM.write(label: PrivateKey.label, der: der, into: target)
            }
        }
    }

    /// RFC 7468 §10.
    static let label = "PRIVATE KEY"
}

extension PrivateKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "private key (\(algorithm.rawValue), redacted)" }
    package var debugDescription: String { description }
    /// Empty, so that `dump` shows no more than `print`.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
