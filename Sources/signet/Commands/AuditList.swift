import AdminWire
import ArgumentParser
import Foundation
import PKI

/// `signet audit list`: newest first.
struct AuditList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Who did what, from where, newest first.",
        discussion: """
            Example: signet audit list --actor user:alice --since 7d -o json

            json and yaml also show what each act found and what it left.
            """)

    @Option(help: ArgumentHelp("What concerns one mesh alone.", valueName: "name"))
    var mesh: String?

    @Option(
        help: ArgumentHelp("What one alone did: user:NAME, proxy:SPIFFE-ID, local:NAME, system or unknown.", valueName: "who"))
    var actor: String?

    @OptionGroup var since: SinceOption

    @Option(parsing: .unconditional, help: "At most so many.")
    var limit: Int = 100

    @OptionGroup var options: GetOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit \(limit) is not positive") }
        if let mesh { try checkMesh(mesh) }
        if let actor, !Self.isActor(actor) {
            throw ValidationError("--actor '\(actor)' is nobody: user:NAME, proxy:SPIFFE-ID, local:NAME, system or unknown is")
        }
    }

    private static func isActor(_ text: String) -> Bool {
        if ["system", "unknown"].contains(text) { return true }
        return ["local:", "proxy:spiffe://", "user:"].contains { text.hasPrefix($0) && text.utf8.count > $0.utf8.count }
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let query = [mesh.map { ("mesh", $0) }, actor.map { ("actor", $0) }].compactMap { $0 }
            let items = try await items(client, query)
            try options.print(.object([.init("items", .array(items))])) { list in
                var table = TextTable("ENTRY", "AT", "WHO", "FROM", "ACTION", "MESH", "OBJECT", "DETAILS")
                for item in list["items"]?.elements ?? [] {
                    table.add(
                        item["seq"]?.json ?? "", item["at"]?.text ?? "", item["actor"]?.text ?? "", item["source"]?.text ?? "",
                        item["action"]?.text ?? "", item["mesh"]?.text ?? "", item["object"]?.text ?? "", Self.details(item))
                }
                return table.text
            }
        }
    }

    /// By page, until enough, or until a whole page is older than what is asked for: replicas' clocks differ a little, and the
    /// trail is in the order of the commits.
    private func items(_ client: AdminClient, _ query: [(String, String)]) async throws -> [JSONValue] {
        let earliest = try since.time()
        var items: [JSONValue] = []
        let first = [("size", "\(min(limit, 200))")] + query
        var next: String? = "/audit?" + first.map { "\($0)=\(PathText.query($1))" }.joined(separator: "&")
        while let page = next, items.count < limit {
            let value = try client.json(try await client.send("GET", page))
            let all = value["items"]?.elements ?? []
            let wanted = all.filter { item in
                guard let earliest, case .number(let at)? = item["atMilliseconds"] else { return true }
                return Int64(at).map { Timestamp(milliseconds: $0) >= earliest } ?? true
            }
            items += wanted
            next = wanted.isEmpty && earliest != nil ? nil : value["next"]?.text.flatMap(PathText.pathAndQuery(of:))
        }
        return Array(items.prefix(limit))
    }

    private static func details(_ item: JSONValue) -> String {
        guard case .object(let members)? = item["details"] else { return "" }
        return members.filter { $0.value.text?.isEmpty == false }.map { "\($0.key)=\($0.value.text ?? "")" }
            .joined(separator: " ")
    }
}

/// From when on.
struct SinceOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("From then on: a time such as 2026-11-21T00:00:00Z, or how long ago, such as 24h.", valueName: "when"))
    var since: String?

    func validate() throws {
        guard let since, WireTime.time(since) == nil, WireTime.duration(since) == nil else { return }
        throw ValidationError("--since '\(since)' is no time such as 2026-11-21T00:00:00Z, and no duration such as 24h")
    }

    /// Nil: from the first on.
    func time() throws -> Timestamp? {
        guard let since else { return nil }
        if let time = WireTime.time(since) { return time }
        guard let duration = WireTime.duration(since) else { return nil }
        return Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) - duration
    }
}
