internal import PKI

/// How a P-256 key pair is laid out: every pair has the same octets but for its numbers.
enum P256Encoding {
    /// The octets of a private scalar, and of a coordinate.
    static let scalarCount = 32
    /// The two coordinates of a public key, without the octet that says that there are two.
    static let pointCount = 64
    /// The octets of a PKCS#8 with scalar and point.
    static let pkcs8Count = beforeScalar.count + scalarCount + beforePoint.count + pointCount

    /// The SubjectPublicKeyInfo of a public key.
    static func subjectPublicKeyInfo(point: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SubjectPublicKeyInfo.p256Count) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            count = append(SubjectPublicKeyInfo.p256Prefix, to: target, at: 0)
            buffer[count] = uncompressed
            count += 1
            count = append(point, to: target, at: count)
        }
    }

    /// Writes the PKCS#8 (RFC 5208) PrivateKeyInfo with its ECPrivateKey (RFC 5915), public key included, to the beginning of
    /// `target`, which must hold `pkcs8Count`.
    static func writePKCS8(
        scalar: UnsafeRawBufferPointer, point: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer
    ) {
        var position = append(beforeScalar, to: target, at: 0)
        position = append(scalar, to: target, at: position)
        position = append(beforePoint, to: target, at: position)
        position = append(point, to: target, at: position)
        precondition(position == pkcs8Count)
    }

    /// Where in the PKCS#8 the scalar begins.
    static var scalarOffset: Int { beforeScalar.count }

    private static func append(_ bytes: [UInt8], to target: UnsafeMutableRawBufferPointer, at position: Int) -> Int {
        bytes.withUnsafeBytes { append($0, to: target, at: position) }
    }

    private static func append(
        _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, at position: Int
    ) -> Int {
        UnsafeMutableRawBufferPointer(rebasing: target[position..<position + bytes.count]).copyMemory(from: bytes)
        return position + bytes.count
    }

    /// SEC 1 §2.3.3: both coordinates follow.
    private static let uncompressed: UInt8 = 0x04
    /// PrivateKeyInfo, AlgorithmIdentifier and ECPrivateKey up to the private key.
    private static let beforeScalar: [UInt8] = [
        0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x04, 0x6D, 0x30, 0x6B, 0x02, 0x01, 0x01, 0x04, 0x20,
    ]
    /// `[1]` and the BIT STRING of the public key up to its coordinates.
    private static let beforePoint: [UInt8] = [0xA1, 0x44, 0x03, 0x42, 0x00, 0x04]
}
