import ArgumentParser

/// `signet delete …`.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a mesh or a certificate authority.",
        discussion: "Example: signet delete mesh payments",
        subcommands: [DeleteMesh.self, DeleteAuthority.self])
}

/// `signet delete mesh NAME`: refused while proxies are connected, with their names.
struct DeleteMesh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mesh", abstract: "Delete a mesh, unless proxies still depend on it.",
        discussion: "Example: signet delete mesh payments")

    @Argument(help: "The mesh's name.")
    var name: String

    @OptionGroup var server: ServerOptions

    func validate() throws { try checkName(name) }

    func run() async throws {
        try await AdminClient.with(server) { client in
            _ = try await client.send("DELETE", "/meshes/" + PathText.segment(name))
            try Console.out("mesh '\(name)' deleted")
        }
    }
}
