import ArgumentParser

/// `signet trust …`: who accepts whom.
struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Show who accepts whom, and through what.",
        discussion: "Example: signet trust matrix", subcommands: [TrustMatrix.self, TrustCheck.self])
}
