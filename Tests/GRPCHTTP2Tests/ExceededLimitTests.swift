import Foundation
import GRPCHTTP2
import NIOCore
import NIOHPACK
import NIOHTTP2
import Testing

/// Whoever goes beyond a limit is counted under its name, and told when to come again.
@Suite struct ExceededLimitTests {
    private func limits(_ change: (inout ConnectionLimits) -> Void) -> ConnectionLimits {
        var limits = Wire.limits
        change(&limits)
        return limits
    }

    @Test func `One stream more than the limit`() throws {
        let wire = try Wire()
        try wire.exchange()
        for id in [1, 3, 5, 7] as [HTTP2StreamID] { try wire.force(id) }
        #expect(wire.exceeded == [])
        try wire.force(9)
        #expect(wire.exceeded == [.streamsPerConnection])
    }

    @Test func `A message that is too long`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.data(1, Wire.framed(String(repeating: "x", count: 1001)))
        #expect(try wire.exchange().contains { $0.contains("grpc-status=8") })
        #expect(wire.exceeded == [.messageBytes])
    }

    @Test func `Large messages begun on many streams and finished on none`() throws {
        let wire = try Wire()
        for id in [1, 3, 5] as [HTTP2StreamID] {
            try wire.open(id)
            try wire.data(id, Array(Wire.framed(String(repeating: "x", count: 999)).dropLast()))
        }
        #expect(try wire.exchange().contains { $0.contains("grpc-status=8") })
        #expect(wire.exceeded == [.heldBytes])
    }

    @Test func `Of messages that are begun on many connections and not finished, those that began first go`() throws {
        let wire = try Wire(limits: limits { $0.heldBytesPerLoop = 1500 })
        let half = Array(Wire.framed(String(repeating: "x", count: 700)).dropLast())
        var lines: [String] = []
        for id in [1, 3] as [HTTP2StreamID] {
            try wire.open(id)
            try wire.data(id, half)
            lines += try wire.exchange()
        }
        #expect(lines == [] && wire.exceeded == [])
        // Whole at once, so that it never counts.
        try wire.open(5)
        try wire.say(5, String(repeating: "y", count: 900))
        #expect(wire.calls.map(\.events) == [[], [], ["received 900 octets"]])
        try wire.open(7)
        try wire.data(7, Array(half.prefix(200)))
        lines = try wire.exchange()
        #expect(lines.first?.hasPrefix("1 headers :status=200 content-type=application/grpc grpc-status=8") == true)
        #expect(wire.calls.map(\.events) == [["ended"], [], ["received 900 octets"], []])
        #expect(wire.exceeded == [.heldBytes])
        // Who was not the first finishes.
        try wire.data(3, [UInt8(ascii: "x")])
        try wire.exchange()
        #expect(wire.calls[1].events == ["received 700 octets"])
    }

    @Test func `Messages that come in pieces, thousands one after another, cost no room when they are whole`() throws {
        let wire = try Wire(limits: limits { $0.heldBytesPerLoop = 1000 })
        try wire.open(1)
        wire.calls[0].readsOn = true
        let message = Wire.framed(String(repeating: "x", count: 600))
        for _ in 0..<2000 {
            try wire.data(1, Array(message.prefix(300)))
            try wire.exchange()
            try wire.data(1, Array(message.dropFirst(300)))
            try wire.exchange()
        }
        #expect(wire.calls[0].events.count == 2000 && wire.exceeded == [])
    }

    @Test func `Headers that are too long`() throws {
        let wire = try Wire()
        var head = Wire.head
        for number in 0..<40 { head.add(name: "x-\(number)", value: String(repeating: "X", count: 1030)) }
        try wire.exchange()
        try wire.force(1, head)
        #expect(!wire.isOpen)
        #expect(wire.exceeded == [.headerBytes])
    }

    @Test func `A handshake that takes too long, and a connection without a call`() throws {
        let handshaking = try Wire(limits: limits { $0.handshake = .seconds(10) })
        _ = try handshaking.pass(.seconds(11))
        #expect(!handshaking.isOpen && handshaking.exceeded == [.handshakeTime])
        let silent = try Wire()
        _ = try silent.pass(.seconds(21))
        #expect(!silent.isOpen && silent.exceeded == [.firstCallTime])
    }

    @Test func `A flood of pings`() throws {
        let wire = try Wire()
        try wire.open(1)
        for _ in 0..<4 {
            try wire.write(.rootStream, .ping(HTTP2PingData(), ack: false))
            try wire.exchange()
        }
        #expect(wire.exceeded == [.pings])
    }

    @Test func `A connection that behaves is counted nowhere`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.say(1, "hello", endStream: true)
        wire.calls[0].call.end(.ok)
        _ = try wire.pass(.seconds(61))
        #expect(!wire.isOpen && wire.exceeded == [])
    }

    @Test(arguments: [
        (Duration.milliseconds(1), "1", [0x10, 0xC0, 0x84, 0x3D]), (.seconds(1), "1000", [0x08, 1]),
        (.microseconds(1500), "2", [0x10, 0x80, 0x89, 0x7A]), (.zero, "0", []),
        (.seconds(3_600_000), "3600000000", [0x08, 0x80, 0xDD, 0xDB, 0x01]),
    ])
    func `A delay stands in both trailers that clients know`(delay: Duration, milliseconds: String, encoded: [UInt8]) throws {
        let wire = try Wire()
        try wire.open(1)
        wire.calls[0].call.end(GRPCStatus(code: .resourceExhausted, message: "zu oft – später", retryAfter: delay))
        let line = try #require(try wire.exchange().first)
        let fields = Dictionary(
            line.split(separator: " ").compactMap { field in
                field.firstIndex(of: "=").map { (String(field[..<$0]), String(field[field.index(after: $0)...])) }
            }, uniquingKeysWith: { first, _ in first })
        #expect(fields["grpc-status"] == "8")
        #expect(fields["grpc-retry-pushback-ms"] == milliseconds)
        let text = try #require(fields["grpc-status-details-bin"])
        #expect(!text.contains("="))
        let octets = try #require(Data(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)))
        // Field 1 is the code, field 2 the message.
        #expect(octets.starts(with: [0x08, 8, 0x12, UInt8("zu oft – später".utf8.count)] + Array("zu oft – später".utf8)))
        #expect(octets.range(of: Data("type.googleapis.com/google.rpc.RetryInfo".utf8)) != nil)
        // The Duration in the RetryInfo in the Any, which is the last there is.
        let size = UInt8(encoded.count)
        #expect(octets.suffix(encoded.count + 4) == Data([0x12, size + 2, 0x0A, size] + encoded))
    }

    @Test func `Where nothing is said of a delay there is none`() throws {
        let wire = try Wire()
        try wire.open(1)
        wire.calls[0].call.end(GRPCStatus(code: .resourceExhausted, message: "no"))
        #expect(try wire.exchange().allSatisfy { !$0.contains("retry") && !$0.contains("details") })
    }
}
