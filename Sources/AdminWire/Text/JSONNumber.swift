/// The grammar of a JSON number (RFC 8259 §6).
enum JSONNumber {
    static func isValid(_ text: some StringProtocol) -> Bool {
        var rest = text.utf8[...]
        if rest.first == 0x2D { rest.removeFirst() }
        guard let first = rest.first, isDigit(first) else { return false }
        if first == 0x30 { rest.removeFirst() } else { skipDigits(&rest) }
        if rest.first == 0x2E {
            rest.removeFirst()
            guard let digit = rest.first, isDigit(digit) else { return false }
            skipDigits(&rest)
        }
        if rest.first == 0x65 || rest.first == 0x45 {
            rest.removeFirst()
            if rest.first == 0x2B || rest.first == 0x2D { rest.removeFirst() }
            guard let digit = rest.first, isDigit(digit) else { return false }
            skipDigits(&rest)
        }
        return rest.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func skipDigits<Bytes: Collection<UInt8>>(_ bytes: inout Bytes) where Bytes.SubSequence == Bytes {
        bytes = bytes.drop { isDigit($0) }
    }
}
