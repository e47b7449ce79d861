import Foundation
import Glibc
internal import NIOCore
import Synchronization

/// A listening socket that nobody serves yet.
///
/// All doors are bound before any is served, so that a port in use stops the start while nothing has happened; a
/// connection that comes early waits in the kernel's queue. Owns its descriptor until `take()`.
package final class BoundSocket: Sendable {
    /// With the port that the kernel chose, if it was asked to.
    package let address: ListenAddress
    private let descriptor: Mutex<CInt?>
    /// Held open as long as the unix socket is served: its lock says that the socket file is ours.
    private let lock: FileLock?

    private init(address: ListenAddress, descriptor: CInt, lock: FileLock?) {
        self.address = address
        self.descriptor = Mutex(descriptor)
        self.lock = lock
    }

    deinit {
        descriptor.withLock { held in
            guard let open = held else { return }
            // A child process between fork and exec has a copy, which would go on listening.
            shutdown(open, CInt(SHUT_RDWR))
            close(open)
        }
    }

    /// The longest queue of connections not yet accepted. 10,000 proxies that come back at once fill the usual 128, and
    /// each SYN that is dropped costs its proxy a second; 4096 is the kernel's default ceiling (net.core.somaxconn).
    package static let backlog: CInt = 4096

    /// Gives the descriptor away, once. The taker closes it.
    func take() -> CInt? {
        descriptor.withLock { held in
            defer { held = nil }
            return held
        }
    }

    /// Listens on a TCP address; `key` is the configuration key to name in an error.
    package static func tcp(_ address: ListenAddress, key: String) throws(DoorFailure) -> BoundSocket {
        let resolved: SocketAddress
        do {
            resolved = try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
        } catch {
            throw .addressUnusable(address: address.description, key: key, detail: "it does not resolve")
        }
        let family = resolved.protocol == .inet6 ? AF_INET6 : AF_INET
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw .addressUnusable(address: address.description, key: key, detail: errorText(errno))
        }
        var on: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        let status = resolved.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
        guard status == 0, listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            switch code {
            case EADDRINUSE: throw .addressInUse(address: address.description, key: key)
            case EACCES: throw .permissionDenied(address: address.description, key: key)
            default: throw .addressUnusable(address: address.description, key: key, detail: errorText(code))
            }
        }
        let bound = ListenAddress(host: address.host, port: port(of: descriptor) ?? address.port)
        return BoundSocket(address: bound, descriptor: descriptor, lock: nil)
    }

    /// Listens on a unix socket of mode 0660.
    ///
    /// A socket file that a crashed process left behind is removed, but never one that somebody serves: the lock file
    /// beside it tells apart, and where that was removed, a connection attempt does.
    package static func unix(path: String) throws(DoorFailure) -> BoundSocket {
        let lock = try FileLock(path: path + ".lock", of: "the unix socket \(path)")
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else {
                throw .socketPath(path: path, detail: "a file that is no socket is there")
            }
            guard !answers(path) else { throw .socketPath(path: path, detail: "another process serves it") }
            unlink(path)
        }
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else {
            throw .socketPath(path: path, detail: "the path is longer than the 107 bytes that a unix socket may have")
        }
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .socketPath(path: path, detail: errorText(errno)) }
        // The mode of the socket is the file's at bind (less the umask): it is never wider than meant, not for an instant.
        fchmod(descriptor, 0o660)
        let bound = address.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
        guard bound == 0, chmod(path, 0o660) == 0, listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            throw .socketPath(path: path, detail: errorText(code))
        }
        return BoundSocket(address: ListenAddress(host: path, port: 0), descriptor: descriptor, lock: lock)
    }

    private static func answers(_ path: String) -> Bool {
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else { return false }
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return address.withSockAddr { connect(descriptor, $0, socklen_t($1)) } == 0
    }

    private static func port(of descriptor: CInt) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int? in
                guard getsockname(descriptor, address, &length) == 0 else { return nil }
                switch CInt(address.pointee.sa_family) {
                case AF_INET:
                    return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        Int(UInt16(bigEndian: $0.pointee.sin_port))
                    }
                case AF_INET6:
                    return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                        Int(UInt16(bigEndian: $0.pointee.sin6_port))
                    }
                default: return nil
                }
            }
        }
    }
}

/// An `errno` in words, without the program's name.
func errorText(_ code: CInt) -> String {
    String(cString: strerror(code))
}
