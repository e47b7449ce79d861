import AdminWire
import ArgumentParser

/// `signet rotation advance ID`: through the gate.
struct RotationAdvance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advance", abstract: "Take a rotation through its open gate, or by force through one that holds.",
        discussion: """
            Example: signet rotation advance rot-0123456789abcdef
            Example: signet rotation advance rot-0123456789abcdef --force --reason "web-7 is scrapped"

            Whoever holds a gate that is forced is left behind: its connections may fail. They are named in the answer and in the
            audit trail.
            """)

    @Flag(help: "Leave behind whoever holds the gate. Needs --reason.")
    var force = false

    @OptionGroup var order: RotationOrderOptions

    func validate() throws {
        guard !force || order.reason != nil else {
            throw ValidationError("--force needs --reason: say why those who hold the gate are left behind")
        }
    }

    func run() async throws {
        try await order.send("advance", force: force) { rotation in
            "rotation \(rotation.id) goes on: it is \(RotationText.phase(rotation))"
        }
    }
}
