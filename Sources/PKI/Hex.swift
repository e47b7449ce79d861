/// Lower-case hexadecimal.
package enum Hex {
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: 2 * bytes.count) { target in
            var position = 0
            for byte in bytes {
                target[position] = digit(byte >> 4)
                target[position + 1] = digit(byte & 15)
                position += 2
            }
            return position
        }
    }

    /// The character of a number below 16: computed, since a table would leave a trace of a secret in the cache.
    package static func digit(_ number: UInt8) -> UInt8 { number &+ 0x30 &+ (number &+ 6) >> 4 &* 39 }

    /// Nil unless `text` is an even number of hexadecimal digits of either case.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case 0x30...0x39: digit = character - 0x30
            case 0x61...0x66: digit = character - 0x61 + 10
            case 0x41...0x46: digit = character - 0x41 + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }
}
