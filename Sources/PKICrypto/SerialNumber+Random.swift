package import PKI
import Synchronization

extension SerialNumber {
    /// A fresh random serial number.
    ///
    /// Serials are public, so the octets for many are drawn at once: a draw costs OpenSSL the same for 17 octets as for
    /// a thousand, and would be a quarter of all that issuing costs beside the signature.
    package static func random() -> SerialNumber { SerialNumber(random: pool.withLock { $0.next() }) }

    private struct Pool {
        /// Octets that no serial has yet; taken from the end.
        var octets: [UInt8] = []

        mutating func next() -> [UInt8] {
            if octets.isEmpty { octets = SecureRandom.bytes(64 * SerialNumber.count) }
            let serial = Array(octets.suffix(SerialNumber.count))
            octets.removeLast(SerialNumber.count)
            return serial
        }
    }

    private static let pool = Mutex(Pool())
}
