internal import NIOCore

/// Puts the messages of one direction of a call together: each is a flag octet, four octets of length, and the message.
///
/// Nothing is kept of what was taken. A message that came whole in one frame is handed on as a slice of it.
struct MessageReader {
    /// The largest message in octets.
    private let limit: Int
    /// What has come and was not taken; nil: nothing.
    private var rest: ByteBuffer?
    /// Whether `rest` is a slice of all that was read with it.
    private var isBorrowed = false

    init(limit: Int) {
        self.limit = limit
    }

    /// Octets that are held.
    var held: Int { rest?.readableBytes ?? 0 }

    mutating func append(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return }
        guard rest != nil else {
            rest = buffer
            isBorrowed = true
            return
        }
        rest?.discardReadBytes()
        rest?.writeImmutableBuffer(buffer)
    }

    /// The next message, if it is here whole. Nothing can be read after an error.
    mutating func next() throws(MessageFault) -> ByteBuffer? {
        guard let buffer = rest, let flag = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return nil }
        switch flag {
        case 0: break
        case 1: throw .compressed
        default: throw .flag(flag)
        }
        guard let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self) else { return nil }
        guard length <= limit else { throw .tooLong(octets: Int(length), limit: limit) }
        let whole = MessageReader.prefix + Int(length)
        guard buffer.readableBytes >= whole else { return nil }
        let message = buffer.getSlice(at: buffer.readerIndex + MessageReader.prefix, length: Int(length))
        if buffer.readableBytes == whole {
            rest = nil
        } else {
            rest?.moveReaderIndex(forwardBy: whole)
        }
        return message
    }

    /// Makes what is held a copy of its own, so that a few octets do not keep all that was read with them in memory.
    mutating func compact() {
        guard isBorrowed, let buffer = rest else { return }
        isBorrowed = false
        // With room for the message that is coming, as far as its length is known and lawful.
        let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self).map { min(Int($0), limit) } ?? 0
        var copy = ByteBufferAllocator().buffer(capacity: max(buffer.readableBytes, MessageReader.prefix + length))
        copy.writeImmutableBuffer(buffer)
        rest = copy
    }

    /// Forgets what is held.
    mutating func clear() {
        rest = nil
    }

    /// The flag and the length.
    static let prefix = 5
}
