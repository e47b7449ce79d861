/// Reads the fields of mappings strictly and gathers every fault, so that one answer names them all.
struct FieldReader {
    private(set) var issues: [DocumentError.Issue] = []

    /// The fields of one mapping that are present and not null.
    struct Fields {
        let path: String
        let line: Int
        fileprivate let entries: [String: DocumentNode.Entry]
        fileprivate let nulls: [String: Int]

        func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

        func node(_ key: String) -> DocumentNode? { entries[key]?.value }

        func line(of key: String) -> Int { entries[key]?.line ?? line }

        func contains(_ key: String) -> Bool { entries[key] != nil }

        /// Where `key` stands with nothing as its value; nil where it has a value or is not there.
        func lineOfNull(_ key: String) -> Int? { nulls[key] }
    }

    /// A person reads a screen of faults at once; beyond it they are counted no more, which bounds the work and the answer.
    private static let mostIssues = 50

    mutating func fault(_ line: Int?, _ field: String, _ reason: String) {
        guard issues.count < FieldReader.mostIssues else { return }
        issues.append(DocumentError.Issue(line: line, field: field, reason: reason))
    }

    /// The fields of `node`; every key that is not among `known` is a fault. Nil if it is no mapping.
    mutating func fields(of node: DocumentNode, path: String, known: [String]) -> Fields? {
        guard case .mapping(let entries) = node.content else {
            fault(node.line, path, "must be a mapping, not \(node.kindName)")
            return nil
        }
        var present: [String: DocumentNode.Entry] = [:]
        var nulls: [String: Int] = [:]
        for entry in entries {
            guard known.contains(entry.key) else {
                guard issues.count < FieldReader.mostIssues else { return nil }
                let key = DocumentNode.excerpt(of: entry.key)
                let near = Spelling.suggestion(for: entry.key, among: known)
                fault(
                    entry.line, path.isEmpty ? key : "\(path).\(key)",
                    "is not a known field" + (near.isEmpty ? ": known are \(known.joined(separator: ", "))" : near))
                continue
            }
            if entry.value.content == .null {
                nulls[entry.key] = entry.line
            } else {
                present[entry.key] = entry
            }
        }
        return Fields(path: path, line: node.line, entries: present, nulls: nulls)
    }

    /// The fields of the mapping `key` of `parent`; nil if it is absent or no mapping.
    mutating func fields(_ parent: Fields, _ key: String, known: [String]) -> Fields? {
        guard let node = parent.node(key) else { return nil }
        return fields(of: node, path: parent.path(of: key), known: known)
    }

    mutating func text(_ fields: Fields, _ key: String, isRequired: Bool = false) -> String? {
        guard let node = fields.node(key) else {
            if isRequired { fault(fields.line, fields.path(of: key), "is missing") }
            return nil
        }
        return text(node, path: fields.path(of: key))
    }

    mutating func text(_ node: DocumentNode, path: String) -> String? {
        switch node.content {
        case .text(let text): return text
        case .number(let number): fault(node.line, path, "must be text, and \(number) is a number: put it in quotes")
        case .flag(let flag): fault(node.line, path, "must be text, and \(flag) is a boolean: put it in quotes")
        case .mapping, .null, .sequence: fault(node.line, path, "must be text, not \(node.kindName)")
        }
        return nil
    }

    mutating func flag(_ fields: Fields, _ key: String) -> Bool? {
        guard let node = fields.node(key) else { return nil }
        if case .flag(let value) = node.content { return value }
        fault(node.line, fields.path(of: key), "must be true or false, not \(node.kindName)")
        return nil
    }

    mutating func integer(_ fields: Fields, _ key: String) -> Int? {
        guard let node = fields.node(key) else { return nil }
        if case .number(let text) = node.content, let value = Int(text) { return value }
        fault(node.line, fields.path(of: key), "must be a whole number, not \(node.kindName)")
        return nil
    }

    mutating func duration(_ fields: Fields, _ key: String) -> WireDuration? {
        guard let node = fields.node(key), let text = text(node, path: fields.path(of: key)) else { return nil }
        do {
            return try WireDuration(text)
        } catch {
            fault(node.line, fields.path(of: key), "'\(DocumentNode.excerpt(of: text))' \(error)")
            return nil
        }
    }

    /// The elements of the list `key`, each with its path; none if it is absent.
    mutating func list(_ fields: Fields, _ key: String) -> [(node: DocumentNode, path: String)] {
        guard let node = fields.node(key) else { return [] }
        guard case .sequence(let nodes) = node.content else {
            fault(node.line, fields.path(of: key), "must be a list, not \(node.kindName)")
            return []
        }
        return nodes.enumerated().map { ($1, "\(fields.path(of: key))[\($0)]") }
    }

    /// The mapping `key` of any keys to text.
    mutating func texts(_ fields: Fields, _ key: String) -> [String: String] {
        guard let node = fields.node(key) else { return [:] }
        guard case .mapping(let entries) = node.content else {
            fault(node.line, fields.path(of: key), "must be a mapping, not \(node.kindName)")
            return [:]
        }
        var texts: [String: String] = [:]
        for entry in entries {
            texts[entry.key] = text(entry.value, path: "\(fields.path(of: key))['\(DocumentNode.excerpt(of: entry.key))']")
        }
        return texts
    }

    /// Throws if anything was wrong.
    func finish() throws(DocumentError) {
        guard issues.isEmpty else { throw DocumentError(issues: issues) }
    }
}
