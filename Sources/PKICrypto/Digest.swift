import COpenSSL

/// SHA-256 and what is built of it.
///
/// The low-level functions need no context on the heap and no algorithm looked up: for the few hundred octets of a
/// certificate that look-up would cost more than the digest.
package enum Digest {
    /// 32 octets.
    package static func sha256(_ bytes: some Sequence<UInt8>) -> [UInt8] { sha256(bytes, prefix: 32) }

    /// The first `prefix` octets of the digest, at most 32.
    static func sha256(_ bytes: some Sequence<UInt8>, prefix: Int) -> [UInt8] {
        var context = SHA256_CTX()
        SHA256_Init(&context)
        update(&context, bytes)
        return finish(&context, prefix: prefix)
    }

    /// 48 octets.
    package static func sha384(_ bytes: [UInt8]) -> [UInt8] {
        var context = SHA512_CTX()
        SHA384_Init(&context)
        _ = bytes.withUnsafeBytes { SHA384_Update(&context, $0.baseAddress, $0.count) }
        return [UInt8](unsafeUninitializedCapacity: 48) { buffer, count in
            SHA384_Final(buffer.baseAddress, &context)
            count = 48
        }
    }

    /// HMAC-SHA256 (RFC 2104), 32 octets.
    package static func hmacSHA256(key: some Sequence<UInt8>, message: some Sequence<UInt8>) -> [UInt8] {
        // A key longer than SHA-256's block of 64 octets is replaced by its digest.
        var block = Array(key)
        if block.count > 64 { block = sha256(block) }
        block += [UInt8](repeating: 0, count: 64 - block.count)
        var context = SHA256_CTX()
        SHA256_Init(&context)
        update(&context, block.map { $0 ^ 0x36 })
        update(&context, message)
        let inner = finish(&context)
        SHA256_Init(&context)
        update(&context, block.map { $0 ^ 0x5C })
        update(&context, inner)
        block.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        return finish(&context)
    }

    /// Compares in a time that depends on the lengths alone.
    package static func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }

    private static func update(_ context: inout SHA256_CTX, _ bytes: some Sequence<UInt8>) {
        let isContiguous: Void? = bytes.withContiguousStorageIfAvailable { buffer in
            _ = SHA256_Update(&context, buffer.baseAddress, buffer.count)
        }
        if isContiguous == nil {
            _ = Array(bytes).withUnsafeBytes { SHA256_Update(&context, $0.baseAddress, $0.count) }
        }
    }

    private static func finish(_ context: inout SHA256_CTX, prefix: Int = 32) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            SHA256_Final(buffer.baseAddress, &context)
            count = min(prefix, 32)
        }
    }
}
