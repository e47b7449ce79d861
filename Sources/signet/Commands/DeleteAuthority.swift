import ArgumentParser

/// `signet delete ca NAME`: refused while meshes depend on it, with their names.
struct DeleteAuthority: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Delete a certificate authority, unless meshes still depend on it.",
        discussion: "Example: signet delete ca corp")

    @Argument(help: "The certificate authority's name.")
    var name: String

    @OptionGroup var server: ServerOptions

    func validate() throws { try checkName(name) }

    func run() async throws {
        try await AdminClient.with(server) { client in
            _ = try await client.send("DELETE", "/certificate-authorities/" + PathText.segment(name))
            try Console.out("certificate authority '\(name)' deleted")
        }
    }
}
