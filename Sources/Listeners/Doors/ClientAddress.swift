internal import NIOCore

/// Where a connection comes from, as far as limits tell addresses apart: an IPv4 address, or the /64 of an IPv6 address, since
/// whoever has one address of it commonly has all. Connections to the unix socket have none.
struct ClientAddress: Hashable, Sendable {
    private let octets: UInt64
    private let isIPv6: Bool

    init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let address):
            octets = UInt64(UInt32(bigEndian: address.address.sin_addr.s_addr))
            isIPv6 = false
        case .v6(let address):
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            func number(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
            // An IPv4 address as a socket for both families shows it (RFC 4291 §2.5.5.2).
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            octets = isMapped ? number(bytes[12...]) : number(bytes[..<8])
            isIPv6 = !isMapped
        case .unixDomainSocket, nil: return nil
        }
    }
}
