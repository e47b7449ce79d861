import AdminWire
import ArgumentParser

/// `signet rotation status ID`: how it stands, who holds it, and what happened to it.
struct RotationStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How a rotation stands, who has not followed yet, and what happened to it.",
        discussion: "Example: signet rotation status rot-0123456789abcdef")

    @Argument(help: "The rotation's id; 'signet get rotations' lists them.")
    var id: String

    @OptionGroup var options: GetOptions

    func validate() throws { try checkID(id) }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let answer = try await client.send("GET", AdminClient.rotationPath(id))
            let rotation = try client.decode(RotationMessage.self, answer)
            try options.print(try client.json(answer)) { _ in RotationStatus.page(rotation) }
        }
    }

    static func page(_ rotation: RotationMessage) -> String {
        let events = rotation.events ?? []
        guard !events.isEmpty else { return GetRotation.page(rotation) }
        var table = TextTable("AT", "EVENT", "BY", "DETAIL")
        for event in events { table.add(event.at, event.event, event.actor, event.detail) }
        return GetRotation.page(rotation) + "\n" + table.text
    }
}
