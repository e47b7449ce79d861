import AdminWire
import ArgumentParser

/// `signet get rotations`.
struct GetRotations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotations", abstract: "Rotations, newest first: what moves from which root to which, and how far it is.",
        discussion: """
            Example: signet get rotations
            Example: signet get rotations --mesh payments
            Example: signet get rotations --ca corp -o json
            """)

    @Option(help: ArgumentHelp("Those of one certificate authority alone.", valueName: "name"))
    var ca: String?

    @Option(help: ArgumentHelp("Those of one mesh alone.", valueName: "name"))
    var mesh: String?

    @Option(help: "At most so many.")
    var limit: Int = 100

    @OptionGroup var options: GetOptions

    func validate() throws {
        try checkLimit(limit)
        if let ca { try checkName(ca) }
        if let mesh { try checkMesh(mesh) }
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let path = ca.map { AuthorityCommand.path($0) + "/rotations" } ?? "/rotations"
            let list = try await client.list(path, query: mesh.map { [("mesh", $0)] } ?? [], limit: limit)
            if let note = GetCertificates.note(list) { Console.note(note) }
            try options.print(list) { try GetRotations.table($0) }
        }
    }

    static func table(_ list: JSONValue) throws -> String {
        var table = TextTable("ID", "KIND", "MESHES", "FROM CA", "TO CA", "PHASE", "SINCE", "STARTED")
        for item in list["items"]?.elements ?? [] {
            let rotation = try WireJSON.decode(RotationMessage.self, from: Array(item.json.utf8))
            table.add(
                rotation.id, rotation.kind, rotation.meshes.joined(separator: ","), rotation.previousAuthority,
                rotation.certificateAuthority, RotationText.phase(rotation), rotation.phaseSince, rotation.startedAt)
        }
        return table.text
    }
}
