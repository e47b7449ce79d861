import AdminWire
import Foundation
import Listeners

/// The file in which `signet config` keeps the contexts: `signet/config.yaml` below XDG's configuration home.
struct ContextFile: Hashable, Sendable {
    let path: String
    /// By name, in the order of their names.
    private(set) var contexts: [ServerContext] = []
    /// The one that commands use when nothing else names a server.
    private(set) var current: String?

    /// A thousand times any such file.
    private static let maximumBytes = 1 << 20

    /// `SIGNET_CONFIG_DIR`, else `signet` below `XDG_CONFIG_HOME`, else `~/.config/signet`; the file is `config.yaml` in it.
    static func standardPath(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        if let chosen = environment["SIGNET_CONFIG_DIR"], !chosen.isEmpty {
            return DataDirectory.absolute(chosen) + "/config.yaml"
        }
        // A relative path is to be ignored (XDG Base Directory Specification).
        if let home = environment["XDG_CONFIG_HOME"], home.hasPrefix("/") { return home + "/signet/config.yaml" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.config/signet/config.yaml"
    }

    /// Reads the file; without one there are no contexts. Throws for anything in it that is not understood.
    init(path: String) throws(CommandFailure) {
        self.path = path
        guard let bytes = try ContextFile.contents(of: path) else { return }
        do {
            let documents = try DocumentText.parse(bytes, format: .yaml)
            guard documents.count <= 1 else {
                throw DocumentError(line: documents[1].line, reason: "there is a second document: keep one")
            }
            if let root = documents.first { try read(root) }
        } catch {
            throw .usage("\(path): \(error): mend the file, or remove it and begin with 'signet config set'")
        }
    }

    var currentContext: ServerContext? { current.flatMap(context(named:)) }

    func context(named name: String) -> ServerContext? { contexts.first { $0.name == name } }

    /// Adds a context, or replaces the one of its name.
    mutating func set(_ context: ServerContext) {
        contexts.removeAll { $0.name == context.name }
        contexts.append(context)
        contexts.sort { $0.name < $1.name }
    }

    /// Makes a context the current one; nil: none is.
    mutating func use(_ name: String?) throws(CommandFailure) {
        if let name, context(named: name) == nil { throw unknown(name) }
        current = name
    }

    /// Removes a context; if it was the current one, none is.
    mutating func remove(_ name: String) throws(CommandFailure) {
        guard context(named: name) != nil else { throw unknown(name) }
        contexts.removeAll { $0.name == name }
        if current == name { current = nil }
    }

    private func unknown(_ name: String) -> CommandFailure {
        let known = contexts.map(\.name)
        let remedy =
            if let near = Nearness.nearest(to: name, among: known) {
                "did you mean '\(near)'?"
            } else if known.isEmpty {
                "there is none: make one with 'signet config set'"
            } else {
                "there are \(known.joined(separator: ", "))"
            }
        return .usage("there is no context '\(name)': \(remedy)")
    }

    /// Changes the file under a lock, so that of two commands at once none undoes the other.
    static func change(
        _ path: String, _ body: (inout ContextFile) throws(CommandFailure) -> Void
    ) throws(CommandFailure) {
        // What is refused is refused before anything is made.
        var trial = try ContextFile(path: path)
        try body(&trial)
        let directory = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .failed("cannot make \(directory): make it yourself, or name another directory with SIGNET_CONFIG_DIR")
        }
        do {
            let lock = try FileLock(path: directory + "/config.lock", of: path)
            var file = try ContextFile(path: path)
            try body(&file)
            // A link, as those who keep such files in a repository have, stays one.
            let target = (path as NSString).resolvingSymlinksInPath
            try DurableFile.write(Array(file.yaml.utf8), to: target, mode: 0o600)
            withExtendedLifetime(lock) {}
        } catch let failure as CommandFailure {
            throw failure
        } catch let failure as DoorFailure {
            throw .failed(failure.description)
        } catch {
            throw .failed("cannot change \(path): \(error)")
        }
    }

    var yaml: String {
        var members: [JSONValue.Member] = []
        if let current { members.append(.init("current", .string(current))) }
        let entries: [JSONValue.Member] = contexts.map { context in
            var fields: [JSONValue.Member] = [.init("address", .string(context.address))]
            if let file = context.tokenFile { fields.append(.init("tokenFile", .string(file))) }
            if let file = context.caFile { fields.append(.init("caFile", .string(file))) }
            return .init(context.name, .object(fields))
        }
        members.append(.init("contexts", .object(entries)))
        return JSONValue.object(members).yaml
    }

