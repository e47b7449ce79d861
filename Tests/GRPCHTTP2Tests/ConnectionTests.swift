import GRPCHTTP2
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOTLS
import Testing

/// A connection with its calls: limits, time, the end.
@Suite struct ConnectionTests {
    private func limits(_ change: (inout ConnectionLimits) -> Void) -> ConnectionLimits {
        var limits = Wire.limits
        change(&limits)
        return limits
    }

    // MARK: Windows

    @Test func `A client that sends much is given room again, on the stream and on the connection`() throws {
        let wire = try Wire(limits: limits { $0.messageBytes = 100_000 })
        try wire.open(1)
        wire.calls[0].readsOn = true
        var lines: [String] = []
        for _ in 0..<10 { lines += try wire.say(1, String(repeating: "x", count: 16_000)) }
        #expect(wire.calls[0].events.count == 10)
        #expect(lines.contains { $0.hasPrefix("0 window +") })
        #expect(lines.contains { $0.hasPrefix("1 window +") })
    }

    @Test func `A message larger than the window comes through`() throws {
        let wire = try Wire(limits: limits { $0.messageBytes = 1 << 20 })
        try wire.open(1)
        let octets = Wire.framed(String(repeating: "x", count: 300_000))
        try wire.data(1, octets)
        try wire.exchange()
        #expect(wire.calls[0].events == ["received 300000 octets"])
    }

    @Test func `While the handler does not read, the stream's window runs out and the other streams go on`() throws {
        let wire = try Wire(limits: limits { $0.messageBytes = 100_000 })
        try wire.open(1)
        try wire.open(3)
        for _ in 0..<4 { try wire.data(1, Wire.framed(String(repeating: "x", count: 15_000))) }
        let lines = try wire.exchange()
        #expect(!lines.contains { $0.hasPrefix("1 window") })
        #expect(lines.contains { $0.hasPrefix("0 window") })
        #expect(wire.calls[0].events == ["received 15000 octets"])
        try wire.say(3, "hello")
        #expect(wire.calls[1].events == ["received hello"])
        for _ in 0..<4 { wire.calls[0].call.readNext() }
        #expect(try wire.exchange().contains { $0.hasPrefix("1 window") })
    }

