import AdminWire
import ArgumentParser

/// `signet get certificates`.
struct GetCertificates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates", abstract: "The ledger of every certificate that was issued, newest first.",
        discussion: "Example: signet get certificates --mesh default --limit 20")

    @Option(help: ArgumentHelp("One mesh alone.", valueName: "name"))
    var mesh: String?

    @Option(help: "At most so many.")
    var limit: Int = 1000

    @OptionGroup var options: GetOptions

    func validate() throws {
        if let mesh { try checkMesh(mesh) }
        try checkLimit(limit)
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let list = try await certificates(client)
            if let note = GetCertificates.note(list) { Console.note(note) }
            try options.print(list) { list in
                var table = TextTable("SERIAL", "KIND", "MESH", "IDENTITY", "NOT AFTER", "ISSUED", "PROXY")
                for item in list["items"]?.elements ?? [] {
                    table.add(
                        item["serial"]?.text ?? "", item["kind"]?.text ?? "", item["mesh"]?.text ?? "",
                        item["identity"]?.text ?? "", item["notAfter"]?.text ?? "", item["issuedAt"]?.text ?? "",
                        item["origin"]?["proxy"]?.text ?? "")
                }
                return table.text
            }
        }
    }

    private func certificates(_ client: AdminClient) async throws -> JSONValue {
        if let mesh { return try await client.list("/meshes/\(PathText.segment(mesh))/certificates", limit: limit) }
        var lists: [[JSONValue]] = []
        var total = 0
        for mesh in try await client.list("/meshes")["items"]?.elements ?? [] {
            let list = try await client.list("/meshes/\(PathText.segment(mesh["name"]?.text ?? ""))/certificates", limit: limit)
            lists.append(list["items"]?.elements ?? [])
            if case .number(let text)? = list["total"] { total += Int(text) ?? 0 }
        }
        let items = GetCertificates.newestFirst(lists).prefix(limit)
        return .object([.init("total", .number("\(total)")), .init("items", .array(Array(items))), .init("next", .null)])
    }

    /// One list of several that are newest first; what was issued in the same second stays in its order.
    static func newestFirst(_ lists: [[JSONValue]]) -> [JSONValue] {
        lists.joined().enumerated().sorted { first, second in
            let (one, other) = (first.element["issuedAt"]?.text ?? "", second.element["issuedAt"]?.text ?? "")
            return one == other ? first.offset < second.offset : one > other
        }.map(\.element)
    }

    /// Says that there are more than are shown; nil where all are.
    static func note(_ list: JSONValue) -> String? {
        let shown = list["items"]?.elements?.count ?? 0
        guard case .number(let text)? = list["total"], let total = Int(text), total > shown else { return nil }
        return "these are the newest \(shown) of \(total): see more with --limit \(total)"
    }
}
