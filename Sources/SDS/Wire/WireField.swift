internal import NIOCore
internal import PKICrypto

/// A field of Protocol Buffers' wire format whose value has a length: text, octets, or a message.
///
/// What is written by hand here is what every proxy is sent; a test compares it with SwiftProtobuf's octets. Sizes are
/// computed beforehand, so that a message is written into one allocation that fits, and a key stands in memory once.
enum WireField {
    /// Octets of the whole field when its value has `length`.
    static func size(_ number: Int, _ length: Int) -> Int {
        varintSize(number << 3 | lengthDelimited) + varintSize(length) + length
    }

    /// Of text, which is left out when it is empty.
    static func size(_ number: Int, _ text: String) -> Int {
        text.isEmpty ? 0 : size(number, text.utf8.count)
    }

    private static func varintSize(_ value: Int) -> Int {
        max(1, (Int.bitWidth - value.leadingZeroBitCount + 6) / 7)
    }

    fileprivate static let lengthDelimited = 2
}

extension ByteBuffer {
    /// Tag and length of a field, whose value follows.
    mutating func writeField(_ number: Int, _ length: Int) {
        writeVarint(number << 3 | WireField.lengthDelimited)
        writeVarint(length)
    }

    mutating func writeField(_ number: Int, _ text: String) {
        guard !text.isEmpty else { return }
        writeField(number, text.utf8.count)
        writeString(text)
    }

    mutating func writeField(_ number: Int, _ octets: [UInt8]) {
        writeField(number, octets.count)
        writeBytes(octets)
    }

    mutating func writeField(_ number: Int, _ secret: SecretBytes) {
        writeField(number, secret.count)
        secret.withUnsafeBytes { _ = writeBytes($0) }
    }

    private mutating func writeVarint(_ value: Int) {
        var rest = UInt(value)
        while rest > 0x7F {
            writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(rest))
    }
}
