import AdminWire
import ArgumentParser

/// `signet get rotation ID`: one rotation and what its gate waits for.
struct GetRotation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotation", abstract: "One rotation: its phase, and who has not followed yet.",
        discussion: "Example: signet get rotation rot-0123456789abcdef")

    @Argument(help: "The rotation's id; 'signet get rotations' lists them.")
    var id: String

    @OptionGroup var options: GetOptions

    func validate() throws {
        guard !id.isEmpty else { throw ValidationError("the id is empty") }
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let rotation = try client.json(try await client.send("GET", "/rotations/" + PathText.segment(id)))
            try options.print(rotation) { GetRotation.page($0) }
        }
    }

    /// The rotation's own lines, then a table of those that hold it.
    static func page(_ rotation: JSONValue) -> String {
        func text(_ key: String) -> String { rotation[key]?.text ?? "?" }
        func figure(_ value: JSONValue?) -> String { value?.json ?? "?" }
        let meshes = (rotation["meshes"]?.elements ?? []).compactMap(\.text).joined(separator: ", ")
        var page = """
            \(text("id")): \(meshes) from \(text("previousAuthority")) (\(text("from"))) to \
            \(text("certificateAuthority")) (\(text("to")))
            \(text("phase")) since \(text("phaseSince")), started \(text("startedAt"))
            """
        if let ended = rotation["endedAt"]?.text { page += ", ended \(ended)" }
        page += "\n"
        guard let gate = rotation["gate"], gate != .null else { return page }
        page +=
            gate["open"] == .bool(true)
            ? "nothing holds it\n" : "settled: \(figure(gate["settled"])), pending: \(figure(gate["pending"]))\n"
        let blockers = gate["blockers"]?.elements ?? []
        guard !blockers.isEmpty else { return page }
        var table = TextTable("MESH", "IDENTITY", "PROXY", "NODE", "RESOURCE", "WHY", "UNTIL")
        for blocker in blockers {
            let reason = [blocker["reason"]?.text, blocker["detail"]?.text].compactMap { $0 }.filter { !$0.isEmpty }
            table.add(
                blocker["mesh"]?.text ?? "", blocker["identity"]?.text ?? "", blocker["proxy"]?.text ?? "",
                blocker["node"]?.text ?? "", blocker["resource"]?.text ?? "", reason.joined(separator: ": "),
                blocker["until"]?.text ?? "")
        }
        return page + "\n" + table.text
    }
}
