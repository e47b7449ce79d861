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
        try checkID(id)
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let answer = try await client.send("GET", AdminClient.rotationPath(id))
            let rotation = try client.decode(RotationMessage.self, answer)
            try options.print(try client.json(answer)) { _ in GetRotation.page(rotation) }
        }
    }

    /// The rotation's own lines, then a table of those that hold it.
    static func page(_ rotation: RotationMessage) -> String {
        var lines = [
            "\(rotation.id): \(RotationText.subject(rotation))",
            "\(RotationText.phase(rotation)) since \(rotation.phaseSince), started \(rotation.startedAt)"
                + (rotation.trigger == "schedule" ? " by the root's age" : "")
                + (rotation.endedAt.map { ", ended \($0)" } ?? ""),
        ]
        if let cross = rotation.crossCertificate, !RotationText.hasEnded(rotation) {
            lines.append("a cross certificate covers proxies that are away, until \(cross.notAfter)")
        }
        if let supersession = RotationText.supersession(rotation) { lines.append(supersession) }
        if let instruction = RotationText.instruction(rotation) { lines.append(instruction) }
        guard let gate = rotation.gate else { return lines.joined(separator: "\n") + "\n" }
        lines.append(gate.open ? "nothing holds it" : "settled: \(gate.settled), pending: \(gate.pending)")
        let page = lines.map { Console.oneLine($0) }.joined(separator: "\n") + "\n"
        return gate.blockers.isEmpty ? page : page + "\n" + RotationText.table(gate.blockers)
    }
}
