import ArgumentParser

/// `signet`, the root of all subcommands.
struct SignetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signet",
        abstract: "An mTLS certificate authority for service meshes.",
        discussion: """
            Start with 'signet dev': it needs nothing prepared and prints what to type next.
            Other servers are kept by name with 'signet config'; 'signet completion bash' makes a shell complete all this.
            Exit codes: 0 done, 1 the answer is no or the operation failed, 2 wrong usage or configuration.
            """,
        version: Signet.version,
        subcommands: [
            DevCommand.self, ServeCommand.self, MigrateCommand.self, CheckConfigCommand.self, ApplyCommand.self,
            GetCommand.self, DeleteCommand.self, AuthorityCommand.self, RotationCommand.self, TrustCommand.self,
            VerifyCommand.self, TokenCommand.self, IdentityCommand.self, EnvoyCommand.self, BundleCommand.self,
            KeysCommand.self, LedgerCommand.self, AuditCommand.self,
            ConfigCommand.self, CompletionCommand.self,
        ])
}
