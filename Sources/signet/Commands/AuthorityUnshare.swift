import AdminWire
import ArgumentParser

/// `signet ca unshare NAME --mesh M`: a mesh leaves a shared certificate authority.
struct AuthorityUnshare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unshare", abstract: "Let meshes leave a certificate authority; their traffic goes on meanwhile.",
        discussion: """
            Example: signet ca unshare corp --mesh orders --dry-run
            Example: signet ca unshare corp --mesh orders

            The mesh goes back to the backend that it had before, or to a new builtin one. The others refuse its identities,
            and it theirs, from the first push on.
            """)

    @Argument(help: "The certificate authority's name.")
    var name: String

    @OptionGroup var options: MembershipOptions

    func validate() throws { try checkName(name) }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            for mesh in options.mesh {
                let (_, report) = try await options.change("DELETE", mesh, of: name, client)
                if options.dryRun {
                    try options.preview("mesh '\(mesh)' would leave certificate authority '\(name)'", report)
                } else if let rotation = report.rotations.first {
                    try Console.out(
                        "mesh '\(mesh)' leaves certificate authority '\(name)' by rotation \(rotation): "
                            + "see it with 'signet get rotations'")
                } else {
                    try Console.out("mesh '\(mesh)' no longer shares certificate authority '\(name)'")
                }
                for warning in report.warnings { Console.note(warning) }
            }
            if options.dryRun, options.mesh.count > 1 {
                Console.note("each of these previews is of one mesh alone, with the others as they are now")
            }
        }
    }
}
