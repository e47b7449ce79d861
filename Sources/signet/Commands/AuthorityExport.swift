import AdminWire
import ArgumentParser

/// `signet ca export NAME`: public certificates only; a key leaves the service in no way.
struct AuthorityExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print a certificate authority's roots in use, as PEM: certificates only, never a key.",
        discussion: "Example: signet ca export corp > corp.pem")

    @Argument(help: "The certificate authority's name; a mesh's own is <mesh>.<backend>.")
    var name: String

    @OptionGroup var server: ServerOptions

    func validate() throws { try checkName(name) }

    func run() async throws {
        try await AdminClient.with(server) { client in
            let issuers = try await client.list(AuthorityCommand.path(name) + "/issuers")
            let roots = AuthorityExport.roots(issuers["items"]?.elements ?? [])
            guard !roots.isEmpty else {
                throw CommandFailure.failed(
                    "certificate authority '\(name)' has no root in use: see 'signet get ca \(name)'")
            }
            try Console.out(roots.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" }.joined())
        }
    }

    /// The roots that no mesh has left behind: those in a bundle, and those that no mesh uses yet.
    static func roots(_ issuers: [JSONValue]) -> [String] {
        issuers.filter { issuer in
            let states = (issuer["uses"]?.elements ?? []).compactMap { $0["state"]?.text }
            return states.isEmpty || states.contains { ["prepared", "active", "outgoing"].contains($0) }
        }.compactMap { $0["certificate"]?.text }
    }
}
