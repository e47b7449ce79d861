import AdminWire
import ArgumentParser

/// `signet get meshes`.
struct GetMeshes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meshes", abstract: "All meshes.", discussion: "Example: signet get meshes")

    @OptionGroup var options: GetOptions

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let list = try await client.list("/meshes")
            try options.print(list) { list in
                var table = TextTable("NAME", "TRUST DOMAIN", "MTLS", "MODE", "CREATED")
                for mesh in list["items"]?.elements ?? [] {
                    let enabled = mesh["mtls"]?["enabledBackend"]?.text
                    let backend = mesh["mtls"]?["backends"]?.elements?.first { $0["name"]?.text == enabled }
                    table.add(
                        mesh["name"]?.text ?? "", mesh["trustDomain"]?.text ?? mesh["name"]?.text ?? "", enabled ?? "off",
                        enabled == nil ? "" : backend?["mode"]?.text ?? "STRICT", mesh["creationTime"]?.text ?? "")
                }
                return table.text
            }
        }
    }
}

/// `signet get mesh NAME`: the document itself, which `apply` takes back.
struct GetMesh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mesh", abstract: "One mesh, as the document that 'apply' takes.",
        discussion: "Example: signet get mesh default -o yaml")

    @Argument(help: "The mesh's name.")
    var name: String

    @OptionGroup var options: GetOptions

    func validate() throws { try checkName(name) }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let mesh = try client.json(try await client.send("GET", "/meshes/" + PathText.segment(name)))
            try options.print(mesh) { $0.yaml }
        }
    }
}
