/// One server that may hold the database: a name or address, and a port.
package struct PostgresHost: Hashable, Sendable, CustomStringConvertible {
    /// A DNS name, or an IPv4 or IPv6 address without brackets.
    package let name: String
    package let port: UInt16

    /// PostgreSQL's registered port.
    package static let defaultPort: UInt16 = 5432

    package init(name: String, port: UInt16 = PostgresHost.defaultPort) {
        self.name = name
        self.port = port
    }

    /// Parses `host`, `host:port`, `[v6]` or `[v6]:port`; throws with `key` named.
    package init(_ text: String, key: String) throws(PostgresConfigurationError) {
        func refuse(_ problem: String) -> PostgresConfigurationError {
            PostgresConfigurationError(key: key, problem: "'\(text)' \(problem)")
        }
        let name: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw refuse("has a '[' without its ']'") }
            name = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            name = text[..<colon]
            rest = text[colon...]
            guard !rest.dropFirst().contains(":") else { throw refuse("is an IPv6 address: write it as [address]:port") }
        }
        guard !name.isEmpty else { throw refuse("names no host") }
        // libpq takes a list of hosts in one string and a path as a unix socket: neither is meant here.
        guard !name.contains(where: { ",/ ".contains($0) || $0.isNewline || $0 == "\0" }) else {
            throw refuse("is not a host: several hosts are several list entries, and a unix socket is 'socketDirectory'")
        }
        if rest.isEmpty {
            self.init(name: String(name))
        } else {
            guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()), port > 0 else {
                throw refuse("has no port between 1 and 65535 after the colon")
            }
            self.init(name: String(name), port: port)
        }
    }

    package var description: String { name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)" }
}
