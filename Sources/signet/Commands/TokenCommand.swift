import ArgumentParser

/// `signet token …`: credentials.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Issue and revoke tokens.",
        discussion: "Example: signet token dataplane --mesh default --tag kuma.io/service=web > web.token",
        subcommands: [TokenDataplane.self, TokenUser.self, TokenRevoke.self])
}
