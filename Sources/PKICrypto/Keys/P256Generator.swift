import COpenSSL

/// Makes P-256 key pairs many at a time, with numbers and points that are allocated once.
///
/// A pair costs the multiple of the generator and one inversion in the field, to bring the point from projective coordinates to
/// those of a certificate. The inversion is a third of the whole; of a batch OpenSSL does all in one (Montgomery's trick:
/// invert the product, and multiply back).
///
/// Sendable because `FreshKeys` lets one thread at a time use it.
final class P256Generator: @unchecked Sendable {
    /// One inversion for so many: it is then 0.01 of each pair, and a single leaf that finds no key ready waits for half a
    /// millisecond.
    static let batch = 64

    /// Its numbers are wiped when it is freed.
    private let context: OpaquePointer
    /// Of the context.
    private let scalar: OpaquePointer
    private let x: OpaquePointer
    private let y: OpaquePointer
    /// `EC_POINT`s, owned here.
    private var points: [OpaquePointer?]

    init() throws(CryptoFailure) {
        let operation = "set up the generator of EC-P256 keys"
        guard let context = BN_CTX_secure_new() else { throw .drained(operation) }
        BN_CTX_start(context)
        let numbers = (BN_CTX_get(context), BN_CTX_get(context), BN_CTX_get(context))
        let points = (0..<P256Generator.batch).map { _ in EC_POINT_new(P256Curve.group) }
        guard let scalar = numbers.0, let x = numbers.1, let y = numbers.2, !points.contains(nil) else {
            for point in points { EC_POINT_free(point) }
            BN_CTX_end(context)
            BN_CTX_free(context)
            throw .drained(operation)
        }
        self.context = context
        self.scalar = scalar
        self.x = x
        self.y = y
        self.points = points
    }

    deinit {
        for point in points { EC_POINT_clear_free(point) }
        BN_CTX_end(context)
        BN_CTX_free(context)
    }

    /// Fills `pairs` with key pairs, each a scalar and the two coordinates of its public key, 96 octets; at most `batch` of them.
    ///
    /// The scalars are drawn from 1 to the curve's order by OpenSSL's private generator, as `EC_KEY_generate_key` draws them
    /// (FIPS 186-4 §B.4.2), but all at once; who is out of range, one in four thousand million, is drawn again.
    func fill(_ pairs: UnsafeMutableRawBufferPointer) throws(CryptoFailure) {
        let operation = "generate EC-P256 keys"
        let size = P256Encoding.scalarCount
        let stride = FreshKeyBatch.pairCount
        let count = pairs.count / stride
        precondition(count <= P256Generator.batch && pairs.count % stride == 0)
        var isDone = withUnsafeTemporaryAllocation(byteCount: count * size, alignment: 8) { drawn in
            defer { OPENSSL_cleanse(drawn.baseAddress, drawn.count) }
            guard let source = drawn.baseAddress?.assumingMemoryBound(to: UInt8.self),
                let target = pairs.baseAddress?.assumingMemoryBound(to: UInt8.self),
                RAND_priv_bytes(source, Int32(drawn.count)) == 1
            else { return count == 0 }
            for index in 0..<count {
                let octets = source + index * size
                while true {
                    guard BN_bin2bn(octets, Int32(size), scalar) != nil else { return false }
                    if BN_is_zero(scalar) == 0 && BN_cmp(scalar, P256Curve.order) < 0 { break }
                    guard RAND_priv_bytes(octets, Int32(size)) == 1 else { return false }
                }
                // Takes a time that does not depend on the scalar (ecp_nistz256).
                guard EC_POINT_mul(P256Curve.group, points[index], scalar, nil, nil, context) == 1 else { return false }
                (target + index * stride).update(from: octets, count: size)
            }
            return true
        }
        BN_clear(scalar)
        isDone = isDone && EC_POINTs_make_affine(P256Curve.group, count, &points, context) == 1
        for index in 0..<count where isDone { isDone = write(points[index], to: pairs, at: index * stride + size) }
        guard isDone else {
            OPENSSL_cleanse(pairs.baseAddress, pairs.count)
            throw .drained(operation)
        }
    }

    /// Writes the coordinates of a point that is affine already: of projective ones whose last is one, which costs no inversion
    /// (`EC_POINT_get_affine_coordinates` would do one all the same).
    private func write(_ point: OpaquePointer?, to target: UnsafeMutableRawBufferPointer, at offset: Int) -> Bool {
        let size = Int32(P256Encoding.scalarCount)
        guard let start = target.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self) else { return false }
        return EC_POINT_get_Jprojective_coordinates_GFp(P256Curve.group, point, x, y, nil, context) == 1
            && BN_bn2binpad(x, start, size) == size && BN_bn2binpad(y, start + Int(size), size) == size
    }
}
