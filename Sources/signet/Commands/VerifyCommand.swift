import AdminWire
import ArgumentParser
import Listeners

/// `signet verify --mesh M FILE.pem`: would the mesh accept this peer?
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Say whether a mesh would accept a peer's certificate chain.",
        discussion: """
            Example: signet verify --mesh default chain.pem

            Exit code 0: accepted. 1: refused, with the reason on standard output.
            """)

    @Option(help: ArgumentHelp("The mesh that is asked.", valueName: "name"))
    var mesh: String

    @Option(help: ArgumentHelp("As this service of the mesh would decide.", valueName: "name"))
    var service: String?

    @Argument(help: "A PEM file: the peer's leaf first, then the certificates above it.")
    var file: String

    @OptionGroup var server: ServerOptions

    func validate() throws { try checkMesh(mesh) }

    func run() async throws {
        let pem: [UInt8]
        do {
            guard let bytes = try DurableFile.read(file) else {
                throw CommandFailure.usage("there is no file \(file): name the PEM file of a chain")
            }
            pem = bytes
        } catch let failure as DoorFailure {
            throw CommandFailure.usage(failure.description)
        }
        let verdict = try await AdminClient.with(server) { client in
            let query = service.map { "?service=" + PathText.query($0) } ?? ""
            let answer = try await client.send(
                "POST", "/meshes/\(PathText.segment(mesh))/verify\(query)", type: "application/x-pem-file", body: pem)
            return try client.decode(VerificationMessage.self, answer)
        }
        guard verdict.accepted else {
            try Console.out("refused: \(verdict.reason): \(Console.oneLine(verdict.detail))")
            throw CommandFailure.failed("mesh '\(mesh)' refuses this chain (\(verdict.reason)): \(advice(verdict.reason))")
        }
        try Console.out("accepted: \(verdict.identity ?? Console.oneLine(verdict.detail))")
    }

    /// What to do about a refusal.
    func advice(_ reason: String) -> String {
        switch (reason, service) {
        case ("secret-empty", let service?):
            "no proxy and no token of the mesh has the service '\(service)' yet: name another with --service"
        case ("subject-alt-name", let service?): "its identity is not the service '\(service)': name another with --service"
        default: "present one that its roots vouch for"
        }
    }
}
