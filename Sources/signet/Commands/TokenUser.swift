import AdminWire
import ArgumentParser

/// `signet token user`: prints the bare token.
struct TokenUser: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Issue an admin token for a person or program and print it.",
        discussion: """
            Example: signet token user --name alice --role operator --valid-for 8h > alice.token
            Example: signet token user --name shop-team --role operator --mesh shop --mesh cart > shop-team.token
            """)

    @Option(help: ArgumentHelp("Who it is for; the audit trail names it.", valueName: "name"))
    var name: String

    @Option(
        help: ArgumentHelp(
            """
            viewer reads, operator also issues and revokes credentials and rotates roots, admin does all. May be given \
            several times.
            """, valueName: "role"))
    var role: [String]

    @Option(
        help: ArgumentHelp(
            """
            A mesh that the roles are limited to; what concerns other meshes is refused or left out. May be given several \
            times (default: all meshes).
            """, valueName: "name"))
    var mesh: [String] = []

    @Option(help: ArgumentHelp("How long it lives, such as 8h (default: the server's).", valueName: "duration"))
    var validFor: String?

    @OptionGroup var server: ServerOptions

    func validate() throws {
        guard !name.allSatisfy(\.isWhitespace) else { throw ValidationError("--name is empty") }
        let roles = ["admin", "operator", "viewer"]
        for text in role where !roles.contains(text) {
            throw ValidationError("--role '\(text)' is none of \(roles.joined(separator: ", "))")
        }
        guard !role.isEmpty else { throw ValidationError("--role is missing") }
        for text in mesh { try checkMesh(text) }
        try checkDuration(validFor)
    }

    func run() async throws {
        let message = UserTokenMessage(
            name: name, roles: role, meshes: mesh.isEmpty ? nil : mesh, validFor: validFor)
        try await AdminClient.with(server) { client in
            let answer = try await client.send("POST", "/tokens/user", accept: "text/plain", body: try WireJSON.encode(message))
            try Console.out(answer.text)
        }
    }
}
