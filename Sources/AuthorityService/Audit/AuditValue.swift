internal import FoundationEssentials
internal import PKI

/// JSON for the audit trail: members sorted by their keys, so that what is the same is written the same.
indirect enum AuditValue: Hashable, Sendable, Encodable {
    case flag(Bool)
    case list([AuditValue])
    case object([String: AuditValue])
    case text(String)

    /// Members that are not there are left out.
    static func members(_ members: [String: AuditValue?]) -> AuditValue {
        .object(members.compactMapValues { $0 })
    }

    static func texts(_ texts: some Sequence<String>) -> AuditValue { .list(texts.map { .text($0) }) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .flag(let value): try container.encode(value)
        case .list(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        case .text(let text): try container.encode(text)
        }
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Of texts, flags and what is made of them nothing can fail; were it to, the entry says so.
        guard let data = try? encoder.encode(self) else { return #""unwritable""# }
        return String(decoding: data, as: UTF8.self)
    }
}

extension AuditValue? {
    /// In seconds, or milliseconds where it is none.
    static func duration(_ duration: Duration?) -> AuditValue? {
        guard let milliseconds = duration?.wholeMilliseconds else { return nil }
        return .text(milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms")
    }

    static func optional(_ text: String?) -> AuditValue? { text.map { AuditValue.text($0) } }

    static func time(_ time: Timestamp?) -> AuditValue? { time.map { AuditValue.text($0.iso8601) } }
}
