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
            Example: signet apply -f policies/ --dry-run

            Mesh, CertificateAuthority, CrossMeshAccess and MeshService documents, as YAML or JSON, in Kuma's Universal and
            Kubernetes forms. Before the first is sent, all of them are read, and checked for syntax and shape; what only the
            server can know, it checks of each when it comes, so that those before a refused one stay applied. Certificate
            authorities are sent first, then meshes, then the rest, so that one file may hold everything.

            A certificate or key that a document names by 'file' is read here, as this user, and sent with it. A relative path
            is relative to the document's own directory, and may lead outside it: apply only documents that you trust.
            """)

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            """
            A file, a directory of .yaml, .yml and .json files, or - for standard input.
            """, valueName: "path"), completion: .file(extensions: ["yaml", "yml", "json"]))
    var file: String

    @Flag(
        help: """
            Check the documents and say which fields would change, which rotations would start, and which meshes would begin \
            or cease to accept each other; change nothing.
            """)
    var dryRun = false

    @Flag(help: "Let a Mesh document take its mesh out of a certificate authority that it shares; else that is refused.")
    var leave = false

    @OptionGroup var server: ServerOptions

    func run() async throws {
        let documents = try DocumentSource.documents(at: file)
        try await AdminClient.with(server) { client in
            if dryRun {
                let preview = try await ApplyPreview(of: documents, client: client, leave: leave)
                for document in ApplyPlan.ordered(documents) {
                    try await naming(document, documents) { try await preview.show(document) }
                }
            } else {
                for step in ApplyPlan(documents).steps {
                    try await naming(step.document, documents) { try await apply(step, client) }
                }
            }
        }
    }

    private func apply(_ step: ApplyPlan.Step, _ client: AdminClient) async throws {
        let document = step.document
        let answer = try await client.send(
            "PUT", document.path + (leave && document.kind == .mesh ? "?leave=true" : ""),
            body: Array(document.requestJSON.json.utf8))
        let report = try client.report(answer, of: document)
        if !step.isSecondPass {
            try Console.out("\(document.title) \(answer.status == 201 ? "created" : "replaced")")
            for warning in report.warnings { Console.note(warning) }
        }
        for (rotation, move) in zip(report.rotations, report.moves) {
            try Console.out("mesh '\(move.mesh)' moves by rotation \(rotation): see it with 'signet get rotations'")
        }
        if let replacement = report.replacement, let rotation = replacement.rotation {
            try Console.out(
                "certificate authority '\(replacement.certificateAuthority)' gets a new root by rotation \(rotation): "
                    + "see it with 'signet rotation watch \(rotation)'")
        }
    }

    /// Of several documents, a failure names the one that it is about.
    private func naming(_ document: PolicyDocument, _ documents: [PolicyDocument], _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as CommandFailure where documents.count > 1 && !failure.line.contains(document.title) {
            throw CommandFailure(exitCode: failure.exitCode, line: "\(document.title): \(failure.line)")
        }
    }
}
