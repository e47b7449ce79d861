import AdminWire
import ArgumentParser

/// `signet get proxies`.
struct GetProxies: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxies", abstract: "The proxies of a mesh, or of all: what they hold and what they refused.",
        discussion: "Example: signet get proxies --mesh default")

    @Option(help: ArgumentHelp("One mesh alone.", valueName: "name"))
    var mesh: String?

    @OptionGroup var options: GetOptions

    func validate() throws {
        if let mesh { try checkMesh(mesh) }
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let list = try await proxies(client)
            try options.print(list) { list in
                var table = TextTable("MESH", "PROXY", "NODE", "IDENTITY", "CONNECTED", "CERTIFICATE UNTIL", "SECRETS", "TROUBLE")
                for item in list["items"]?.elements ?? [] {
                    let proxy = try WireJSON.decode(ProxyMessage.self, from: Array(item.json.utf8))
                    // A version that it named by itself on a new stream was never sent there.
                    let acked = proxy.subscriptions.count {
                        $0.ackedVersion != nil && ($0.sentVersion == nil || $0.ackedVersion == $0.sentVersion)
                    }
                    table.add(
                        proxy.mesh, proxy.name, proxy.node, proxy.identity,
                        proxy.connected ? "yes" : "no, since \(proxy.disconnectedAt ?? "?")",
                        proxy.certificateExpiresAt ?? "", "\(acked)/\(proxy.subscriptions.count) acked", GetProxies.trouble(proxy)
                    )
                }
                return table.text
            }
        }
    }

    private func proxies(_ client: AdminClient) async throws -> JSONValue {
        if let mesh { return try await client.list("/meshes/\(PathText.segment(mesh))/proxies") }
        var items: [JSONValue] = []
        for mesh in try await client.list("/meshes")["items"]?.elements ?? [] {
            let list = try await client.list("/meshes/\(PathText.segment(mesh["name"]?.text ?? ""))/proxies")
            items += list["items"]?.elements ?? []
        }
        return .object([
            .init("total", .number("\(items.count)")), .init("items", .array(items)), .init("next", .null),
        ])
    }

    /// What is wrong with at most three subscriptions, and how many more there are: a table's row is one line.
    static func trouble(_ proxy: ProxyMessage) -> String {
        let troubles: [String] = proxy.subscriptions.compactMap { subscription in
            if let nack = subscription.nack { return "\(subscription.resource) rejected: \(nack.message)" }
            if let refusal = subscription.refusal { return "\(subscription.resource) refused: \(refusal)" }
            return subscription.silent ? "\(subscription.resource) not acknowledged" : nil
        }
        let shown = troubles.prefix(3).joined(separator: "; ")
        return troubles.count > 3 ? shown + "; … and \(troubles.count - 3) more" : shown
    }
}
