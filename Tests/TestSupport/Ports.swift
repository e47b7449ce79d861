import Glibc
import Synchronization

/// TCP ports of the loopback address for servers that must find the same port again after a restart.
///
/// Taken below 32768, where Linux begins to give ports to outgoing connections: so no connection of the test sits on a
/// port while its server is down.
package enum Ports {
    private static let range: Range<UInt16> = 18_000..<31_000
    private static let next = Mutex<UInt16>(UInt16.random(in: range))

    /// No free port was found in the whole range.
    package struct NoneFree: Error {}

    /// A port that nobody listens on now, and that this process has not handed out recently.
    package static func free() throws -> Int {
        for _ in range {
            let candidate = next.withLock { next in
                next = next + 1 < range.upperBound ? next + 1 : range.lowerBound
                return next
            }
            if isFree(candidate) { return Int(candidate) }
        }
        throw NoneFree()
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var reuse: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
