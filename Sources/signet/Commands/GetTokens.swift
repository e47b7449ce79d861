import AdminWire
import ArgumentParser

/// `signet get tokens`.
struct GetTokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "The tokens that were issued, newest first; never the tokens themselves.",
        discussion: "Example: signet get tokens --mesh default")

    @Option(help: ArgumentHelp("The dataplane tokens of one mesh alone.", valueName: "name"))
    var mesh: String?

    @Option(help: "At most so many.")
    var limit: Int = 1000

    @OptionGroup var options: GetOptions

    func validate() throws {
        if let mesh { try checkMesh(mesh) }
        try checkLimit(limit)
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let list = try await client.list("/tokens", query: mesh.map { [("mesh", $0)] } ?? [], limit: limit)
            try options.print(list) { list in
                var table = TextTable("ID", "KIND", "MESH", "NAME", "IDENTITY OR ROLES", "EXPIRES", "REVOKED")
                for item in list["items"]?.elements ?? [] {
                    let roles = (item["roles"]?.elements ?? []).compactMap(\.text).joined(separator: ",")
                    let meshes = (item["meshes"]?.elements ?? []).compactMap(\.text).joined(separator: ",")
                    table.add(
                        item["id"]?.text ?? "", item["kind"]?.text ?? "", item["mesh"]?.text ?? meshes, item["name"]?.text ?? "",
                        item["identity"]?.text ?? roles, item["expiresAt"]?.text ?? "", item["revokedAt"]?.text ?? "")
                }
                return table.text
            }
        }
    }
}
