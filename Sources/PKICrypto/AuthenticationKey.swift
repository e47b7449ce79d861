import COpenSSL

/// A key of HMAC-SHA256 (RFC 2104), with what every message's code begins with digested already.
///
/// The code of a short message is then two blocks of SHA-256, not four, and nothing is allocated for it. Never printed.
package final class AuthenticationKey: Sendable {
    /// The inner and the outer digest after the key's own block, one after the other: whoever has them can make codes.
    private let states: SecretBytes

    /// `key` stays the caller's.
    package init(_ key: SecretBytes) {
        states = key.withUnsafeBytes { key in
            withUnsafeTemporaryAllocation(byteCount: AuthenticationKey.block, alignment: 8) { block in
                defer { OPENSSL_cleanse(block.baseAddress, block.count) }
                block.initializeMemory(as: UInt8.self, repeating: 0)
                // A key longer than a block is replaced by its digest.
                var hashed = key.count > block.count ? Digest.sha256(key) : []
                block.copyBytes(from: hashed.isEmpty ? Array(key) : hashed)
                hashed.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
                return SecretBytes(capacity: 2 * MemoryLayout<SHA256_CTX>.stride) { states in
                    for (index, pad) in [0x36 as UInt8, 0x5C].enumerated() {
                        for place in block.indices { block[place] ^= pad }
                        var context = SHA256_CTX()
                        SHA256_Init(&context)
                        SHA256_Update(&context, block.baseAddress, block.count)
                        states.storeBytes(
                            of: context, toByteOffset: index * MemoryLayout<SHA256_CTX>.stride, as: SHA256_CTX.self)
                        for place in block.indices { block[place] ^= pad }
                        AuthenticationKey.wipe(&context)
                    }
                    return states.count
                }
            }
        }
    }

    /// Writes the 32 octets of the message's code to the beginning of `target`.
    package func writeCode(of message: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) {
        precondition(target.count >= AuthenticationKey.codeCount)
        states.withUnsafeBytes { states in
            let octets = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
            var context = states.loadUnaligned(as: SHA256_CTX.self)
            SHA256_Update(&context, message.baseAddress, message.count)
            SHA256_Final(octets, &context)
            context = states.loadUnaligned(fromByteOffset: MemoryLayout<SHA256_CTX>.stride, as: SHA256_CTX.self)
            SHA256_Update(&context, octets, AuthenticationKey.codeCount)
            SHA256_Final(octets, &context)
            AuthenticationKey.wipe(&context)
        }
    }

    private static func wipe(_ context: inout SHA256_CTX) {
        OPENSSL_cleanse(&context, MemoryLayout<SHA256_CTX>.size)
    }

    /// The octets of a code.
    package static let codeCount = 32
    /// SHA-256's.
    private static let block = 64
}

extension AuthenticationKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "authentication key (redacted)" }
    package var debugDescription: String { description }
    /// Empty, so that `dump` shows no more than `print`.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
