import AdminWire
import Foundation
import TestSupport

/// One file of `policies/cases/`: documents, the identities that live under them, and who accepts whom.
struct PolicyCase: Sendable {
    /// A proxy's identity, and the tags of the token that grants it.
    struct Identity: Sendable {
        var line: Int
        var uri: String
        var tags: [String: String]
        /// The reason for which the token is refused; nil: it is issued.
        var refused: String?
    }

    /// Would `to` accept a connection from `from`, and why.
    struct Row: Sendable {
        var number: Int
        var line: Int
        var from: String
        var to: String
        var accept: Bool
        /// Of `signet trust check`.
        var reason: String
        /// Of `signet verify --mesh <the mesh of to>` for the chain of `from`; nil: `accepted` where the row accepts, anything
        /// else where it does not. `none`: nobody has such an identity, so that there is no chain.
        var verify: String?
    }

    /// Is `peer` one of the identities that a destination, named by the mesh's service, is pinned to.
    struct Pin: Sendable {
        var number: Int
        var line: Int
        var mesh: String
        var service: String
        var peer: String
        var accept: Bool
    }

    /// Relative to the repository.
    var file: String
    /// Files of `policies/`, applied in this order.
    var policies: [String]
    /// Applied after them, in this order.
    var documents: [PolicyDocument]
    /// Whether Mesh documents may leave a shared certificate authority.
    var leave: Bool
    var identities: [Identity]
    var rows: [Row]
    var pins: [Pin]

    static let folder = "policies/cases"

    /// The names of all tables.
    static let files: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: Repository.path(folder))) ?? [])
        .filter { $0.hasSuffix(".yaml") }.sorted()

    init(named name: String) throws {
        let file = "\(PolicyCase.folder)/\(name)"
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: Repository.path(file))))
        do {
            let nodes = try DocumentText.parse(bytes, format: .yaml)
            guard nodes.count == 1 else { throw PolicyCaseFault("must hold exactly one table") }
            try self.init(file: file, nodes[0])
        } catch {
            throw PolicyCaseFault("\(file): \(error)")
        }
    }

    private init(file: String, _ node: DocumentNode) throws {
        let fields = try CaseFields(node, known: ["policies", "documents", "leave", "identities", "rows", "services"])
        self.file = file
        policies = try fields.list("policies").map { try CaseFields.text($0) }
        documents = try fields.list("documents").map { try PolicyDocument($0) }
        leave = try fields.flag("leave") ?? false
        identities = try fields.list("identities").map { node in
            let fields = try CaseFields(node, known: ["id", "tags", "refused"])
            return Identity(
                line: node.line, uri: try fields.text("id"), tags: try fields.texts("tags"),
                refused: try fields.optionalText("refused"))
        }
        rows = try fields.list("rows").enumerated().map { index, node in
            let fields = try CaseFields(node, known: ["from", "to", "accept", "reason", "verify"])
            return Row(
                number: index + 1, line: node.line, from: try fields.text("from"), to: try fields.text("to"),
                accept: try fields.requiredFlag("accept"), reason: try fields.text("reason"),
                verify: try fields.optionalText("verify"))
        }
        pins = try fields.list("services").enumerated().map { index, node in
            let fields = try CaseFields(node, known: ["mesh", "service", "peer", "accept"])
            return Pin(
                number: index + 1, line: node.line, mesh: try fields.text("mesh"), service: try fields.text("service"),
                peer: try fields.text("peer"), accept: try fields.requiredFlag("accept"))
        }
        guard !rows.isEmpty else { throw PolicyCaseFault("has no rows") }
        try checkDirections()
    }

    /// Who accepts whom is asked both ways for each pair, and once.
    private func checkDirections() throws {
        var seen: Set<[String]> = []
        for row in rows {
            guard seen.insert([row.from, row.to]).inserted else {
                throw PolicyCaseFault("row \(row.number) (line \(row.line)) is there twice")
            }
        }
        for row in rows where !seen.contains([row.to, row.from]) {
            throw PolicyCaseFault("row \(row.number) (line \(row.line)) has no row for the other direction")
        }
    }
}

/// What is wrong with a table itself.
struct PolicyCaseFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The fields of one mapping of a table; those that are not known are faults, so that no row is passed over by a slip.
private struct CaseFields {
    private var values: [String: DocumentNode] = [:]
    private let line: Int

    init(_ node: DocumentNode, known: Set<String>) throws {
        guard case .mapping(let entries) = node.content else {
            throw PolicyCaseFault("line \(node.line): must be a mapping, not \(node.kindName)")
        }
        line = node.line
        for entry in entries {
            guard known.contains(entry.key) else {
                throw PolicyCaseFault("line \(entry.line): '\(entry.key)' is none of \(known.sorted().joined(separator: ", "))")
            }
            values[entry.key] = entry.value
        }
    }

    static func text(_ node: DocumentNode) throws -> String {
        guard case .text(let text) = node.content, !text.isEmpty else {
            throw PolicyCaseFault("line \(node.line): must be a text, not \(node.kindName)")
        }
        return text
    }

    func optionalText(_ key: String) throws -> String? { try values[key].map { try CaseFields.text($0) } }

    func text(_ key: String) throws -> String {
        guard let text = try optionalText(key) else { throw PolicyCaseFault("line \(line): '\(key)' is missing") }
        return text
    }

    func flag(_ key: String) throws -> Bool? {
        guard let node = values[key] else { return nil }
        guard case .flag(let flag) = node.content else {
            throw PolicyCaseFault("line \(node.line): '\(key)' must be true or false, not \(node.kindName)")
        }
        return flag
    }

    func requiredFlag(_ key: String) throws -> Bool {
        guard let flag = try flag(key) else { throw PolicyCaseFault("line \(line): '\(key)' is missing") }
        return flag
    }

    func list(_ key: String) throws -> [DocumentNode] {
        guard let node = values[key] else { return [] }
        guard case .sequence(let nodes) = node.content else {
            throw PolicyCaseFault("line \(node.line): '\(key)' must be a list, not \(node.kindName)")
        }
        return nodes
    }

    func texts(_ key: String) throws -> [String: String] {
        guard let node = values[key] else { throw PolicyCaseFault("line \(line): '\(key)' is missing") }
        guard case .mapping(let entries) = node.content else {
            throw PolicyCaseFault("line \(node.line): '\(key)' must be a mapping, not \(node.kindName)")
        }
        return Dictionary(uniqueKeysWithValues: try entries.map { ($0.key, try CaseFields.text($0.value)) })
    }
}
