import ArgumentParser

/// `signet rotation watch ID`: follows it to its end.
struct RotationWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow a rotation to its end.",
        discussion: """
            Example: signet rotation watch rot-0123456789abcdef
            Example: signet rotation watch rot-0123456789abcdef -o json

            On a terminal a picture, else a line for each thing that changes; with -o json or yaml, the rotation each time that
            something of it changes. Ctrl-C ends the following, not the rotation. Exit code 0: it completed. 1: it was aborted, or
            superseded by a revocation. 130: Ctrl-C.
            """)

    @Argument(help: "The rotation's id; 'signet get rotations' lists them.")
    var id: String

    @OptionGroup var options: GetOptions

    func validate() throws { try checkID(id) }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            try await RotationFollower(client: client, id: id, form: .init(options.output)).watch()
        }
    }
}
