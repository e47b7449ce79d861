import COpenSSL
import CertificateProfiles
import PKI
import PKICrypto

/// The operations that are measured: bare calls of OpenSSL, and what the service does for one proxy.
///
/// Sendable because all of it is only read once `init` has returned, the OpenSSL key and group included.
package final class IssuanceWorkload: @unchecked Sendable {
    private let template: CertificateTemplate
    private let issuingKey: PrivateKey
    private let givenKey: [UInt8]
    private let notBefore = Timestamp(seconds: 1_750_000_000)
    private let notAfter = Timestamp(seconds: 1_750_086_400)
    private let freshKeys = FreshKeys()
    private let digest = Digest.sha256("a digest to sign".utf8)
    private let group: OpaquePointer
    private let rawKey: OpaquePointer

    package init() throws {
        let profiles = try ProfileCatalog.embedded()
        let trustDomain = try TrustDomain("payments")
        let rootKey = try PrivateKey.generate(.ecP256)
        let root = try CertificateTemplate(
            root: profiles.root, id: IssuerID(random: SecureRandom.bytes(8)), trustDomain: trustDomain, keyAlgorithm: .ecP256)
        issuingKey = try PrivateKey.generate(.ecP256)
        let issuing = try CertificateTemplate(
            issuing: profiles.issuing, id: "0123456789abcdef", under: SignerDescription(template: root, key: rootKey),
            trustDomain: trustDomain, nameConstraints: true)
        template = try CertificateTemplate(
            leaf: profiles.leaf, under: SignerDescription(template: issuing, key: issuingKey),
            identity: SPIFFEID("spiffe://payments/backend-api"))
        givenKey = try PrivateKey.generate(.ecP256).subjectPublicKeyInfo
        guard let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), let key = EC_KEY_new(),
            EC_KEY_set_group(key, group) == 1, EC_KEY_generate_key(key) == 1
        else { throw CryptoFailure("set up the raw key", reasons: []) }
        self.group = group
        self.rawKey = key
    }

    deinit {
        EC_KEY_free(rawKey)
        EC_GROUP_free(group)
    }

    /// `ECDSA_sign` of a digest that is there already.
    package func rawSign() throws -> Int {
        var count: UInt32 = 0
        let isSigned = withUnsafeTemporaryAllocation(byteCount: 72, alignment: 8) { buffer in
            ECDSA_sign(0, digest, 32, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &count, rawKey) == 1
        }
        guard isSigned else { throw CryptoFailure("sign", reasons: []) }
        return Int(count)
    }

    /// `EC_KEY_generate_key` with the group at hand, and the signature.
    package func rawGenerateAndSign() throws -> Int {
        guard let key = EC_KEY_new() else { throw CryptoFailure("allocate a key", reasons: []) }
        defer { EC_KEY_free(key) }
        guard EC_KEY_set_group(key, group) == 1, EC_KEY_generate_key(key) == 1 else {
            throw CryptoFailure("generate a key", reasons: [])
        }
        return try rawSign()
    }

    /// The same, and the public key's octets: the part of a key that a certificate cannot do without, and that
    /// `EC_KEY_generate_key` leaves for later (one inversion in the field).
    package func rawGenerateEncodeAndSign() throws -> Int {
        guard let key = EC_KEY_new() else { throw CryptoFailure("allocate a key", reasons: []) }
        defer { EC_KEY_free(key) }
        guard EC_KEY_set_group(key, group) == 1, EC_KEY_generate_key(key) == 1 else {
            throw CryptoFailure("generate a key", reasons: [])
        }
        let octets = withUnsafeTemporaryAllocation(byteCount: 65, alignment: 8) { buffer in
            EC_POINT_point2oct(
                group, EC_KEY_get0_public_key(key), POINT_CONVERSION_UNCOMPRESSED,
                buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), 65, nil)
        }
        guard octets == 65 else { throw CryptoFailure("encode a public key", reasons: []) }
        return try rawSign()
    }

    /// What answers a certificate signing request: serial, certificate, PEM.
    package func issueForGivenKey() throws -> Int { try chain(publicKey: givenKey).count }

    /// What a proxy gets over SDS: a key of its own and its certificate, both in PEM.
    ///
    /// The key comes out of a batch, as in the service; every batch is made within what is measured, by whichever thread finds
    /// no key left.
    package func issueWithFreshKey() throws -> Int {
        var keys = try freshKeys.take(1)
        let chain = try chain(publicKey: keys.subjectPublicKeyInfo(at: 0))
        return chain.count + keys.withdrawPrivateKey(at: 0).count
    }

    private func chain(publicKey: [UInt8]) throws -> [UInt8] {
        try template.prepare(
            serial: .random(), notBefore: notBefore, notAfter: notAfter, publicKey: publicKey
        ).signChain(with: issuingKey)
    }
}
