/// Writes the Distinguished Encoding Rules (X.690 §10) of the types that certificates are made of.
///
/// Every function gives the whole encoding, tag and length included; structures are built from the inside out. It runs
/// when a template is compiled, not for each certificate, so clarity is worth more than copies.
package enum DER {
    /// SEQUENCE of parts that are already encoded.
    package static func sequence(_ parts: [UInt8]...) -> [UInt8] { encoded(tag: 0x30, parts.flatMap { $0 }) }

    /// SEQUENCE of parts that are already encoded.
    package static func sequence(of parts: [[UInt8]]) -> [UInt8] { encoded(tag: 0x30, parts.flatMap { $0 }) }

    /// SET OF one element; with one there is nothing to sort (X.690 §11.6).
    package static func set(of element: [UInt8]) -> [UInt8] { encoded(tag: 0x31, element) }

    /// INTEGER that is not negative, big-endian, in the fewest octets (X.690 §8.3.2).
    package static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        var octets = Array(magnitude.drop { $0 == 0 })
        if octets.first.map({ $0 >= 0x80 }) ?? true { octets.insert(0, at: 0) }
        return encoded(tag: 0x02, octets)
    }

    /// INTEGER of a small number.
    package static func integer(_ number: UInt32) -> [UInt8] {
        integer([UInt8(number >> 24), UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)])
    }

    /// BOOLEAN: DER's true is 0xFF (X.690 §11.1).
    package static func boolean(_ value: Bool) -> [UInt8] { encoded(tag: 0x01, [value ? 0xFF : 0]) }

    /// NULL.
    package static let null: [UInt8] = [0x05, 0x00]

    /// OBJECT IDENTIFIER of at least two arcs (X.690 §8.19).
    package static func objectIdentifier(_ arcs: UInt32...) -> [UInt8] {
        precondition(arcs.count >= 2)
        var octets: [UInt8] = []
        for arc in [arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2) {
            var groups = [UInt8(arc & 0x7F)]
            var rest = arc >> 7
            while rest > 0 {
                groups.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            octets += groups.reversed()
        }
        return encoded(tag: 0x06, octets)
    }

    /// OCTET STRING.
    package static func octetString(_ octets: [UInt8]) -> [UInt8] { encoded(tag: 0x04, octets) }

    /// BIT STRING of whole octets.
    package static func bitString(_ octets: [UInt8]) -> [UInt8] { encoded(tag: 0x03, [0] + octets) }

    /// BIT STRING of a named bit list: bit 0 first, no trailing zero bits (X.690 §11.2.2).
    package static func namedBits(_ bits: some Sequence<Int>) -> [UInt8] {
        var octets: [UInt8] = []
        for bit in bits {
            while octets.count <= bit / 8 { octets.append(0) }
            octets[bit / 8] |= 0x80 >> UInt8(bit % 8)
        }
        let unused = UInt8(octets.last?.trailingZeroBitCount ?? 0)
        return encoded(tag: 0x03, [unused] + octets)
    }

    /// UTF8String.
    package static func utf8String(_ text: String) -> [UInt8] { encoded(tag: 0x0C, Array(text.utf8)) }

    /// A primitive type under an implicit context tag, 0 to 30.
    package static func implicit(_ tag: UInt8, _ octets: [UInt8]) -> [UInt8] { encoded(tag: 0x80 | tag, octets) }

    /// A constructed type under a context tag, 0 to 30: explicit, or an implicit SEQUENCE's contents.
    package static func context(_ tag: UInt8, _ contents: [UInt8]...) -> [UInt8] {
        encoded(tag: 0xA0 | tag, contents.flatMap { $0 })
    }

    /// UTCTime from 1950 through 2049, else GeneralizedTime (RFC 5280 §4.1.2.5); nil beyond the years 1 to 9999.
    package static func time(_ time: Timestamp) -> [UInt8]? {
        var bytes: [UInt8] = []
        return append(time, to: &bytes) ? bytes : nil
    }

    /// Appends `time(_:)` to `bytes`; false, and nothing appended, beyond the years 1 to 9999.
    package static func append(_ time: Timestamp, to bytes: inout [UInt8]) -> Bool {
        guard (firstSecond...lastSecond).contains(time.seconds) else { return false }
        let date = CalendarDate(time)
        let isUTCTime = DER.isUTCTime(time)
        bytes.append(isUTCTime ? 0x17 : 0x18)
        bytes.append(isUTCTime ? 13 : 15)
        if !isUTCTime { bytes.append(contentsOf: twoDigits(date.year / 100)) }
        for number in [date.year % 100, date.month, date.day, date.hour, date.minute, date.second] {
            bytes.append(contentsOf: twoDigits(number))
        }
        bytes.append(0x5A)  // Z
        return true
    }

    /// Whether `time` is encoded as UTCTime: the years 1950 to 2049 (RFC 5280 §4.1.2.5).
    package static func isUTCTime(_ time: Timestamp) -> Bool { (firstUTCSecond...lastUTCSecond).contains(time.seconds) }

    /// The octets of a UTCTime.
    package static let utcTimeCount = 15

    /// Writes what `time(_:)` gives for a time that `isUTCTime`.
    static func writeUTCTime(_ time: Timestamp, to target: UnsafeMutableRawBufferPointer, at offset: Int) {
        let date = CalendarDate(time)
        target[offset] = 0x17
        target[offset + 1] = 13
        func write(_ number: Int, _ place: Int) {
            let tens = number / 10
            target[offset + place] = UInt8(truncatingIfNeeded: 0x30 + tens)
            target[offset + place + 1] = UInt8(truncatingIfNeeded: 0x30 + number - 10 * tens)
        }
        write(date.year % 100, 2)
        write(date.month, 4)
        write(date.day, 6)
        write(date.hour, 8)
        write(date.minute, 10)
        write(date.second, 12)
        target[offset + 14] = 0x5A  // Z
    }

    /// Appends tag and definite length (X.690 §10.1), for contents of `count` octets that follow.
    package static func appendHeader(tag: UInt8, count: Int, to bytes: inout [UInt8]) {
        bytes.append(tag)
        switch count {
        case ..<0x80: break
        case ..<0x100: bytes.append(0x81)
        case ..<0x1_0000:
            bytes.append(0x82)
            bytes.append(UInt8(count >> 8))
        default:
            precondition(count < 0x100_0000, "no certificate is as long as 16 MiB")
            bytes.append(0x83)
            bytes.append(UInt8(count >> 16))
            bytes.append(UInt8(count >> 8 & 255))
        }
        bytes.append(UInt8(count & 255))
    }

    /// Writes what `appendHeader` appends to `target` at `offset`; gives the offset after it.
    static func writeHeader(tag: UInt8, count: Int, to target: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let end = offset + headerCount(for: count)
        precondition(count < 0x100_0000, "no certificate is as long as 16 MiB")
        target[offset] = tag
        var rest = count
        for place in (offset + (end == offset + 2 ? 1 : 2)..<end).reversed() {
            target[place] = UInt8(rest & 255)
            rest >>= 8
        }
        if end > offset + 2 { target[offset + 1] = 0x80 | UInt8(end - offset - 2) }
        return end
    }

    /// How many octets `appendHeader` writes for contents of `count` octets.
    package static func headerCount(for count: Int) -> Int {
        count < 0x80 ? 2 : count < 0x100 ? 3 : count < 0x1_0000 ? 4 : 5
    }

    private static func twoDigits(_ number: Int) -> [UInt8] { [UInt8(0x30 + number / 10), UInt8(0x30 + number % 10)] }

    private static func encoded(tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(contents.count + headerCount(for: contents.count))
        appendHeader(tag: tag, count: contents.count, to: &bytes)
        bytes += contents
        return bytes
    }

    /// 1950-01-01T00:00:00Z.
    private static let firstUTCSecond: Int64 = -631_152_000
    /// 2049-12-31T23:59:59Z.
    private static let lastUTCSecond: Int64 = 2_524_607_999
    /// 0001-01-01T00:00:00Z.
    private static let firstSecond: Int64 = -62_135_596_800
    /// 9999-12-31T23:59:59Z, which RFC 5280 §4.1.2.5 reads as "no end".
    private static let lastSecond: Int64 = 253_402_300_799
}