    /// Nil if there is no file.
    ///
    /// Whoever may write it chooses which server gets the token: only its owner and root may.
    private static func contents(of path: String) throws(CommandFailure) -> [UInt8]? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw .usage("cannot read \(path) (\(String(cString: strerror(errno)))): make it readable for this user")
            }
            return nil
        }
        guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            throw .usage(
                "others may write \(path), and so choose who is sent your token: make it yours alone, chmod 600 \(path)")
        }
        do {
            return try DurableFile.read(path, limit: maximumBytes)
        } catch {
            throw .usage("\(error)")
        }
    }
}

extension ContextFile {
    private mutating func read(_ root: DocumentNode) throws(DocumentError) {
        var chosen: (name: String, line: Int)?
        for entry in try ContextFile.entries(of: root, field: "") {
            switch entry.key {
            case "contexts":
                if entry.value.content == .null { continue }
                for context in try ContextFile.entries(of: entry.value, field: "contexts") {
                    contexts.append(try ContextFile.context(context))
                }
            case "current":
                if entry.value.content == .null { continue }
                chosen = (try ContextFile.text(entry, in: ""), entry.line)
            default:
                throw ContextFile.unknownField(entry, in: "", known: ["contexts", "current"])
            }
        }
        contexts.sort { $0.name < $1.name }
        if let chosen {
            guard context(named: chosen.name) != nil else {
                throw DocumentError(
                    line: chosen.line, field: "current",
                    reason: "there is no context '\(DocumentNode.excerpt(of: chosen.name))' in the file")
            }
            current = chosen.name
        }
    }

    private static func context(_ entry: DocumentNode.Entry) throws(DocumentError) -> ServerContext {
        let field = "contexts.\(DocumentNode.excerpt(of: entry.key))"
        do {
            try ServerContext.check(name: entry.key)
        } catch {
            throw DocumentError(line: entry.line, field: field, reason: error.line)
        }
        var context = ServerContext(name: entry.key, address: "")
        for inner in try entries(of: entry.value, field: field) {
            switch inner.key {
            case "address": context.address = try text(inner, in: field)
            case "caFile": context.caFile = try path(inner, in: field)
            case "tokenFile": context.tokenFile = try path(inner, in: field)
            default: throw unknownField(inner, in: field, known: ["address", "caFile", "tokenFile"])
            }
        }
        guard !context.address.isEmpty else {
            throw DocumentError(line: entry.line, field: "\(field).address", reason: "is missing")
        }
        return context
    }

    private static func entries(of node: DocumentNode, field: String) throws(DocumentError) -> [DocumentNode.Entry] {
        guard case .mapping(let entries) = node.content else {
            throw DocumentError(line: node.line, field: field, reason: "must be a mapping, not \(node.kindName)")
        }
        return entries
    }

    private static func text(_ entry: DocumentNode.Entry, in parent: String) throws(DocumentError) -> String {
        guard case .text(let text) = entry.value.content, !text.isEmpty else {
            let field = parent.isEmpty ? entry.key : "\(parent).\(entry.key)"
            throw DocumentError(line: entry.line, field: field, reason: "must be text, not \(entry.value.kindName)")
        }
        return text
    }

    private static func path(_ entry: DocumentNode.Entry, in parent: String) throws(DocumentError) -> String {
        let path = try text(entry, in: parent)
        guard path.hasPrefix("/") else {
            throw DocumentError(
                line: entry.line, field: "\(parent).\(entry.key)",
                reason: "must be the absolute path of a file: commands run in any directory")
        }
        return path
    }

    private static func unknownField(_ entry: DocumentNode.Entry, in parent: String, known: [String]) -> DocumentError {
        let key = DocumentNode.excerpt(of: entry.key)
        let remedy =
            Nearness.nearest(to: entry.key, among: known).map { "did you mean '\($0)'?" }
            ?? "known are \(known.joined(separator: ", "))"
        // Whoever puts a token here learns where it belongs, and not from a message that shows it.
        let advice = entry.key.lowercased() == "token" ? "a token stands in a file of its own, which 'tokenFile' names" : remedy
        return DocumentError(
            line: entry.line, field: parent.isEmpty ? key : "\(parent).\(key)", reason: "is not a known field: \(advice)")
    }
}
