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

            All documents are read and checked before the first is sent. YAML and JSON, in Kuma's Universal and Kubernetes forms.
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
        let documents = try DocumentSource.meshes(at: file)
        try await AdminClient.with(server) { client in
            for document in documents {
                try await apply(document, client)
            }
        }
    }

    private func apply(_ document: MeshDocument, _ client: AdminClient) async throws {
        let path = "/meshes/" + PathText.segment(document.name.name)
        if dryRun {
            let exists = try await client.find(path) != nil
            Console.out("mesh '\(document.name)' would be \(exists ? "replaced" : "created")")
            for warning in document.warnings { Console.note(warning) }
            return
        }
        let answer = try await client.send("PUT", path, body: Array(document.json().json.utf8))
        Console.out("mesh '\(document.name)' \(answer.status == 201 ? "created" : "replaced")")
        for warning in try client.decode(ChangeMessage.self, answer).warnings { Console.note(warning) }
    }
}
