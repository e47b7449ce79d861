import Foundation
import Listeners
import TestSupport
import Testing

@Suite struct BoundSocketTests {
    private let anywhere = ListenAddress(host: "127.0.0.1", port: 0)

    @Test func `Port 0 becomes the port that the kernel chose`() throws {
        #expect(try BoundSocket.tcp(anywhere, key: "listen.sds").address.port > 0)
    }

    @Test func `A port in use is refused with the address and the configuration key`() throws {
        let first = try BoundSocket.tcp(anywhere, key: "listen.sds")
        #expect(throws: DoorFailure.addressInUse(address: first.address.description, key: "listen.admin")) {
            _ = try BoundSocket.tcp(first.address, key: "listen.admin")
        }
    }

    @Test func `A socket that is let go frees its port`() throws {
        var first: BoundSocket? = try BoundSocket.tcp(anywhere, key: "a")
        let address = try #require(first?.address)
        first = nil
        _ = try BoundSocket.tcp(address, key: "b")
    }

    @Test func `An address of another machine, and a name that does not resolve, are refused`() throws {
        #expect(throws: DoorFailure.self) { _ = try BoundSocket.tcp(ListenAddress(host: "192.0.2.1", port: 0), key: "k") }
        #expect(
            throws: DoorFailure.addressUnusable(address: "no.such.invalid:1", key: "k", detail: "it does not resolve")
        ) {
            _ = try BoundSocket.tcp(ListenAddress(host: "no.such.invalid", port: 1), key: "k")
        }
    }

    @Test func `The queue of a listening socket is as long as asked for`() throws {
        let socket = try BoundSocket.tcp(anywhere, key: "k")
        let ceiling = try #require(
            Int(
                String(contentsOfFile: "/proc/sys/net/core/somaxconn", encoding: .utf8).trimmingCharacters(
                    in: .whitespacesAndNewlines)))
        #expect(try backlog(of: socket.address.port) == min(Int(BoundSocket.backlog), ceiling))
    }

    @Test func `A unix socket has mode 0660, and is refused while another serves it`() async throws {
        try await Workspace.open("unix") { workspace in
            let path = workspace.file("sds.sock")
            let socket = try BoundSocket.unix(path: path)
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o660)
            #expect(throws: DoorFailure.self) { _ = try BoundSocket.unix(path: path) }
            // Without its lock file, the answering socket itself tells.
            unlink(path + ".lock")
            #expect(throws: DoorFailure.socketPath(path: path, detail: "another process serves it")) {
                _ = try BoundSocket.unix(path: path)
            }
            withExtendedLifetime(socket) {}
        }
    }

    @Test func `A unix socket that a crash left behind is replaced`() async throws {
        try await Workspace.open("unix") { workspace in
            let path = workspace.file("sds.sock")
            var socket: BoundSocket? = try BoundSocket.unix(path: path)
            withExtendedLifetime(socket) {}
            socket = nil
            #expect(FileManager.default.fileExists(atPath: path))
            _ = try BoundSocket.unix(path: path)
        }
    }

    @Test func `A file that is no socket is left alone`() async throws {
        try await Workspace.open("unix") { workspace in
            let path = try workspace.write("precious", to: "file")
            #expect(throws: DoorFailure.socketPath(path: path, detail: "a file that is no socket is there")) {
                _ = try BoundSocket.unix(path: path)
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        }
    }

    @Test func `A path too long for a unix socket is refused`() async throws {
        try await Workspace.open("unix") { workspace in
            let path = workspace.file(String(repeating: "x", count: 120))
            #expect(throws: DoorFailure.self) { _ = try BoundSocket.unix(path: path) }
        }
    }
}
