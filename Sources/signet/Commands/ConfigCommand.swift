import ArgumentParser

/// `signet config …`: contexts, that is servers by name.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Keep servers by name, and choose the one that commands ask.",
        discussion: """
            Example: signet config set production --address https://signet.example:5682 --token-file ~/production.token
            Example: signet config use production

            The file is config.yaml in SIGNET_CONFIG_DIR, else in signet below XDG_CONFIG_HOME (~/.config). It names files of
            tokens and never holds one. A command finds its server by its flags, else by SIGNET_ADDRESS, SIGNET_TOKEN_FILE and
            SIGNET_CA_FILE, else by the chosen context, else in the data directory of 'signet dev'.
            """,
        subcommands: [ConfigSet.self, ConfigUse.self, ConfigGet.self, ConfigDelete.self])
}
