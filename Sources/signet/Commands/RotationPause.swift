import ArgumentParser

/// `signet rotation pause ID`: it stays in its phase.
struct RotationPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Keep a rotation in its phase until it is resumed.",
        discussion: "Example: signet rotation pause rot-0123456789abcdef --reason \"until the night is over\"")

    @OptionGroup var order: RotationOrderOptions

    func run() async throws {
        try await order.send("pause") { rotation in
            "rotation \(rotation.id) is paused in \(rotation.phase): 'signet rotation resume \(rotation.id)' lets it go on"
        }
    }
}
