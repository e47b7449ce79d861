import NIOCore

/// The fields of one protobuf message in their order, as slices: nothing is copied, and what nobody asks for is passed over.
struct MessageFields {
    struct Malformed: Error, CustomStringConvertible {
        let description = "the service sent a message that is no protobuf"
    }

    private var rest: ByteBuffer

    init(_ message: ByteBuffer) { rest = message }

    /// The next field that is a string, octets or a message; nil at the end.
    mutating func next() throws(Malformed) -> (number: Int, value: ByteBuffer)? {
        while rest.readableBytes > 0 {
            let tag = try varint()
            switch tag & 7 {
            case 0: _ = try varint()
            case 1: try skip(8)
            case 2:
                let length = try varint()
                guard let count = Int(exactly: length), let value = rest.readSlice(length: count) else { throw Malformed() }
                return (Int(truncatingIfNeeded: tag >> 3), value)
            case 5: try skip(4)
            default: throw Malformed()
            }
        }
        return nil
    }

    /// The last field of this number, as protobuf has it; nil where there is none.
    static func field(_ number: Int, of message: ByteBuffer) throws(Malformed) -> ByteBuffer? {
        var fields = MessageFields(message)
        var found: ByteBuffer?
        while let field = try fields.next() {
            if field.number == number { found = field.value }
        }
        return found
    }

    private mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.readInteger(as: UInt8.self) else { throw Malformed() }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Malformed()
    }

    private mutating func skip(_ count: Int) throws(Malformed) {
        guard rest.readableBytes >= count else { throw Malformed() }
        rest.moveReaderIndex(forwardBy: count)
    }
}
