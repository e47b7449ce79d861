import AdminWire
import ArgumentParser
import PKI

/// `signet ca rotate NAME`: the certificate authority's root is replaced, for all its meshes.
struct AuthorityRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace the root of a certificate authority; the traffic of its meshes goes on.",
        discussion: """
            Example: signet ca rotate corp --dry-run
            Example: signet ca rotate corp --watch
            Example: signet ca rotate --mesh payments --manual --retire-after reissued
            Example: signet ca rotate bank --cert next.pem --key next.key

            All proxies first trust the new root, then get certificates under it, then forget the old one. Each step waits until
            every proxy has acknowledged the one before, whether anybody watches or not. Chains carry a cross certificate
            meanwhile, so that a proxy which is away comes back to peers that it accepts.
            """)

    @Argument(help: "The certificate authority's name; a mesh's own is <mesh>.<backend>.")
    var name: String?

    @Option(help: ArgumentHelp("Instead of a name: the mesh whose own certificate authority is meant.", valueName: "name"))
    var mesh: String?

    @Flag(help: "Follow it to its end. Ctrl-C ends the following, not the rotation.")
    var watch = false

    @Flag(help: "Say what would happen, who would hold it up, and how long it would take by what is known; change nothing.")
    var dryRun = false

    @Flag(help: "Wait at each open gate for 'signet rotation advance'.")
    var manual = false

    @Option(
        help: ArgumentHelp(
            """
            When the old root is withdrawn: expired, when no certificate under it is valid any more; reissued, when each has \
            been replaced and the replacement acknowledged (default: as the CA says).
            """, valueName: "what"))
    var retireAfter: RotationOptions.RetireAfter?

    @Option(
        help: ArgumentHelp(
            "EC-P256, EC-P384, RSA-2048, RSA-3072 or RSA-4096, for the new root (default: as before).", valueName: "type"),
        completion: .list(KeyAlgorithm.allCases.map(\.rawValue)))
    var keyType: String?

    @OptionGroup var root: NewRootOptions

    @OptionGroup var options: GetOptions

    func validate() throws {
        guard (name == nil) != (mesh == nil) else {
            throw ValidationError(
                name == nil ? "name a certificate authority, or a mesh with --mesh" : "a name and --mesh exclude each other")
        }
        if let name { try checkName(name) }
        if let mesh { try checkMesh(mesh) }
        guard !(watch && dryRun) else { throw ValidationError("--watch and --dry-run exclude each other") }
        if let keyType {
            guard KeyAlgorithm(rawValue: keyType) != nil else {
                let known = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--key-type '\(keyType)' is none of \(known)")
            }
            guard root.cert == nil else { throw ValidationError("--key-type is what the certificate of --cert says itself") }
        }
    }

    func run() async throws {
        let message = RotationStartMessage(
            manual: manual, retireAfter: retireAfter.flatMap { .init(rawValue: $0.rawValue) },
            keyAlgorithm: keyType.flatMap { KeyAlgorithm(rawValue: $0) }, root: try root.root())
        try await AdminClient.with(options.server) { client in
            let authority: String
            if let name { authority = name } else { authority = try await client.ownAuthority(of: mesh ?? "") }
            let answer = try await client.attempt(
                "POST", AuthorityCommand.path(authority) + "/rotations" + (dryRun ? "?dryRun=true" : ""),
                body: Array(message.requestJSON.json.utf8))
            guard answer.isDone else { throw NewRootOptions.naming(client.failure(answer)) }
            if dryRun {
                let preview = try client.decode(RotationPreviewMessage.self, answer)
                try options.print(try client.json(answer)) { _ in ForecastText.page(preview) }
                for warning in preview.warnings { Console.note(warning) }
            } else {
                try await report(try client.decode(RotationMessage.self, answer), try client.json(answer), client)
            }
        }
    }

    private func report(_ rotation: RotationMessage, _ value: JSONValue, _ client: AdminClient) async throws {
        for warning in rotation.warnings ?? [] { Console.note(warning) }
        let started = "certificate authority '\(rotation.certificateAuthority)' gets a new root by rotation \(rotation.id)"
        guard watch else {
            return try options.print(value) { _ in "\(started): see it with 'signet rotation watch \(rotation.id)'" }
        }
        if options.output == .table { try Console.out(started) }
        try await RotationFollower(client: client, id: rotation.id, form: .init(options.output)).watch()
    }
}
