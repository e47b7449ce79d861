import Foundation

/// An `ip:port` in an Envoy bootstrap: Envoy binds and dials addresses, not names.
struct SocketTarget: Hashable, Sendable, CustomStringConvertible {
    /// Without the brackets of an IPv6 address.
    let ip: String
    let port: Int

    /// Parses `127.0.0.1:8080` or `[::1]:8080`; nil for anything else. Port 0 only where it makes sense to let the kernel choose.
    init?(_ text: String, allowsPortZero: Bool = false) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
            (allowsPortZero ? 0...65_535 : 1...65_535).contains(port),
            SocketTarget.isAddress(String(host), AF_INET) != isBracketed,
            !isBracketed || SocketTarget.isAddress(String(host), AF_INET6)
        else { return nil }
        ip = String(host)
        self.port = port
    }

    var description: String { ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)" }

    static func isAddress(_ text: String, _ family: Int32) -> Bool {
        var bytes = in6_addr()
        return inet_pton(family, text, &bytes) == 1
    }
}
