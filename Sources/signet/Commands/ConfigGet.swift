import AdminWire
import ArgumentParser

/// `signet config get`: all contexts, the chosen one marked.
struct ConfigGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "All contexts; the chosen one has an asterisk.",
        discussion: "Example: signet config get")

    @Option(name: .shortAndLong, help: "table for people, json or yaml for programs.")
    var output: OutputFormat = .table

    func run() async throws {
        let file = try ContextFile(path: ContextFile.standardPath())
        let items: [JSONValue] = file.contexts.map { context in
            .object([
                .init("name", .string(context.name)), .init("current", .bool(context.name == file.current)),
                .init("address", .string(context.address)), .init("tokenFile", context.tokenFile.map { .string($0) } ?? .null),
                .init("caFile", context.caFile.map { .string($0) } ?? .null),
            ])
        }
        let list = JSONValue.object([.init("total", .number("\(items.count)")), .init("items", .array(items))])
        switch output {
        case .json: try Console.out(list.pretty)
        case .yaml: try Console.out(list.yaml)
        case .table:
            var table = TextTable("CHOSEN", "NAME", "ADDRESS", "TOKEN FILE", "CA FILE")
            for context in file.contexts {
                table.add(
                    context.name == file.current ? "*" : "", context.name, context.address, context.tokenFile ?? "",
                    context.caFile ?? "")
            }
            try Console.out(table.text)
        }
    }
}
