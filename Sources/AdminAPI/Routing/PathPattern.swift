/// A path such as `/meshes/{mesh}/proxies`: segments that are literal, or a name in braces that takes exactly one segment.
package struct PathPattern: Sendable, Hashable, CustomStringConvertible {
    /// As written, which is how `openapi.yaml` writes it too.
    package let description: String
    private let segments: [Segment]

    private enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(String)
    }

    package init(_ text: String) {
        description = text
        segments = text.split(separator: "/").map { part in
            part.first == "{" && part.last == "}" ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    /// The names of the parameters, in their order.
    package var parameters: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    /// How literal the path is: of two patterns that match, the one with more literal segments is meant.
    var literalCount: Int { segments.count - parameters.count }

    /// The values of the parameters when the decoded segments of a path match; a value is never empty.
    func match(_ path: [String]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (segment, text) in zip(segments, path) {
            switch segment {
            case .literal(let literal): guard literal == text else { return nil }
            case .parameter(let name):
                guard !text.isEmpty else { return nil }
                values[name] = text
            }
        }
        return values
    }

    /// Replaces each parameter by `value(name)`.
    package func filled(_ value: (String) -> String) -> String {
        "/"
            + segments.map { segment in
                switch segment {
                case .literal(let text): text
                case .parameter(let name): value(name)
                }
            }.joined(separator: "/")
    }
}
