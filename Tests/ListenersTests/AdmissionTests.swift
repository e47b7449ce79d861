import Foundation
import GRPCHTTP2
import Hummingbird
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Listeners

/// Who is let in through a door, one beside the other.
@Suite struct AdmissionTests {
    /// A TCP connection from one of the machine's loopback addresses, that only watches for its end.
    private func connection(from address: String, to port: Int) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(to: SocketAddress(ipAddress: address, port: 0)).connect(host: "127.0.0.1", port: port).get()
    }

    /// Whether the door leaves a connection open; then it is closed here.
    private func stays(_ channel: any Channel) async throws -> Bool {
        do {
            try await within(.milliseconds(300), "its end") { try await channel.closeFuture.get() }
            return false
        } catch is DeadlineExceeded {
            try await channel.close()
            return true
        }
    }

    private func end(of channel: any Channel) async throws {
        try await within(.seconds(10), "the end of the connection") { try await channel.closeFuture.get() }
    }

    @Test func `An address with all its connections gets no more, and another address gets in`() async throws {
        try await Workspace.open("limits") { workspace in
            let open = try OpenDoor(in: workspace)
            var limits = DoorLimits()
            limits.connectionsPerAddress = 2
            limits.handshake = .seconds(60)
            try await whileServing(open.door(limits: limits)) { _ async throws in
                var held: [any Channel] = []
                for _ in 0..<2 { held.append(try await connection(from: "127.0.0.2", to: open.port)) }
                // Until they are accepted they do not count.
                try await eventually(within: .seconds(10), "the limit") {
                    let surplus = try await connection(from: "127.0.0.2", to: open.port)
                    return try await !stays(surplus)
                }
                for channel in held { #expect(channel.isActive) }
                #expect(try await open.request().isAnswered, "from 127.0.0.1")
                for channel in held { try await channel.close() }
                try await eventually(within: .seconds(10), "a free place") {
                    let next = try await connection(from: "127.0.0.2", to: open.port)
                    return try await stays(next)
                }
            }
        }
    }

    @Test func `An address is an IPv4 address or the network of an IPv6 one`() throws {
        func address(_ text: String) throws -> ClientAddress? {
            ClientAddress(try SocketAddress(ipAddress: text, port: Int.random(in: 1...65_535)))
        }
        #expect(try address("10.0.0.1") == address("::ffff:10.0.0.1"))
        #expect(try address("10.0.0.1") != address("10.0.0.2"))
        #expect(try address("2001:db8::1") == address("2001:db8::ffff:1"))
        #expect(try address("2001:db8::1") != address("2001:db8:0:1::1"))
        #expect(try address("::a00:1") != address("10.0.0.1"))
        #expect(ClientAddress(try SocketAddress(unixDomainSocketPath: "/run/x")) == nil)
    }

    // MARK: Handshakes

    /// What was let go, in order.
    private final class Order: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func add(_ name: String) { names.withLock { $0.append(name) } }
    }

    private func address(_ text: String) throws -> ClientAddress? { ClientAddress(try SocketAddress(ipAddress: text, port: 1)) }

    @Test func `Addresses take turns, and one that waits with many waits behind its own`() async throws {
        let queue = HandshakeQueue(limit: 1)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let order = Order()
        #expect(queue.enter(try address("10.0.0.9"), on: loop) == nil)
        var turns: [EventLoopFuture<Void>] = []
        let waiting = [("a1", "10.0.0.1"), ("a2", "10.0.0.1"), ("a3", "10.0.0.1"), ("b1", "10.0.0.2"), ("c1", "10.0.0.3")]
        for (name, text) in waiting {
            let turn = try #require(queue.enter(try address(text), on: loop))
            turns.append(turn.map { order.add(name) })
        }
        for count in 1...5 {
            #expect(queue.waiting == 6 - count)
            queue.leave()
            try await eventually(within: .seconds(10), "the next turn", every: .milliseconds(1)) { order.all.count == count }
        }
        #expect(order.all == ["a1", "b1", "c1", "a2", "a3"])
        queue.leave()
        #expect(queue.enter(try address("10.0.0.1"), on: loop) == nil, "all places are free again")
    }

    @Test func `When the door closes nobody waits any more`() async throws {
        let queue = HandshakeQueue(limit: 1)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        #expect(queue.enter(nil, on: loop) == nil)
        let turns = try (0..<100).map { _ in try #require(queue.enter(nil, on: loop)) }
        queue.end()
        for turn in turns { await #expect(throws: ChannelError.self) { try await turn.get() } }
        #expect(queue.waiting == 0)
    }

    @Test func `A queue gives back what was put in, in order`() {
        var queue = FirstInFirstOut<Int>()
        var expected: [Int] = []
        for number in 0..<1000 {
            queue.append(number)
            expected.append(number)
            if number % 3 != 0 {
                let (first, wanted) = (queue.removeFirst(), expected.removeFirst())
                #expect(first == wanted && queue.count == expected.count)
            }
        }
        while let first = queue.removeFirst() { #expect(first == expected.removeFirst()) }
        #expect(expected.isEmpty && queue.isEmpty)
    }

    private func grpcDoor(_ open: OpenDoor, limits: DoorLimits) throws -> GRPCDoor {
        try GRPCDoor(
            "test", socket: open.socket,
            tls: TLSDoor(
                certificates: open.certificates, clientCertificate: .notAsked, minimumVersion: .tls13, applicationProtocol: .grpc),
            router: CallRouter([:]), limits: limits, logger: quiet)
    }

    /// Whether `openssl`, which shares no line with this code, is through with its handshake before the deadline.
    private func shakesHands(_ open: OpenDoor, within limit: Duration = .seconds(30)) async throws -> Bool {
        // `-ign_eof` is left out: with its input at an end, it closes the connection after the handshake.
        let result = try await Tool.openssl.run(
            [
                "s_client", "-connect", "127.0.0.1:\(open.port)", "-CAfile", open.authorityFile, "-verify_return_error", "-alpn",
                "h2",
            ], within: limit)
        return result.output.contains("Verify return code: 0 (ok)")
    }

    @Test func `A handshake that does not begin holds its place for a moment, not until its time-out`() async throws {
        try await Workspace.open("limits") { workspace in
            let open = try OpenDoor(in: workspace)
            var limits = DoorLimits()
            limits.handshakes = 1
            limits.handshake = .seconds(60)
            limits.firstCall = .seconds(60)
            try await whileServing(grpcDoor(open, limits: limits)) { _ async throws in
                var silent: [any Channel] = []
                for _ in 0..<20 { silent.append(try await connection(from: "127.0.0.2", to: open.port)) }
                // Of twenty that say nothing, it waits for the one whose turn it is, and not for the others.
                #expect(try await shakesHands(open, within: .seconds(10)))
                for channel in silent { try await channel.close() }
            }
        }
    }

    @Test func `Many handshakes at once all come to their end, however few are under way at a time`() async throws {
        try await Workspace.open("limits") { workspace in
            let open = try OpenDoor(in: workspace)
            var limits = DoorLimits()
            limits.handshakes = 2
            try await whileServing(grpcDoor(open, limits: limits)) { _ async throws in
                let through = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<12 { group.addTask { try await shakesHands(open) } }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(through == 12)
            }
        }
    }

    // MARK: Slow requests

    private final class Heard: Sendable {
        private let octets = Mutex("")
        var text: String { octets.withLock { $0 } }
        func add(_ text: String) { octets.withLock { $0 += text } }
    }

    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let heard: Heard
        init(_ heard: Heard) { self.heard = heard }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { heard.add(String(buffer: unwrapInboundIn(data))) }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", true), ("GET / HTTP/1.1\nHost: x\n\n", true), ("GET / HTTP/1.1\r\n\r\n", true),
        ("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n", false), ("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
        ("\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: x\r\n \r\n", false), ("", false),
    ])
    func `The end of the headers is found in whatever pieces they come`(text: String, ends: Bool) {
        let octets = Array(text.utf8)
        for size in 1...max(1, octets.count) {
            var head = RequestDeadline.HeadEnd()
            for start in stride(from: 0, to: octets.count, by: size) where !head.hasCome {
                _ = head.comes(in: ByteBuffer(bytes: octets[start..<min(start + size, octets.count)]))
            }
            #expect(head.hasCome == ends, "in pieces of \(size)")
        }
    }

    @Test func `Headers that keep dripping are cut off soon, a body that takes longer is not`() async throws {
        let socket = try BoundSocket.tcp(ListenAddress(host: "127.0.0.1", port: 0), key: "listen.test")
        var limits = DoorLimits()
        limits.headers = .milliseconds(500)
        limits.request = .seconds(60)
        let router = Router()
        router.post("**") { request, _ in
            let body = try await request.body.collect(upTo: 1000)
            return "\(body.readableBytes) octets"
        }
        let door = try HTTPDoor(
            "test", socket: socket, tls: nil, responder: router.buildResponder(), limits: limits, logger: quiet)
        try await whileServing(door) { _ async throws in
            let slow = try await connection(from: "127.0.0.1", to: socket.address.port)
            let drip = Task {
                try await slow.writeAndFlush(ByteBuffer(string: "POST / HTTP/1.1\r\n")).get()
                while !Task.isCancelled {
                    try await slow.writeAndFlush(ByteBuffer(string: "x: y\r\n")).get()
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            defer { drip.cancel() }
            try await end(of: slow)

            let heard = Heard()
            let steady = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Ear(heard)) }
                }
                .connect(host: "127.0.0.1", port: socket.address.port).get()
            let head = "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\nConnection: close\r\n\r\n"
            try await steady.writeAndFlush(ByteBuffer(string: head)).get()
            for _ in 0..<15 {
                try await Task.sleep(for: .milliseconds(60))
                try await steady.writeAndFlush(ByteBuffer(string: "x")).get()
            }
            try await end(of: steady)
            #expect(heard.text.hasPrefix("HTTP/1.1 200 OK") && heard.text.hasSuffix("15 octets"), "\(heard.text)")
        }
    }
}
