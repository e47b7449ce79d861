import ArgumentParser

/// `signet envoy …`.
struct EnvoyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "envoy", abstract: "Configuration for Envoy.",
        discussion:
            "Example: signet envoy bootstrap --mesh default --service web --token-file web.token --inbound 127.0.0.1:10080=127.0.0.1:8080",
        subcommands: [EnvoyBootstrapCommand.self])
}
