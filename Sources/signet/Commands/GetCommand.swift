import AdminWire
import ArgumentParser
import PKI

/// `signet get …`: reads.
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show meshes, certificate authorities, rotations, proxies, certificates and tokens.",
        discussion: "Example: signet get proxies --mesh default -o json",
        subcommands: [
            GetMeshes.self, GetMesh.self, GetAuthorities.self, GetAuthority.self, GetRotations.self, GetRotation.self,
            GetProxies.self, GetCertificates.self, GetTokens.self,
        ])
}

/// How and from where `get` reads.
struct GetOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "table for people, json or yaml for programs.")
    var output: OutputFormat = .table

    @OptionGroup var server: ServerOptions

    /// Prints a list or a document in the chosen format; `table` makes the one for people.
    func print(_ value: JSONValue, table: (JSONValue) throws -> String) throws {
        switch output {
        case .json: try Console.out(value.pretty)
        case .yaml: try Console.out(value.yaml)
        case .table: try Console.out(try table(value))
        }
    }
}

/// Refuses what cannot name a mesh, before a server is asked.
func checkMesh(_ text: String) throws {
    do {
        _ = try MeshName(text)
    } catch {
        throw ValidationError("--mesh '\(text)' \(error)")
    }
}

/// Refuses an empty name, which would name the list instead, before a server is asked.
func checkName(_ name: String) throws {
    guard !name.isEmpty else { throw ValidationError("the name is empty") }
}

/// Refuses a list of nothing, before a server is asked.
func checkLimit(_ limit: Int) throws {
    guard limit > 0 else { throw ValidationError("--limit \(limit) is not positive") }
}

/// Refuses an empty id, which would name the list instead, before a server is asked.
func checkID(_ id: String) throws {
    guard !id.isEmpty else { throw ValidationError("the id is empty") }
}
