import COpenSSL
internal import PKI
import Synchronization

/// An EC P-256 key pair: made and used by OpenSSL's low-level functions, which are the fast ones for this curve.
///
/// Most keys are made for a proxy and never sign here, so the `EC_KEY` that signs is set up with the first signature.
final class P256Key: Sendable {
    /// The PKCS#8 (RFC 5208) PrivateKeyInfo with its ECPrivateKey (RFC 5915), public key included; the scalar is in it.
    let pkcs8: SecretBytes
    /// The DER of the SubjectPublicKeyInfo.
    let subjectPublicKeyInfo: [UInt8]
    /// The `EC_KEY`, owned here; once it is there it is only read, which OpenSSL allows from any number of threads.
    private let signer = Mutex<OpaquePointer?>(nil)

    /// Makes a fresh key: a random scalar from 1 to the curve's order, as `EC_KEY_generate_key` draws it (FIPS 186-4 §B.4.2).
    static func generate() throws(CryptoFailure) -> P256Key {
        try P256Key(fillingScalar: "generate an EC-P256 key") { scalar in
            repeat {
                guard BN_priv_rand_range(scalar, curve.order) == 1 else { return false }
            } while BN_is_zero(scalar) == 1
            return true
        }
    }

    /// The key pair of a private scalar; the public key is computed from it. `scalar` stays the caller's.
    convenience init(scalar: OpaquePointer) throws(CryptoFailure) {
        try self.init(fillingScalar: "set up an EC-P256 key") { own in
            BN_is_zero(scalar) == 0 && BN_is_negative(scalar) == 0 && BN_cmp(scalar, P256Key.curve.order) < 0
                && BN_copy(own, scalar) != nil
        }
    }

    private init(fillingScalar operation: String, _ fill: (OpaquePointer) -> Bool) throws(CryptoFailure) {
        let group = P256Key.curve.group
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
        let prefix = SubjectPublicKeyInfo.p256Prefix
        subjectPublicKeyInfo = [UInt8](unsafeUninitializedCapacity: SubjectPublicKeyInfo.p256Count) { buffer, count in
            count = buffer.update(fromContentsOf: prefix)
            // Uncompressed (SEC 1 §2.3.3).
            buffer[count] = 0x04
            count += 1
            for coordinate in [x, y] {
                count += Int(max(0, BN_bn2binpad(coordinate, buffer.baseAddress?.advanced(by: count), 32)))
            }
        }
        let octets = subjectPublicKeyInfo[prefix.count...]
        pkcs8 = SecretBytes(capacity: P256Key.pkcs8Count) { buffer in
            buffer.copyBytes(from: P256Key.pkcs8BeforeScalar)
            var position = P256Key.pkcs8BeforeScalar.count
            let start = buffer.baseAddress?.advanced(by: position).assumingMemoryBound(to: UInt8.self)
            position += Int(max(0, BN_bn2binpad(number, start, Int32(P256Key.scalarCount))))
            for part in [P256Key.pkcs8BeforePoint[...], octets] where position + part.count <= buffer.count {
                UnsafeMutableRawBufferPointer(rebasing: buffer[position...]).copyBytes(from: part)
                position += part.count
            }
            return position
        }
        guard subjectPublicKeyInfo.count == SubjectPublicKeyInfo.p256Count, pkcs8.count == P256Key.pkcs8Count else {
            throw .drained(operation)
        }
    }

    deinit { EC_KEY_free(signer.withLock { $0 }) }

    /// The ECDSA signature of a digest of 32 octets, DER.
    func sign(digest: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        let operation = "sign with EC-P256"
        let key = signer.withLock { signer in
            if signer == nil { signer = makeSigner() }
            return signer
        }
        guard let key else { throw .drained(operation) }
        guard let signature = ECDSA_do_sign(digest, Int32(digest.count), key) else { throw .drained(operation) }
        defer { ECDSA_SIG_free(signature) }
        return P256Key.encoded(signature)
    }

    /// ECDSA-Sig-Value (RFC 3279 §2.2.3): a SEQUENCE of r and s. OpenSSL's own encoder takes several times as long.
    private static func encoded(_ signature: OpaquePointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: maximumSignatureCount) { buffer, count in
            buffer[0] = 0x30
            count = 2
            for number in [ECDSA_SIG_get0_r(signature), ECDSA_SIG_get0_s(signature)] {
                // A number whose highest bit is set takes a zero octet before it, or would be negative.
                let octets = Int(BN_num_bits(number)) / 8 + 1
                buffer[count] = 0x02
                buffer[count + 1] = UInt8(octets)
                BN_bn2binpad(number, buffer.baseAddress?.advanced(by: count + 2), Int32(octets))
                count += 2 + octets
            }
            buffer[1] = UInt8(count - 2)
        }
    }

    /// The `EC_KEY` of this key, the caller's; nil with the reason in OpenSSL's error queue.
    private func makeSigner() -> OpaquePointer? {
        let group = P256Key.curve.group
        let number = pkcs8.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.advanced(by: P256Key.pkcs8BeforeScalar.count)
            return BN_bin2bn(start?.assumingMemoryBound(to: UInt8.self), Int32(P256Key.scalarCount), nil)
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

    /// The octets of a PKCS#8 with scalar and point.
    private static let pkcs8Count = pkcs8BeforeScalar.count + scalarCount + pkcs8BeforePoint.count + 65

    /// PrivateKeyInfo, AlgorithmIdentifier and ECPrivateKey up to the private key.
    private static let pkcs8BeforeScalar: [UInt8] = [
        0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x04, 0x6D, 0x30, 0x6B, 0x02, 0x01, 0x01, 0x04, 0x20,
    ]
    /// `[1]` and the BIT STRING of the public key up to its point.
    private static let pkcs8BeforePoint: [UInt8] = [0xA1, 0x44, 0x03, 0x42, 0x00]
    private static let scalarCount = 32
    /// A SEQUENCE of two INTEGERs of at most 33 octets.
    private static let maximumSignatureCount = 72

    /// The curve, set up once: by name it costs more than a key. Never changed after this, so every thread may read it.
    private nonisolated(unsafe) static let curve: (group: OpaquePointer, order: OpaquePointer) = {
        guard let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), let order = EC_GROUP_get0_order(group) else {
            preconditionFailure("this OpenSSL has no P-256")
        }
        return (group, order)
    }()
}
