import AdminWire
import ArgumentParser

/// `signet token dataplane`: prints the bare token.
struct TokenDataplane: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataplane", abstract: "Issue a token for a proxy and print it.",
        discussion:
            "Example: signet token dataplane --mesh default --name web-1 --tag kuma.io/service=web --valid-for 30d > web.token")

    @Option(help: ArgumentHelp("The proxy's mesh.", valueName: "name"))
    var mesh: String

    @Option(help: ArgumentHelp("The proxy's name; without it, Envoy's node id names the proxy.", valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "A tag of the proxy. The same key may be given several times; those of the mesh's identity path need exactly one value.",
            valueName: "key=value"))
    var tag: [String] = []

    @Option(help: ArgumentHelp("How long it lives, such as 30d (default: the server's).", valueName: "duration"))
    var validFor: String?

    @OptionGroup var server: ServerOptions

    func validate() throws {
        try checkMesh(mesh)
        guard name?.allSatisfy(\.isWhitespace) != true else { throw ValidationError("--name is empty") }
        for text in tag where (text.firstIndex(of: "=").map { $0 == text.startIndex } ?? true) {
            throw ValidationError("--tag \(text) is not key=value")
        }
        try checkDuration(validFor)
    }

    func run() async throws {
        var tags: [String: [String]] = [:]
        for text in tag {
            guard let equals = text.firstIndex(of: "=") else { continue }
            tags[String(text[..<equals]), default: []].append(String(text[text.index(after: equals)...]))
        }
        let message = DataplaneTokenMessage(mesh: mesh, name: name, tags: tags, validFor: validFor)
        try await AdminClient.with(server) { client in
            let answer = try await client.send(
                "POST", "/tokens/dataplane", accept: "text/plain", body: try WireJSON.encode(message))
            try Console.out(answer.text)
        }
    }
}

/// Refuses what is no duration, before a server is asked.
func checkDuration(_ text: String?, of option: String = "--valid-for") throws {
    guard let text else { return }
    do {
        _ = try WireDuration(text)
    } catch {
        throw ValidationError("\(option) '\(text)' \(error)")
    }
}
