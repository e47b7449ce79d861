import Foundation
import Listeners
import Yams

/// The keys of the YAML file as they stand in it, with their lines: what swift-configuration does not tell.
enum ConfigurationFile {
    /// A megabyte is a thousand times any configuration.
    static let maximumBytes = 1 << 20

    static func text(at path: String) throws(ConfigurationProblem) -> String {
        let data: [UInt8]
        do {
            guard let bytes = try DurableFile.read(path, limit: maximumBytes) else {
                throw ConfigurationProblem("there is no file \(path): name an existing one with --config")
            }
            data = bytes
        } catch let failure as DoorFailure {
            throw ConfigurationProblem(failure.description)
        } catch let problem as ConfigurationProblem {
            throw problem
        } catch {
            throw ConfigurationProblem("cannot read \(path): \(error)")
        }
        guard let text = String(bytes: data, encoding: .utf8) else {
            throw ConfigurationProblem("\(path) is not UTF-8: save it as UTF-8")
        }
        // Some editors write a byte order mark, which is no part of the first key.
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// Every leaf key with its line, in their order; throws for an unknown one.
    static func check(_ text: String, path: String) throws(ConfigurationProblem) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ConfigurationProblem("\(path) is not YAML: \(describe(error))")
        } catch {
            throw ConfigurationProblem("\(path) is not YAML: \(error)")
        }
        guard let root else { return }
        guard let mapping = root.mapping else {
            throw ConfigurationProblem("\(path): the file is not a mapping: write keys such as 'listen:' at its top")
        }
        try check(mapping, prefix: [], path: path)
    }

    private static func check(_ mapping: Node.Mapping, prefix: [String], path: String) throws(ConfigurationProblem) {
        for (key, value) in mapping {
            let name = (prefix + [key.string ?? "?"]).joined(separator: ".")
            if let known = ConfigurationTable.byPath[name] {
                guard value.mapping == nil else {
                    throw .wrongValue(name, of: path, value: "a mapping", must: known.kind.title)
                }
            } else if let inner = value.mapping, ConfigurationTable.keys.contains(where: { $0.path.hasPrefix(name + ".") }) {
                try check(inner, prefix: prefix + [key.string ?? "?"], path: path)
            } else {
                throw .unknownKey(
                    name, in: path, line: key.mark?.line,
                    nearest: Nearness.nearest(to: name, among: ConfigurationTable.keys.map(\.path)))
            }
        }
    }

    private static func describe(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping(let duplicates, _):
            "a key stands twice: \(duplicates.map { "\($0)" }.joined(separator: ", "))"
        default: Console.oneLine("\(error)")
        }
    }
}
