extension JSONValue {
    /// The fields in which two values differ, in the order of `before`, then of `after`; nil stands for a document that is not
    /// there.
    ///
    /// Objects are compared member by member, wherever they stand in the text. Lists of objects with a `name` of their own are
    /// compared by it, in any order; other lists are one value. What is only on one side is one difference, whole. `ignoring`
    /// are members of the outermost object, such as the server's times.
    package static func differences(
        from before: JSONValue?, to after: JSONValue?, ignoring: Set<String> = []
    ) -> [JSONDifference] {
        var differences: [JSONDifference] = []
        compare(before?.without(ignoring), after?.without(ignoring), field: "", &differences)
        return differences
    }

    private static func compare(
        _ before: JSONValue?, _ after: JSONValue?, field: String, _ differences: inout [JSONDifference]
    ) {
        // Absent and null mean the same to every reader of a document.
        guard before ?? .null != after ?? .null else { return }
        switch (before, after) {
        case (.object(let old), .object(let new)):
            for (key, pair) in pairs(old.map { ($0.key, $0.value) }, new.map { ($0.key, $0.value) }) {
                compare(pair.before, pair.after, field: path(field, key), &differences)
            }
        case (.array(let old), .array(let new)):
            guard let oldNames = names(of: old), let newNames = names(of: new) else { fallthrough }
            for (name, pair) in pairs(Array(zip(oldNames, old)), Array(zip(newNames, new))) {
                compare(pair.before, pair.after, field: "\(field)[\(name)]", &differences)
            }
        default: differences.append(JSONDifference(field: field, before: before ?? .null, after: after ?? .null))
        }
    }

    private static func pairs(
        _ old: [(String, JSONValue)], _ new: [(String, JSONValue)]
    ) -> [(String, (before: JSONValue?, after: JSONValue?))] {
        let olds = Dictionary(old, uniquingKeysWith: { first, _ in first })
        let news = Dictionary(new, uniquingKeysWith: { first, _ in first })
        let keys = old.map(\.0) + new.map(\.0).filter { olds[$0] == nil }
        return keys.map { ($0, (olds[$0], news[$0])) }
    }

    /// The `name` of each object; nil unless all are objects, each with a name that no other has.
    private static func names(of values: [JSONValue]) -> [String]? {
        let names = values.compactMap { $0["name"]?.text }
        guard names.count == values.count, Set(names).count == names.count else { return nil }
        return names
    }

    /// `a.b`, or `a['b/c']` for a key that is no word.
    private static func path(_ field: String, _ key: String) -> String {
        let isWord = key.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2D
        }
        guard isWord, !key.isEmpty else { return "\(field)['\(key)']" }
        return field.isEmpty ? key : "\(field).\(key)"
    }

    private func without(_ keys: Set<String>) -> JSONValue {
        guard case .object(let members) = self, !keys.isEmpty else { return self }
        return .object(members.filter { !keys.contains($0.key) })
    }
}
