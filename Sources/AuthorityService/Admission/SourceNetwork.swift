import Glibc

/// Where a caller comes from, as far as limits tell addresses apart: an IPv4 address, or the /64 of an IPv6 address, since
/// whoever has one address of it commonly has all.
package struct SourceNetwork: Hashable, Sendable {
    private let octets: UInt64
    private let isIPv6: Bool

    /// Parses the source of a caller, such as `127.0.0.1:4711` or `[::1]:4711`. Nil for what has no address, as the unix socket,
    /// whose callers its permissions choose.
    package init?(_ source: String) {
        guard let colon = source.lastIndex(of: ":") else { return nil }
        let host = source[..<colon]
        if host.first == "[", host.last == "]" {
            self.init(ipv6: String(host.dropFirst().dropLast()))
        } else {
            self.init(ipv4: String(host))
        }
    }

    private init?(ipv4 text: String) {
        var address = in_addr()
        guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
        octets = UInt64(UInt32(bigEndian: address.s_addr))
        isIPv6 = false
    }

    private init?(ipv6 text: String) {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: address) { Array($0) }
        func number(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        // An IPv4 address as a socket for both families shows it (RFC 4291 §2.5.5.2).
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        octets = isMapped ? number(bytes[12...]) : number(bytes[..<8])
        isIPv6 = !isMapped
    }
}
