import AdminWire
import ArgumentParser

/// `signet get certificates`.
struct GetCertificates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates", abstract: "The ledger of every certificate that was issued, newest first.",
        discussion: "Example: signet get certificates --mesh default --limit 20")

    @Option(help: ArgumentHelp("One mesh alone.", valueName: "name"))
    var mesh: String?

    @Option(help: "At most so many for each mesh.")
    var limit: Int = 1000

    @OptionGroup var options: GetOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit \(limit) is not positive") }
    }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let list = try await certificates(client)
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
        var items: [JSONValue] = []
        var total = 0
        for mesh in try await client.list("/meshes")["items"]?.elements ?? [] {
            let list = try await client.list("/meshes/\(PathText.segment(mesh["name"]?.text ?? ""))/certificates", limit: limit)
            items += list["items"]?.elements ?? []
            if case .number(let text)? = list["total"] { total += Int(text) ?? 0 }
        }
        return .object([.init("total", .number("\(total)")), .init("items", .array(items)), .init("next", .null)])
    }
}
