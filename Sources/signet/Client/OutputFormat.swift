import AdminWire
import ArgumentParser

/// How `get` prints.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json, yaml
}

extension JSONValue {
    /// JSON with two spaces of indentation, ending in a line feed.
    var pretty: String { pretty(indent: 0) + "\n" }

    private func pretty(indent: Int) -> String {
        let inner = String(repeating: " ", count: indent + 2)
        let outer = String(repeating: " ", count: indent)
        switch self {
        case .array(let values) where !values.isEmpty:
            return "[\n" + values.map { inner + $0.pretty(indent: indent + 2) }.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let members) where !members.isEmpty:
            let lines = members.map { inner + JSONValue.string($0.key).json + ": " + $0.value.pretty(indent: indent + 2) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        default:
            return json
        }
    }
}
