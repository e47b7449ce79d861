import AdminWire
import ArgumentParser

/// `signet ca share NAME --mesh M …`: meshes join a certificate authority.
struct AuthorityShare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "share", abstract: "Let meshes share a certificate authority; their traffic goes on meanwhile.",
        discussion: """
            Example: signet ca share corp --mesh payments --mesh orders --dry-run
            Example: signet ca share corp --mesh payments --mesh orders

            Meshes that share a certificate authority accept each other's identities, unless one of the two is isolated. A mesh
            joins by a rotation: its proxies first trust the new root, then get certificates under it, then forget the old one.
            """)

    @Argument(help: "The certificate authority's name.")
    var name: String

    @OptionGroup var options: MembershipOptions

    func validate() throws { try checkName(name) }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            for mesh in options.mesh {
                let (status, report) = try await options.change("PUT", mesh, of: name, client)
                if options.dryRun {
                    try options.preview("mesh '\(mesh)' would join certificate authority '\(name)'", report)
                } else if let rotation = report.rotations.first {
                    try Console.out(
                        "mesh '\(mesh)' joins certificate authority '\(name)' by rotation \(rotation): "
                            + "see it with 'signet get rotations'")
                } else {
                    let already = status == 201 ? "" : " already"
                    try Console.out("mesh '\(mesh)' shares certificate authority '\(name)'\(already)")
                }
                for warning in report.warnings { Console.note(warning) }
            }
            if options.dryRun, options.mesh.count > 1 {
                Console.note(
                    "each of these previews is of one mesh alone: those that join together accept each other too, unless isolated"
                )
            }
        }
    }
}
