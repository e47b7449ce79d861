import AdminWire
import ArgumentParser

/// `signet trust matrix`: meshes × meshes.
struct TrustMatrix: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix", abstract: "All meshes with mTLS, and which of them accept which.",
        discussion: """
            Example: signet trust matrix
            Example: signet trust matrix --mesh payments --mesh orders -o json

            A row is who asks, a column who is asked. all: every identity at every service; some: not all identities, or not
            at all services; -: nobody. Below it stands what opens each way between two meshes.
            """)

    @Option(help: ArgumentHelp("These meshes alone. May be given several times (default: all).", valueName: "name"))
    var mesh: [String] = []

    @OptionGroup var options: GetOptions

    func validate() throws {
        for text in mesh { try checkMesh(text) }
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let matrix = try await client.trustMatrix(among: mesh)
            try options.print(matrix) { TrustMatrix.table($0) }
        }
    }

    /// The square for people, then the ways between different meshes with the names of their doors.
    static func table(_ matrix: JSONValue) -> String {
        let meshes = (matrix["meshes"]?.elements ?? []).compactMap(\.text)
        let cells = matrix["cells"]?.elements ?? []
        var extents: [String: [String: String]] = [:]
        var doors = TextTable("FROM", "TO", "EXTENT", "THROUGH")
        var hasDoors = false
        for cell in cells {
            let (from, to, extent) = (cell["from"]?.text ?? "", cell["to"]?.text ?? "", cell["extent"]?.text ?? "")
            extents[from, default: [:]][to] = extent == "none" ? "" : extent
            guard from != to, extent != "none" else { continue }
            hasDoors = true
            doors.add(from, to, extent, (cell["through"]?.elements ?? []).compactMap(\.text).joined(separator: ", "))
        }
        var square = TextTable(["FROM \\ TO"] + meshes)
        for from in meshes { square.add([from] + meshes.map { extents[from]?[$0] ?? "" }) }
        return square.text + (hasDoors ? "\n" + doors.text : "")
    }
}
