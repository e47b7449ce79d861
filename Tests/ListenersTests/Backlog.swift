import Glibc

/// No socket of this process listens there.
struct NotListening: Error {}

/// The length of the accept queue of this process's listening socket at `port`, as the kernel has it.
func backlog(of port: Int) throws -> Int {
    for descriptor in Int32(3)..<4096 {
        var listens: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0, listens == 1 else { continue }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) == 0 }
        }
        guard named, address.sin_family == sa_family_t(AF_INET), Int(UInt16(bigEndian: address.sin_port)) == port else {
            continue
        }
        // tcp_info: eight octets, then words; of a listening socket the sixth word (tcpi_sacked) is the queue's limit.
        var info = [UInt32](repeating: 0, count: 64)
        var count = socklen_t(info.count * 4)
        guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &count) == 0 else { continue }
        return Int(info[7])
    }
    throw NotListening()
}
