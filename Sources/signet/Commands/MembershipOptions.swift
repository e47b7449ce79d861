import AdminWire
import ArgumentParser

/// What `ca share` and `ca unshare` have in common.
struct MembershipOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The mesh. May be given several times; one after the other is changed.", valueName: "name"))
    var mesh: [String]

    @Flag(help: "Say what would change, and which meshes would begin or cease to accept each other; change nothing.")
    var dryRun = false

    @OptionGroup var server: ServerOptions

    func validate() throws {
        guard !mesh.isEmpty else { throw ValidationError("--mesh is missing") }
        for text in mesh { try checkMesh(text) }
        var seen: Set<String> = []
        for text in mesh where !seen.insert(text).inserted {
            throw ValidationError("--mesh \(text) is given twice")
        }
    }

    /// Sends the change, or asks what it would be.
    func change(
        _ method: String, _ mesh: String, of authority: String, _ client: AdminClient
    ) async throws(CommandFailure) -> (status: UInt, report: ChangeReport) {
        let path = AuthorityCommand.path(authority) + "/meshes/" + PathText.segment(mesh)
        let answer = try await client.send(method, path + (dryRun ? "?dryRun=true" : ""))
        return (answer.status, ChangeReport(try client.decode(MeshChangeMessage.self, answer)))
    }

    /// The headline, and below it what follows from the change.
    func preview(_ headline: String, _ report: ChangeReport) throws(CommandFailure) {
        try Console.out(headline)
        let lines = report.preview
        for line in lines.isEmpty ? ["nothing would change"] : lines { try Console.out("  " + line) }
    }
}
