/// Base64 (RFC 4648 §4), written so that neither its time nor its memory accesses depend on the data.
///
/// Private keys are encoded with it: a table lookup would leave a trace of the key in the cache.
package enum Base64 {
    /// How many characters `count` octets become, padding included.
    package static func encodedCount(of count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Writes the characters of `source` to the beginning of `target`, which must be large enough; gives their number.
    package static func encode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        precondition(target.count >= encodedCount(of: source.count))
        var from = 0
        var to = 0
        while from + lineOctets <= source.count {
            target.storeBytes(of: characters(words(of: source, at: from)), toByteOffset: to, as: SIMD8<UInt64>.self)
            from += lineOctets
            to += lineCharacters
        }
        while from + 6 <= source.count {
            target.storeBytes(of: characters(word(of: source, at: from)), toByteOffset: to, as: UInt64.self)
            from += 6
            to += 8
        }
        guard from < source.count else { return to }
        var bits: UInt64 = 0
        for (index, octet) in source[from...].enumerated() { bits |= UInt64(octet) << UInt64(40 - 8 * index) }
        let left = source.count - from
        // Eight bits an octet, six a character; the bits that the last character lacks are zero.
        let significant = (left * 8 + 5) / 6
        withUnsafeBytes(of: characters(bits)) { rest in
            for index in 0..<encodedCount(of: left) { target[to + index] = index < significant ? rest[index] : 0x3D }
        }
        return to + encodedCount(of: left)
    }

    /// Nil unless `characters` are canonical base64: whole groups, padding only at the end, no stray bits.
    package static func decode(_ characters: [UInt8]) -> [UInt8]? {
        guard characters.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        for start in stride(from: 0, to: characters.count, by: 4) {
            let group = characters[start..<start + 4]
            let padding = group.reversed().prefix { $0 == 0x3D }.count
            guard padding <= 2, padding == 0 || start + 4 == characters.count else { return nil }
            var bits: UInt32 = 0
            for character in group.dropLast(padding) {
                guard let value = value(of: character) else { return nil }
                bits = bits << 6 | value
            }
            bits <<= 6 * UInt32(padding)
            bytes.append(UInt8(bits >> 16))
            if padding < 2 { bytes.append(UInt8(bits >> 8 & 255)) } else if bits & 0xFFFF != 0 { return nil }
            if padding < 1 { bytes.append(UInt8(bits & 255)) } else if bits & 0xFF != 0 { return nil }
        }
        return bytes
    }

    /// Six octets, big-endian.
    private static func word(of source: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
        let high = UInt32(bigEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        let low = UInt16(bigEndian: source.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self))
        return UInt64(high) << 16 | UInt64(low)
    }

    /// The eight words of 48 octets.
    private static func words(of source: UnsafeRawBufferPointer, at offset: Int) -> SIMD8<UInt64> {
        var words = SIMD8<UInt64>()
        // Eight octets are read and the last two cut off; of the last word, which ends where the source may, the first two.
        for index in 0..<7 {
            let octets = source.loadUnaligned(fromByteOffset: offset + 6 * index, as: UInt64.self)
            words[index] = UInt64(bigEndian: octets) >> 16
        }
        words[7] = UInt64(bigEndian: source.loadUnaligned(fromByteOffset: offset + 40, as: UInt64.self)) & 0xFFFF_FFFF_FFFF
        return words
    }

    /// The eight characters of 48 bits, in their order in memory, computed in all eight octets at once.
    ///
    /// The offset from a value to its ASCII character changes at 26, 52, 62 and 63. No sum leaves its octet: values are
    /// below 64, and what is subtracted is subtracted only from values that are large enough.
    private static func characters(_ bits: UInt64) -> UInt64 {
        let values = sextets(bits)
        let ones: UInt64 = 0x0101_0101_0101_0101
        // One in each octet whose value reaches the limit.
        func reaching(_ limit: UInt64) -> UInt64 { (values &+ (128 &- limit) &* ones) >> 7 & ones }
        let letters = values &+ 65 &* ones &+ 6 &* reaching(26)
        return (letters &- 75 &* reaching(52) &- 15 &* reaching(62) &+ 3 &* reaching(63)).littleEndian
    }

    /// As for one word, of a whole line of eight: additions and shifts alone, which the processor does of several words at once.
    private static func characters(_ bits: SIMD8<UInt64>) -> SIMD8<UInt64> {
        let by24 = bits &>> 24 | (bits & 0x00FF_FFFF) &<< 32
        let by12 = (by24 &>> 12) & 0x0000_0FFF_0000_0FFF | (by24 & 0x0000_0FFF_0000_0FFF) &<< 16
        let values = (by12 &>> 6) & 0x003F_003F_003F_003F | (by12 & 0x003F_003F_003F_003F) &<< 8
        let ones: UInt64 = 0x0101_0101_0101_0101
        // 128 in each octet whose value reaches the limit; shifted, a power of two of what is to be added or subtracted.
        func reaching(_ limit: UInt64) -> SIMD8<UInt64> { (values &+ (128 &- limit) &* ones) & 0x8080_8080_8080_8080 }
        let (lower, digits, plus, slash) = (reaching(26), reaching(52), reaching(62), reaching(63))
        var characters = values &+ 65 &* ones
        characters = characters &+ (lower &>> 6) &+ (lower &>> 5)
        // 75 = 64 + 8 + 2 + 1, 15 = 16 - 1, 3 = 2 + 1.
        characters = characters &- (digits &>> 1) &- (digits &>> 4) &- (digits &>> 6) &- (digits &>> 7)
        characters = characters &- (plus &>> 3) &+ (plus &>> 7)
        characters = characters &+ (slash &>> 6) &+ (slash &>> 7)
        return littleEndian(characters)
    }

    private static func littleEndian(_ words: SIMD8<UInt64>) -> SIMD8<UInt64> {
        #if _endian(little)
            words
        #else
            SIMD8(words.indices.map { words[$0].littleEndian })
        #endif
    }

    /// Eight groups of six bits, each in an octet of its own, the first in the lowest.
    ///
    /// Each step halves the groups and puts the first half below the second: 24 bits, 12, then 6.
    private static func sextets(_ bits: UInt64) -> UInt64 {
        let by24 = bits >> 24 | (bits & 0x00FF_FFFF) << 32
        let mask12: UInt64 = 0x0000_0FFF_0000_0FFF
        let by12 = (by24 >> 12) & mask12 | (by24 & mask12) << 16
        let mask6: UInt64 = 0x003F_003F_003F_003F
        return (by12 >> 6) & mask6 | (by12 & mask6) << 8
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case 0x41...0x5A: UInt32(character - 0x41)
        case 0x61...0x7A: UInt32(character - 0x61 + 26)
        case 0x30...0x39: UInt32(character - 0x30 + 52)
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }

    /// A line of PEM (RFC 7468 §2), which is encoded at once.
    private static let lineOctets = 48
    private static let lineCharacters = 64
}
