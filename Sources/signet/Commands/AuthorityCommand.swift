import ArgumentParser

/// `signet ca …`: certificate authorities as things of their own.
struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Make certificate authorities, let meshes share them, and replace their roots.",
        discussion: """
            Example: signet ca create corp
            Example: signet ca share corp --mesh payments --mesh orders --dry-run
            Example: signet ca rotate corp --watch
            """,
        subcommands: [
            AuthorityCreate.self, AuthorityShare.self, AuthorityUnshare.self, AuthorityImport.self, AuthorityExport.self,
            AuthorityRotate.self, AuthorityRevoke.self,
        ])

    /// The path of a certificate authority in the admin API.
    static func path(_ name: String) -> String { "/certificate-authorities/" + PathText.segment(name) }
}
