import AdminWire
import ArgumentParser
import PKI

/// `signet identity revoke SPIFFE-ID`.
struct IdentityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Revoke an identity.",
        discussion: "Example: signet identity revoke spiffe://default/web", subcommands: [IdentityRevoke.self])
}

/// `signet identity revoke SPIFFE-ID`: no token and no certificate is worth it any more.
struct IdentityRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a SPIFFE ID: its streams end, and neither token nor certificate opens them again.",
        discussion: "Example: signet identity revoke spiffe://default/web")

    @Argument(help: "The SPIFFE ID.")
    var identity: String

    @OptionGroup var server: ServerOptions

    func validate() throws {
        do {
            _ = try SPIFFEID(identity)
        } catch {
            throw ValidationError("'\(identity)' is not a SPIFFE ID: \(error)")
        }
    }

    func run() async throws {
        try await AdminClient.with(server) { client in
            _ = try await client.send(
                "POST", "/tokens/revocations", body: try WireJSON.encode(RevocationMessage(identity: identity)))
            try Console.out("identity '\(identity)' revoked")
        }
    }
}
