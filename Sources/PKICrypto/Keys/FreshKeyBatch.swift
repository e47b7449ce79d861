import COpenSSL
internal import PKI

/// P-256 key pairs that nobody has had: each is given out once, and what is left is wiped with the batch.
///
/// Not copyable, so that no key is ever in two batches.
package struct FreshKeyBatch: ~Copyable, @unchecked Sendable {
    /// Scalar and point of each, one after the other; owned here.
    let memory: UnsafeMutableRawBufferPointer
    /// How many pairs there are.
    package let count: Int

    /// Room for `count` pairs, all zero.
    init(count: Int) {
        self.count = count
        memory = .allocate(byteCount: max(1, count * FreshKeyBatch.pairCount), alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        OPENSSL_cleanse(memory.baseAddress, memory.count)
        memory.deallocate()
    }

    /// The public key of the pair at `index` as SubjectPublicKeyInfo, DER.
    package func subjectPublicKeyInfo(at index: Int) -> [UInt8] {
        P256Encoding.subjectPublicKeyInfo(point: point(at: index))
    }

    /// The private key of the pair at `index` as PKCS#8 in PEM, as Envoy reads it. Once: it is wiped here.
    package mutating func withdrawPrivateKey(at index: Int) -> SecretBytes {
        let scalar = self.scalar(at: index)
        precondition(scalar.contains { $0 != 0 }, "a fresh key is given out once")
        defer { OPENSSL_cleanse(scalar.baseAddress, scalar.count) }
        return withUnsafeTemporaryAllocation(byteCount: P256Encoding.pkcs8Count, alignment: 16) { der in
            defer { OPENSSL_cleanse(der.baseAddress, der.count) }
            P256Encoding.writePKCS8(scalar: UnsafeRawBufferPointer(scalar), point: point(at: index), to: der)
            return SecretBytes(capacity: PEM.encodedCount(label: PrivateKey.label, of: der.count)) { target in
                PEM.write(label: PrivateKey.label, der: UnsafeRawBufferPointer(der), into: target)
            }
        }
    }

    /// The pairs of `range`, for whoever fills or moves them.
    func pairs(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let size = FreshKeyBatch.pairCount
        return UnsafeMutableRawBufferPointer(rebasing: memory[range.lowerBound * size..<range.upperBound * size])
    }

    private func scalar(at index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: pairs(index..<index + 1)[..<P256Encoding.scalarCount])
    }

    private func point(at index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(rebasing: pairs(index..<index + 1)[P256Encoding.scalarCount...]))
    }

    /// The octets of a pair.
    static let pairCount = P256Encoding.scalarCount + P256Encoding.pointCount
}
