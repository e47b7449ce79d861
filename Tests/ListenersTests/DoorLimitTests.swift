import Foundation
import Hummingbird
import Listeners
import NIOCore
import NIOPosix
import ServiceLifecycle
import TestSupport
import Testing

@Suite struct DoorLimitTests {
    /// A TCP connection that only watches for its end.
    private func connection(to port: Int) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port).get()
    }

    private func end(of channel: any Channel) async throws {
        try await within(.seconds(10), "the end of the connection") { try await channel.closeFuture.get() }
    }

    @Test func `A handshake that never comes is given up`() async throws {
        try await Workspace.open("limits") { workspace in
            let open = try OpenDoor(in: workspace)
            var limits = DoorLimits()
            limits.handshake = .milliseconds(200)
            try await whileServing(open.door(limits: limits)) { _ async throws in
                try await end(of: try await connection(to: open.port))
                #expect(try await open.request().isAnswered)
            }
        }
    }

    @Test func `A connection beyond the limit is closed, and the next may come when one has gone`() async throws {
        try await Workspace.open("limits") { workspace in
            let open = try OpenDoor(in: workspace)
            var limits = DoorLimits()
            limits.connections = 1
            try await whileServing(open.door(limits: limits)) { _ async throws in
                let first = try await connection(to: open.port)
                // Until it is accepted it does not count.
                try await eventually(within: .seconds(10), "the limit") { try await !open.request().isAnswered }
                try await first.close()
                try await eventually(within: .seconds(10), "a free place") { try await open.request().isAnswered }
            }
        }
    }

    @Test func `A request that keeps dripping is cut off`() async throws {
        let socket = try BoundSocket.tcp(ListenAddress(host: "127.0.0.1", port: 0), key: "listen.test")
        var limits = DoorLimits()
        limits.request = .milliseconds(400)
        let door = try HTTPDoor("test", socket: socket, tls: nil, responder: echo(), limits: limits, logger: quiet)
        try await whileServing(door) { _ async throws in
            let channel = try await connection(to: socket.address.port)
            let drip = Task {
                try await channel.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\n")).get()
                while !Task.isCancelled {
                    try await channel.writeAndFlush(ByteBuffer(string: "x: y\r\n")).get()
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            defer { drip.cancel() }
            try await end(of: channel)
        }
    }

    @Test func `A served socket keeps its long queue`() async throws {
        try await Workspace.open("limits") { workspace in
            let open = try OpenDoor(in: workspace)
            let before = try backlog(of: open.port)
            try await whileServing(open.door()) { _ async throws in
                #expect(try await open.request().isAnswered)
                #expect(try backlog(of: open.port) == before)
            }
        }
    }

    @Test func `A request in progress is answered though the service stops`() async throws {
        let socket = try BoundSocket.tcp(ListenAddress(host: "127.0.0.1", port: 0), key: "listen.test")
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        let (released, release) = AsyncStream.makeStream(of: Void.self)
        let router = Router()
        router.get("slow") { _, _ in
            arrival.yield()
            for await _ in released { break }
            return "done"
        }
        let door = try HTTPDoor(
            "test", socket: socket, tls: nil, responder: router.buildResponder(), limits: DoorLimits(), logger: quiet)
        let url = "http://127.0.0.1:\(socket.address.port)/slow"
        try await whileServing(door) { group async throws in
            async let answer = HTTP.fetch(url)
            for await _ in arrived { break }
            await group.triggerGracefulShutdown()
            // Also for a request that comes before the door has closed.
            release.finish()
            #expect(try await answer.body == "done")
            try await eventually(within: .seconds(10), "the closed door") {
                (try? await HTTP.fetch(url, timeout: .milliseconds(500))) == nil
            }
        }
    }
}
