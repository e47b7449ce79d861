import COpenSSL
import Glibc

/// Octets that must not leak: owned here alone, wiped when the last reference goes, never printed or encoded.
///
/// Sendable because the memory is written before `init` returns and only read afterwards.
package final class SecretBytes: @unchecked Sendable {
    /// Allocated and freed by this object; on no other path is it written.
    private let memory: UnsafeMutableRawBufferPointer
    /// Whether `memory` is pages of its own, and not of the heap.
    private let isPages: Bool
    /// How many octets there are.
    package let count: Int

    /// Lets `body` fill up to `capacity` octets and say how many they are.
    package init(capacity: Int, initializingWith body: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(capacity, 1), alignment: 16)
        do {
            let count = try body(UnsafeMutableRawBufferPointer(rebasing: memory[..<capacity]))
            precondition(count <= capacity)
            self.memory = memory
            self.isPages = false
            self.count = count
        } catch {
            OPENSSL_cleanse(memory.baseAddress, memory.count)
            memory.deallocate()
            throw error
        }
    }

    /// Copies `bytes`; the caller's own copy is the caller's to wipe.
    package convenience init(_ bytes: some Collection<UInt8>) {
        self.init(capacity: bytes.count) { memory in
            memory.copyBytes(from: bytes)
            return bytes.count
        }
    }

    /// Takes the contents of `bytes` and leaves zeroes there.
    package convenience init(wiping bytes: inout [UInt8]) {
        self.init(bytes)
        bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    /// Fresh random octets.
    package static func random(_ count: Int) -> SecretBytes {
        var bytes = SecureRandom.bytes(count)
        return SecretBytes(wiping: &bytes)
    }

    /// The same octets in pages of their own, which are neither swapped out nor part of a core dump: for a secret that lives as
    /// long as the process. The caller's goes when its last reference does.
    ///
    /// Where the system has no page left, or may lock none (RLIMIT_MEMLOCK), the secret is as safe as any other one.
    package func locked() -> SecretBytes {
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        let length = (max(count, 1) + pageSize - 1) / pageSize * pageSize
        guard let address = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), address != MAP_FAILED
        else { return self }
        mlock(address, length)
        madvise(address, length, SecretBytes.dontDump)
        let pages = UnsafeMutableRawBufferPointer(start: address, count: length)
        withUnsafeBytes { pages.copyMemory(from: $0) }
        return SecretBytes(pages: pages, count: count)
    }

    private init(pages: UnsafeMutableRawBufferPointer, count: Int) {
        memory = pages
        isPages = true
        self.count = count
    }

    /// MADV_DONTDUMP (madvise(2)), the same number on every architecture; Swift does not import it.
    private static let dontDump: Int32 = 16

    deinit {
        OPENSSL_cleanse(memory.baseAddress, memory.count)
        guard isPages else { return memory.deallocate() }
        // Unmapping unlocks.
        munmap(memory.baseAddress, memory.count)
    }

    /// The octets, for the duration of `body`; a copy made there is no longer protected.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Whether both hold the same octets, in constant time.
    package func isEqual(to other: SecretBytes) -> Bool {
        count == other.count
            && withUnsafeBytes { left in
                other.withUnsafeBytes { CRYPTO_memcmp(left.baseAddress, $0.baseAddress, left.count) == 0 }
            }
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "secret (\(count) octets, redacted)" }
    package var debugDescription: String { description }
    /// Empty, so that `dump` shows no more than `print`.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