    @Test func `The buffer of a read is free again when the read is over`() throws {
        let wire = try Wire()
        var read = ByteBufferAllocator().buffer(capacity: 32 << 10)
        while case .byteBuffer(var octets)? = try wire.client.readOutbound(as: IOData.self) { read.writeBuffer(&octets) }
        #expect(read.readableBytes > 0)
        func place() -> UInt { read.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) } }
        let before = place()
        try wire.server.writeInbound(read)
        // The change would be made to a copy, if anybody still held it.
        read.setInteger(UInt8(0), at: read.readerIndex)
        #expect(place() == before)
    }

    // MARK: Limits

    @Test func `A client learns the limit of streams, and opens another when one has ended`() throws {
        let wire = try Wire()
        try wire.exchange()
        for id in [1, 3, 5, 7, 9] as [HTTP2StreamID] { try wire.open(id) }
        #expect(wire.calls.count == 4)
        try wire.write(1, .rstStream(.cancel))
        try wire.exchange()
        #expect(wire.calls.count == 5)
        #expect(wire.isOpen)
    }

    @Test func `A client that opens more streams than the limit loses the connection`() throws {
        let wire = try Wire()
        try wire.exchange()
        for id in [1, 3, 5, 7] as [HTTP2StreamID] { try wire.force(id) }
        #expect(wire.calls.count == 4)
        #expect(wire.isOpen)
        try wire.force(9)
        #expect(!wire.isOpen)
        #expect(wire.calls.map(\.events) == Array(repeating: ["ended"], count: 4))
    }

    @Test func `A head beyond the limit ends the connection`() throws {
        let wire = try Wire()
        var head = Wire.head
        // Some 17,000 octets as they are counted, and fewer than a frame holds as they are sent.
        for number in 0..<16 { head.add(name: "x-\(number)", value: String(repeating: "e", count: 1030)) }
        try wire.exchange()
        #expect(try wire.open(1, head).first?.hasPrefix("away ") == true)
        #expect(wire.calls.isEmpty)
        #expect(!wire.isOpen)
    }

    @Test func `What is no HTTP 2 ends the connection`() throws {
        let wire = try Wire()
        try wire.exchange()
        do { try wire.server.writeInbound(ByteBuffer(repeating: 0xFF, count: 64)) } catch {}
        #expect(!wire.isOpen)
    }

    @Test func `Pings at the agreed pace are answered`() throws {
        let wire = try Wire()
        try wire.open(1)
        for _ in 0..<20 {
            try wire.write(.rootStream, .ping(HTTP2PingData(), ack: false))
            #expect(try wire.exchange() == ["pong"])
            #expect(try wire.pass(.seconds(5)).isEmpty)
        }
        #expect(wire.isOpen)
    }

    @Test func `A flood of pings ends the connection, and says why`() throws {
        let wire = try Wire()
        try wire.open(1)
        var lines: [String] = []
        for _ in 0..<4 {
            try wire.write(.rootStream, .ping(HTTP2PingData(), ack: false))
            lines += try wire.exchange()
        }
        #expect(lines.last == "away 1 calm too_many_pings")
        #expect(!wire.isOpen)
        #expect(wire.calls[0].events == ["ended"])
    }

    @Test func `Pings that follow what the server sent are no flood`() throws {
        let wire = try Wire()
        try wire.open(1)
        for number in 0..<20 {
            wire.calls[0].send("\(number)")
            try wire.write(.rootStream, .ping(HTTP2PingData(), ack: false))
            try wire.exchange()
        }
        #expect(wire.isOpen)
    }

    @Test func `A stream of resets ends the connection`() throws {
        let wire = try Wire()
        try wire.exchange()
        for number in 0..<150 where wire.isOpen {
            let id = HTTP2StreamID(2 * number + 1)
            do {
                try wire.open(id)
                try wire.write(id, .rstStream(.cancel))
                try wire.exchange()
            } catch {}
        }
        #expect(!wire.isOpen)
    }

    // MARK: Time

    @Test func `A handshake that does not come to its end is given up`() throws {
        let wire = try Wire(limits: limits { $0.handshake = .seconds(10) })
        _ = try wire.pass(.milliseconds(9900))
        #expect(wire.isOpen)
        _ = try wire.pass(.milliseconds(200))
        #expect(!wire.isOpen)
    }

    @Test func `After the handshake the first call has its own time`() throws {
        let wire = try Wire(limits: limits { $0.handshake = .seconds(10) })
        wire.server.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: "h2"))
        _ = try wire.pass(.milliseconds(19_900))
        #expect(wire.isOpen)
        _ = try wire.pass(.milliseconds(200))
        #expect(!wire.isOpen)
    }

    @Test func `A connection with a call is not closed, however quiet, while it answers pings`() throws {
        let wire = try Wire()
        try wire.open(1)
        for _ in 0..<40 { _ = try wire.pass(.seconds(5)) }
        #expect(wire.isOpen)
    }

    @Test func `A client that answers no ping is gone`() throws {
        let wire = try Wire()
        try wire.open(1)
        wire.loop.advanceTime(by: .milliseconds(30_100))
        #expect(wire.isOpen)
        // What it would answer is not carried.
        wire.loop.advanceTime(by: .milliseconds(20_100))
        #expect(!wire.isOpen)
        #expect(wire.calls[0].events == ["ended"])
    }

    @Test func `A connection without calls goes away after its time`() throws {
        let wire = try Wire()
        try wire.open(1, endStream: true)
        wire.calls[0].call.end(.ok)
        try wire.exchange()
        for _ in 0..<11 { _ = try wire.pass(.seconds(5)) }
        #expect(wire.isOpen)
        #expect(try wire.pass(.milliseconds(5100)) == ["away 1 none"])
        #expect(!wire.isOpen)
    }

    @Test func `A call that comes in time keeps the connection`() throws {
        let wire = try Wire()
        try wire.open(1, endStream: true)
        wire.calls[0].call.end(.ok)
        for _ in 0..<11 { _ = try wire.pass(.seconds(5)) }
        try wire.open(3)
        for _ in 0..<20 { _ = try wire.pass(.seconds(5)) }
        #expect(wire.isOpen)
    }

    // MARK: Going away

    @Test func `A server that stops asks its calls to end, and closes when they have`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.open(3)
        wire.server.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(try wire.exchange() == ["away 3 none"])
        #expect(wire.calls.map(\.events) == [["goingAway"], ["goingAway"]])
        wire.calls[0].call.end(.goingAway)
        #expect(try wire.exchange().first?.contains("grpc-status=14 grpc-message=going away: reconnect end") == true)
        #expect(wire.isOpen)
        wire.calls[1].call.end(.goingAway)
        try wire.exchange()
        #expect(!wire.isOpen)
    }

    @Test func `A connection that is silent when the server stops is closed at once`() throws {
        let wire = try Wire()
        try wire.exchange()
        wire.server.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(!wire.isOpen)
    }

    @Test func `A call that crosses the farewell is not begun`() throws {
        let wire = try Wire()
        try wire.open(1)
        wire.server.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        // The farewell is still on its way.
        try wire.write(3, .headers(.init(headers: Wire.head)))
        do { try wire.exchange() } catch {}
        #expect(wire.calls.count == 1)
    }

    // MARK: What handlers see

    @Test func `The verified chain and the address are there for the calls`() throws {
        let wire = try Wire(chain: { [[1, 2], [3]] })
        try wire.open(1)
        #expect(wire.calls[0].call.connection.peerChain == [[1, 2], [3]])
        #expect(wire.calls[0].call.path == Wire.path)
    }

    @Test func `Calls of one connection share what they made`() throws {
        final class Counter {}
        let wire = try Wire()
        try wire.open(1)
        try wire.open(3)
        let first = wire.calls[0].call.connection.shared { Counter() }
        #expect(wire.calls[1].call.connection.shared { Counter() } === first)
    }
}
