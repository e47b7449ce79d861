package import PKI

/// How a token's tags become the path of its SPIFFE ID: segments, each a literal or `{tag}`.
package struct IdentityPath: Hashable, Sendable, Codable {
    /// As written, such as `/{kuma.io/service}`.
    package let template: String
    private let pieces: [Piece]

    private enum Piece: Hashable, Sendable {
        case literal(String)
        case tag(String)
    }

    /// `/{kuma.io/service}`.
    package static let service = IdentityPath(template: "/{kuma.io/service}", pieces: [.literal("/"), .tag("kuma.io/service")])

    private init(template: String, pieces: [Piece]) {
        self.template = template
        self.pieces = pieces
    }

    /// Throws a sentence that completes "the identity path …".
    package init(_ template: String) throws(InvalidName) {
        guard template.hasPrefix("/"), template.utf8.count > 1 else {
            throw InvalidName("must begin with a slash and name a segment")
        }
        var pieces: [Piece] = []
        var rest = Substring(template)
        while let open = rest.firstIndex(of: "{") {
            if open != rest.startIndex { pieces.append(.literal(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else { throw InvalidName("has a '{' without its '}'") }
            let tag = rest[rest.index(after: open)..<close]
            guard !tag.isEmpty, !tag.contains("{") else { throw InvalidName("has an empty or nested '{…}'") }
            pieces.append(.tag(String(tag)))
            rest = rest[rest.index(after: close)...]
        }
        guard !rest.contains("}") else { throw InvalidName("has a '}' without its '{'") }
        if !rest.isEmpty { pieces.append(.literal(String(rest))) }
        self.init(template: template, pieces: pieces)
        // What the grammar refuses of the literals, it refuses now, not at the first token.
        guard let sample = try? TrustDomain("sample") else { return }
        let filled = pieces.map { if case .literal(let text) = $0 { text } else { "x" } }.joined()
        do {
            _ = try SPIFFEID(trustDomain: sample, path: filled)
        } catch {
            throw InvalidName("is not a SPIFFE ID path: \(error)")
        }
    }

    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(template)
    }

    /// The tags that the path needs.
    package var tags: [String] { pieces.compactMap { if case .tag(let name) = $0 { name } else { nil } } }

    /// The identity of a proxy with `tags`: each tag in the path must have exactly one value, and that a path segment.
    package func identity(in trustDomain: TrustDomain, tags: [String: [String]]) throws(Refusal) -> SPIFFEID {
        var path = ""
        for piece in pieces {
            switch piece {
            case .literal(let text): path += text
            case .tag(let name):
                let values = tags[name] ?? []
                guard values.count == 1 else { throw .identityTag(tag: name, values: values.count) }
                // A slash in a value would let a token for one service name another.
                guard !values[0].contains("/"), values[0] != ".", values[0] != ".." else {
                    throw .identityValue(tag: name, detail: "must be a single path segment")
                }
                path += values[0]
            }
        }
        do {
            return try SPIFFEID(trustDomain: trustDomain, path: path)
        } catch {
            throw .identityValue(tag: tags.keys.sorted().joined(separator: ", "), detail: "\(error)")
        }
    }
}
