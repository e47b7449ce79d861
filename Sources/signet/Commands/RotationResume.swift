import ArgumentParser

/// `signet rotation resume ID`: one that is paused goes on; after one that was aborted, those by the root's age do.
struct RotationResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a paused rotation go on, or rotations by the root's age after one was aborted.",
        discussion: "Example: signet rotation resume rot-0123456789abcdef")

    @OptionGroup var order: RotationOrderOptions

    func run() async throws {
        try await order.send("resume") { rotation in
            RotationText.hasEnded(rotation)
                ? "certificate authority '\(rotation.certificateAuthority)' is rotated by its root's age again; rotation "
                    + "\(rotation.id) stays \(rotation.phase)"
                : "rotation \(rotation.id) goes on: it is \(RotationText.phase(rotation))"
        }
    }
}
