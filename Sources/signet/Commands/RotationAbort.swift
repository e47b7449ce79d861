import ArgumentParser

/// `signet rotation abort ID`: back to the old root.
struct RotationAbort: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "Take a rotation back to the old root; from 'withdrawing' there is no way back.",
        discussion: """
            Example: signet rotation abort rot-0123456789abcdef

            The way back goes through gates too, and no traffic breaks on it. Rotations by the root's age stay off afterwards,
            until 'signet rotation resume' of the aborted one.
            """)

    @OptionGroup var order: RotationOrderOptions

    func run() async throws {
        try await order.send("abort") { rotation in
            RotationText.hasEnded(rotation)
                // It has just been aborted by this very order.
                ? RotationText.end(rotation, heldBy: rotation.kind == "replace" ? rotation.id : nil)
                : "rotation \(rotation.id) goes back to the old root: see it with 'signet rotation watch \(rotation.id)'"
        }
    }
}
