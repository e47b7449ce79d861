import AdminWire
import ArgumentParser
import PKI

/// `signet ca revoke NAME --issuer ID --reason TEXT`: a root is compromised, and is out of every bundle now.
struct AuthorityRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "A root is compromised: take it out of every bundle now, whatever breaks.",
        discussion: """
            Example: signet ca revoke corp --issuer 0123456789abcdef --reason "key copied from a backup"

            A new root signs for all its meshes at once, and every proxy is sent a bundle without the revoked one. The command
            then waits for their acknowledgements, and names those that are missing when the time is out: the revocation holds
            with or without them. 'signet get ca NAME' shows the ids of a certificate authority's issuers.

            Exit code 0: every connected proxy followed. 1: not all of them in time. 130: Ctrl-C; the revocation holds.
            """)

    @Argument(help: "The certificate authority's name; a mesh's own is <mesh>.<backend>.")
    var name: String

    @Option(help: ArgumentHelp("The id of the issuer whose root is compromised.", valueName: "id"))
    var issuer: String

    @Option(help: ArgumentHelp("Why, for the audit trail.", valueName: "text"))
    var reason: String

    @OptionGroup var root: NewRootOptions

    @Option(help: ArgumentHelp("How long the proxies are waited for, such as 60s.", valueName: "duration"))
    var timeout: String = "60s"

    @OptionGroup var server: ServerOptions

    func validate() throws {
        try checkName(name)
        try checkReason(reason)
        try checkDuration(timeout, of: "--timeout")
        guard IssuerID(issuer) != nil else {
            throw ValidationError("--issuer '\(issuer)' is not the id of an issuer: 'signet get ca \(name)' shows them")
        }
    }

    func run() async throws {
        let request = IssuerRevocationRequest(reason: reason, root: try root.root())
        let timeout = WireTime.duration(timeout) ?? .seconds(60)
        try await AdminClient.with(server) { client in
            let path = AuthorityCommand.path(name) + "/issuers/" + PathText.segment(issuer) + "/revoke"
            let answer = try await client.attempt("POST", path, body: Array(request.requestJSON.json.utf8))
            guard answer.isDone else { throw AuthorityRevoke.refusal(client.failure(answer), authority: name) }
            let revocation = try client.decode(IssuerRevocationMessage.self, answer)
            for line in RevocationText.head(revocation, authority: name) { try Console.out(line) }
            for warning in revocation.warnings { Console.note(warning) }
            guard let id = revocation.rotation else {
                return try Console.out("no mesh trusted it: there is nobody to wait for")
            }
            // A person waits for every second of it.
            let follower = RotationFollower(
                client: client, id: id, form: .init(.table), interval: .milliseconds(250), timeout: timeout)
            guard let end = try await Interrupt.ends({ try await follower.follow() }) else {
                throw CommandFailure.interrupted(
                    "the revocation holds; see who follows with 'signet rotation watch \(id)'")
            }
            for line in RevocationText.outcome(end) { try Console.out(line) }
            for line in RevocationText.openConnections { try Console.out(line) }
            guard RotationText.hasEnded(end) else {
                throw CommandFailure.failed(
                    "not everybody acknowledged within \(WireTime.words(timeout)), but the revocation holds: mend or stop those "
                        + "named, and see the rest with 'signet rotation watch \(id)'")
            }
            guard RotationText.supersession(end) == nil else {
                throw CommandFailure.failed(
                    "another revocation came before everybody had acknowledged, and both hold: see who follows with "
                        + "'signet get rotations --ca \(name)'")
            }
        }
    }

    /// What the server refuses, with this command's own means to mend it; an issuer is looked for where its authority is shown.
    static func refusal(_ failure: CommandFailure, authority name: String) -> CommandFailure {
        guard failure.line.hasPrefix("there is no issuer '"), let end = failure.line.range(of: ": 'signet get cas'") else {
            return NewRootOptions.naming(failure)
        }
        return .failed("\(failure.line[..<end.lowerBound]) of '\(name)': 'signet get ca \(name)' shows those that there are")
    }
}
