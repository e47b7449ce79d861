import AdminWire
import ArgumentParser

/// `signet bundle show`.
struct BundleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Show trust bundles.", discussion: "Example: signet bundle show --mesh default",
        subcommands: [BundleShow.self])
}

/// `signet bundle show --mesh M`: the roots of the mesh.
struct BundleShow: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case pem, spiffe
    }

    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The roots that the mesh trusts, as PEM or as a SPIFFE bundle (JWKS).",
        discussion: "Example: signet bundle show --mesh default > roots.pem")

    @Option(help: ArgumentHelp("The mesh.", valueName: "name"))
    var mesh: String

    @Option(help: "pem, or spiffe for the SPIFFE bundle format.")
    var format: Format = .pem

    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await AdminClient.with(server) { client in
            let path = "/meshes/\(PathText.segment(mesh))/bundle"
            switch format {
            case .pem:
                try Console.out(try await client.send("GET", path, accept: "application/x-pem-file").text)
            case .spiffe:
                try Console.out(try client.json(try await client.send("GET", path)).pretty)
            }
        }
    }
}
