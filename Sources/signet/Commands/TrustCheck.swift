import AdminWire
import ArgumentParser
import PKI

/// `signet trust check`: would the one identity be accepted by the other?
struct TrustCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say whether one identity would be accepted by another, and what decides it.",
        discussion: """
            Example: signet trust check --from spiffe://orders/web --to spiffe://payments/api

            Exit code 0: accepted. 1: refused. The reason is on standard output in both cases.
            """)

    @Option(help: ArgumentHelp("The SPIFFE ID that connects.", valueName: "spiffe-id"))
    var from: String

    @Option(help: ArgumentHelp("The SPIFFE ID that is connected to.", valueName: "spiffe-id"))
    var to: String

    @OptionGroup var server: ServerOptions

    func validate() throws {
        _ = try question()
    }

    func run() async throws {
        let question = try question()
        let verdict = try await AdminClient.with(server) { client in
            try client.decode(
                TrustVerdictMessage.self, try await client.send("POST", "/trust/check", body: try WireJSON.encode(question)))
        }
        let ground = "\(verdict.reason): \(Console.oneLine(verdict.detail))"
        guard verdict.accepted else {
            try Console.out("refused: \(ground)")
            throw CommandFailure.failed("'\(to)' refuses '\(from)' (\(verdict.reason)): \(verdict.detail)")
        }
        try Console.out("accepted: \(ground)")
    }

    private func question() throws -> TrustCheckMessage {
        TrustCheckMessage(from: try identity(from, "--from"), to: try identity(to, "--to"))
    }

    private func identity(_ text: String, _ option: String) throws -> SPIFFEID {
        do {
            return try SPIFFEID(text)
        } catch {
            throw ValidationError("\(option) '\(text)' is not a SPIFFE ID: \(error)")
        }
    }
}
