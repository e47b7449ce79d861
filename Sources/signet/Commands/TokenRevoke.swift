import AdminWire
import ArgumentParser

/// `signet token revoke JTI`: ends the streams that it opened, too.
struct TokenRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a token: it opens nothing any more, and what it opened ends.",
        discussion: "Example: signet token revoke 0f3c2a916f0d4c559d0e2b9f0c6f7a11")

    @Argument(help: "The token's id (jti), which 'signet get tokens' shows.")
    var id: String

    @OptionGroup var server: ServerOptions

    func validate() throws { try checkID(id) }

    func run() async throws {
        try await AdminClient.with(server) { client in
            _ = try await client.send("POST", "/tokens/revocations", body: try WireJSON.encode(RevocationMessage(token: id)))
            try Console.out("token '\(id)' revoked")
        }
    }
}
