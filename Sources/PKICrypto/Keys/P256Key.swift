import COpenSSL
internal import PKI
import Synchronization

/// An EC P-256 key pair: made and used by OpenSSL's low-level functions, which are the fast ones for this curve.
///
/// Most keys never sign here, so the `EC_KEY` that signs is set up with the first signature. Keys for proxies, which are made by
/// the thousand, come from `FreshKeys`.
final class P256Key: Sendable {
    /// The PKCS#8 (RFC 5208) PrivateKeyInfo with its ECPrivateKey (RFC 5915), public key included; the scalar is in it.
    let pkcs8: SecretBytes
    /// The DER of the SubjectPublicKeyInfo.
    let subjectPublicKeyInfo: [UInt8]
    /// The address of the `EC_KEY`, owned here; 0: not made yet. Once it is there it is only read, which OpenSSL allows from any
    /// number of threads. Not behind a lock: two threads that sign would hand its cache line to and fro.
    private let signer = Atomic<UInt>(0)

    /// Makes a fresh key: a random scalar from 1 to the curve's order, as `EC_KEY_generate_key` draws it (FIPS 186-4 §B.4.2).
    static func generate() throws(CryptoFailure) -> P256Key {
        try P256Key(fillingScalar: "generate an EC-P256 key") { scalar in
            repeat {
                guard BN_priv_rand_range(scalar, P256Curve.order) == 1 else { return false }
            } while BN_is_zero(scalar) == 1
            return true
        }
    }

    /// The key pair of a private scalar; the public key is computed from it. `scalar` stays the caller's.
    convenience init(scalar: OpaquePointer) throws(CryptoFailure) {
        try self.init(fillingScalar: "set up an EC-P256 key") { own in
            BN_is_zero(scalar) == 0 && BN_is_negative(scalar) == 0 && BN_cmp(scalar, P256Curve.order) < 0
                && BN_copy(own, scalar) != nil
        }
    }

    private init(fillingScalar operation: String, _ fill: (OpaquePointer) -> Bool) throws(CryptoFailure) {
        let group = P256Curve.group
        let point = EC_POINT_new(group)
        defer { EC_POINT_free(point) }
        // Its numbers are wiped when it is freed, the scalar among them.
        let context = BN_CTX_secure_new()
        defer { BN_CTX_free(context) }
        guard let point, let context else { throw .drained(operation) }
        BN_CTX_start(context)
        defer { BN_CTX_end(context) }
        let x = BN_CTX_get(context)
        let y = BN_CTX_get(context)
        // The last of these calls tells whether any has failed; the generator's multiple takes a time that does not
        // depend on the scalar (ecp_nistz256).
        guard let number = BN_CTX_get(context), fill(number), EC_POINT_mul(group, point, number, nil, nil, context) == 1,
            EC_POINT_get_affine_coordinates(group, point, x, y, context) == 1
        else { throw .drained(operation) }
        let count = P256Encoding.scalarCount
        var octets = [UInt8](repeating: 0, count: P256Encoding.pointCount)
        let isWhole = octets.withUnsafeMutableBufferPointer { octets in
            BN_bn2binpad(x, octets.baseAddress, Int32(count)) == Int32(count)
                && BN_bn2binpad(y, octets.baseAddress?.advanced(by: count), Int32(count)) == Int32(count)
        }
        guard isWhole else { throw .drained(operation) }
        subjectPublicKeyInfo = octets.withUnsafeBytes { P256Encoding.subjectPublicKeyInfo(point: $0) }
        pkcs8 = SecretBytes(capacity: P256Encoding.pkcs8Count) { buffer in
            withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { scalar in
                defer { OPENSSL_cleanse(scalar.baseAddress, scalar.count) }
                let written = BN_bn2binpad(number, scalar.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(count))
                guard written == Int32(count) else { return 0 }
                octets.withUnsafeBytes { point in
                    P256Encoding.writePKCS8(scalar: UnsafeRawBufferPointer(scalar), point: point, to: buffer)
                }
                return P256Encoding.pkcs8Count
            }
        }
        guard pkcs8.count == P256Encoding.pkcs8Count else { throw .drained(operation) }
    }

    deinit { EC_KEY_free(OpaquePointer(bitPattern: signer.load(ordering: .acquiring))) }

    /// Writes the ECDSA signature of a digest of 32 octets, DER, to the beginning of `target`, which must hold
    /// `maximumSignatureCount`; gives its octets.
    func sign(digest: [UInt8], into target: UnsafeMutablePointer<UInt8>) throws(CryptoFailure) -> Int {
        let operation = "sign with EC-P256"
        guard let key = OpaquePointer(bitPattern: signer.load(ordering: .acquiring)) ?? setUpSigner() else {
            throw .drained(operation)
        }
        guard let signature = ECDSA_do_sign(digest, Int32(digest.count), key) else { throw .drained(operation) }
        defer { ECDSA_SIG_free(signature) }
        return P256Key.write(signature, to: target)
    }

    /// ECDSA-Sig-Value (RFC 3279 §2.2.3): a SEQUENCE of r and s. OpenSSL's own encoder takes several times as long.
    private static func write(_ signature: OpaquePointer, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let r = write(ECDSA_SIG_get0_r(signature), to: target + 2)
        let s = write(ECDSA_SIG_get0_s(signature), to: target + 2 + r)
        target[0] = 0x30
        target[1] = UInt8(r + s)
        return 2 + r + s
    }

    /// One INTEGER; gives its octets. A number whose highest bit is set takes a zero octet before it, or would be negative.
    private static func write(_ number: OpaquePointer?, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let octets = Int(BN_num_bits(number)) / 8 + 1
        target[0] = 0x02
        target[1] = UInt8(octets)
        BN_bn2binpad(number, target + 2, Int32(octets))
        return 2 + octets
    }

    /// The `EC_KEY`, made now; of two threads that make it, the later takes the earlier's. Nil with the reason in OpenSSL's error
    /// queue.
    private func setUpSigner() -> OpaquePointer? {
        guard let made = makeSigner() else { return nil }
        let (isExchanged, original) = signer.compareExchange(
            expected: 0, desired: UInt(bitPattern: made), ordering: .acquiringAndReleasing)
        if isExchanged { return made }
        EC_KEY_free(made)
        return OpaquePointer(bitPattern: original)
    }

    private func makeSigner() -> OpaquePointer? {
        let group = P256Curve.group
        let number = pkcs8.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.advanced(by: P256Encoding.scalarOffset)
            return BN_bin2bn(start?.assumingMemoryBound(to: UInt8.self), Int32(P256Encoding.scalarCount), nil)
        }
        defer { BN_clear_free(number) }
        let point = EC_POINT_new(group)
        defer { EC_POINT_free(point) }
        guard let number, let point, let key = EC_KEY_new() else { return nil }
        let octets = Array(subjectPublicKeyInfo[SubjectPublicKeyInfo.p256Prefix.count...])
        guard EC_POINT_oct2point(group, point, octets, octets.count, nil) == 1, EC_KEY_set_group(key, group) == 1,
            EC_KEY_set_private_key(key, number) == 1, EC_KEY_set_public_key(key, point) == 1, EC_KEY_check_key(key) == 1
        else {
            EC_KEY_free(key)
            return nil
        }
        return key
    }

    /// A SEQUENCE of two INTEGERs of at most 33 octets.
    static let maximumSignatureCount = 72
}
