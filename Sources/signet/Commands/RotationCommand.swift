import ArgumentParser

/// `signet rotation …`: looks at a rotation, and steers it.
struct RotationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotation", abstract: "Look at a rotation, follow it, and tell it what to do.",
        discussion: """
            Example: signet rotation watch rot-0123456789abcdef

            'signet ca rotate' starts one; 'signet get rotations' lists them all.
            """,
        subcommands: [
            RotationStatus.self, RotationWatch.self, RotationAdvance.self, RotationPause.self, RotationResume.self,
            RotationAbort.self,
        ])
}
