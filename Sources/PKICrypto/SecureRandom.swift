import COpenSSL

/// OpenSSL's random generator: each thread has its own, seeded from the kernel.
package enum SecureRandom {
    /// `count` random octets.
    ///
    /// A generator that cannot be seeded is no state that a service may go on in, and nothing from outside leads there.
    package static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            precondition(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "OpenSSL's random generator has no entropy")
            written = count
        }
    }
}
