import AdminWire
import ArgumentParser
import Foundation

/// `signet apply`: documents to the admin API.
struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Create or replace what documents describe.",
        discussion: """
            Example: signet apply -f mesh.yaml

            Mesh and CrossMeshAccess documents, as YAML or JSON, in Kuma's Universal and Kubernetes forms. All of them are read
            and checked before the first is sent, and sent in their order: a mesh stands before the door that names it.
            """)

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            """
            A file, a directory of .yaml, .yml and .json files, or - for standard input.
            """, valueName: "path"))
    var file: String

    @Flag(help: "Check the documents and say what would happen, and change nothing.")
    var dryRun = false

    @OptionGroup var server: ServerOptions

    func run() async throws {
        let documents = try DocumentSource.documents(at: file)
        try await AdminClient.with(server) { client in
            for document in documents {
                try await apply(document, client)
            }
        }
    }

    private func apply(_ document: PolicyDocument, _ client: AdminClient) async throws {
        let (what, collection) =
            switch document.kind {
            case .crossMeshAccess: ("CrossMeshAccess '\(document.name)'", "/cross-mesh-accesses/")
            case .mesh: ("mesh '\(document.name)'", "/meshes/")
            }
        let path = collection + PathText.segment(document.name)
        if dryRun {
            let exists = try await client.find(path) != nil
            Console.out("\(what) would be \(exists ? "replaced" : "created")")
            for warning in document.warnings { Console.note(warning) }
            return
        }
        let answer = try await client.send("PUT", path, body: Array(document.json().json.utf8))
        Console.out("\(what) \(answer.status == 201 ? "created" : "replaced")")
        for warning in try client.decode(ChangeMessage.self, answer).warnings { Console.note(warning) }
    }
}
