import NIOCore

/// One HTTP/2 frame (RFC 9113, section 4.1), as far as a client that opens a few streams needs to know it.
///
/// Written by hand, for the load generator shares the machine with the service that it measures: a stream costs it a slot in an
/// array, not a channel.
struct HTTP2Frame {
    enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let resetStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    enum Flag {
        /// ACK, of settings and pings; END_STREAM, of data and headers.
        static let first: UInt8 = 0x1
        static let endHeaders: UInt8 = 0x4
        static let padded: UInt8 = 0x8
    }

    /// What a client says first.
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// The window of connection and stream, until a peer says otherwise.
    static let initialWindow = 65_535
    static let headerLength = 9
    /// SETTINGS_INITIAL_WINDOW_SIZE.
    static let initialWindowSetting: UInt16 = 4

    var kind: UInt8
    var flags: UInt8
    var stream: Int
    var payload: ByteBuffer

    /// Takes one whole frame from the front of `buffer`; nil where there is none yet.
    init?(from buffer: inout ByteBuffer) {
        let start = buffer.readerIndex
        guard let head = buffer.getInteger(at: start, as: UInt32.self), buffer.readableBytes >= HTTP2Frame.headerLength,
            let flags = buffer.getInteger(at: start + 4, as: UInt8.self),
            let stream = buffer.getInteger(at: start + 5, as: UInt32.self),
            let payload = buffer.getSlice(at: start + HTTP2Frame.headerLength, length: Int(head >> 8))
        else { return nil }
        buffer.moveReaderIndex(forwardBy: HTTP2Frame.headerLength + payload.readableBytes)
        kind = UInt8(truncatingIfNeeded: head)
        self.flags = flags
        self.stream = Int(stream & 0x7FFF_FFFF)
        self.payload = payload
    }

    static func writeHeader(_ kind: UInt8, flags: UInt8 = 0, stream: Int = 0, length: Int, to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(UInt32(length) << 8 | UInt32(kind), flags, UInt32(stream))
    }

    /// Preface, settings and a connection window so wide that nothing ever has to be added to it: an hour of re-issuing brings a
    /// proxy a few megabytes.
    static func writeOpening(to buffer: inout ByteBuffer) {
        let window: UInt32 = 1 << 28
        buffer.writeBytes(preface)
        writeHeader(Kind.settings, length: 6, to: &buffer)
        buffer.writeMultipleIntegers(initialWindowSetting, window)
        writeHeader(Kind.windowUpdate, length: 4, to: &buffer)
        buffer.writeInteger(window)
    }
}
