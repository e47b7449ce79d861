import AdminWire
import Foundation

/// A text of documents, read as YAML and as JSON.
///
/// Laws: what is read as JSON is JSON to Foundation, and has the same content; a value written as JSON or YAML and read again is
/// the same; a document in either of its forms and read again is the same document; a refusal is one readable line.
enum DocumentFuzz {
    static func run(_ bytes: [UInt8]) throws -> FuzzTarget.Verdict {
        let isJSON = try read(bytes, .json)
        let isYAML = try read(bytes, .yaml)
        return FuzzTarget.Verdict(isJSON || isYAML)
    }

    /// Whether `bytes` are documents in this format.
    private static func read(_ bytes: [UInt8], _ format: DocumentText.Format) throws -> Bool {
        do {
            let nodes = try DocumentText.parse(bytes, format: format)
            for node in nodes {
                let value = JSONValue(node)
                if format == .json { try compare(value, bytes) }
                try rewrite(value)
            }
            for document in try DocumentFile.documents(in: bytes, format: format) { try rewrite(document) }
            return true
        } catch let error as DocumentError {
            for issue in error.issues { try SpokenText.check("\(issue)") }
            return false
        }
    }

    private static func compare(_ value: JSONValue, _ bytes: [UInt8]) throws {
        let object: Any
        do {
            object = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
        } catch {
            // A number that no reader can hold is JSON all the same.
            guard hasOnlyFiniteNumbers(value) else { return }
            throw BrokenInvariant("no JSON to Foundation: \(error)")
        }
        try BrokenInvariant.require(isSame(value, object), "other JSON to Foundation")
    }

    private static func hasOnlyFiniteNumbers(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let values): values.allSatisfy(hasOnlyFiniteNumbers)
        case .bool, .null, .string: true
        // Foundation's decimals end earlier than its doubles.
        case .number(let text): Double(text).map { $0 == 0 || (1e-100...1e100).contains(abs($0)) } ?? false
        case .object(let members): members.allSatisfy { hasOnlyFiniteNumbers($0.value) }
        }
    }

    /// Numbers are compared as far as a double goes.
    private static func isSame(_ value: JSONValue, _ object: Any) -> Bool {
        switch value {
        case .array(let values):
            guard let objects = object as? [Any], objects.count == values.count else { return false }
            return zip(values, objects).allSatisfy { isSame($0, $1) }
        case .bool(let flag): return object as? Bool == flag
        case .null: return object is NSNull
        case .number(let text):
            guard let number = (object as? NSNumber)?.doubleValue, let ours = Double(text) else { return false }
            return number == ours || abs(number - ours) <= abs(ours) * 1e-9 || !ours.isFinite
        case .object(let members):
            guard let objects = object as? [String: Any], objects.count == members.count else { return false }
            return members.allSatisfy { member in objects[member.key].map { isSame(member.value, $0) } ?? false }
        case .string(let text): return (object as? String).map { Array($0.utf8) == Array(text.utf8) } ?? false
        }
    }

    private static func rewrite(_ value: JSONValue) throws {
        let text = value.json
        guard text.utf8.count <= DocumentText.maximumBytes else { return }
        do {
            try BrokenInvariant.require(try JSONValue(parsing: text) == value, "another value after JSON")
        } catch let error as DocumentError {
            throw BrokenInvariant("JSON of our own is refused: \(error)")
        }
        guard case .object(let members) = value, !members.isEmpty else { return }
        let yaml = value.yaml
        guard yaml.utf8.count <= DocumentText.maximumBytes else { return }
        do {
            let nodes = try DocumentText.parse(Array(yaml.utf8), format: .yaml)
            try BrokenInvariant.require(nodes.map { JSONValue($0) } == [value], "another value after YAML")
        } catch let error as DocumentError {
            throw BrokenInvariant("YAML of our own is refused: \(error)")
        }
    }

    private static func rewrite(_ document: PolicyDocument) throws {
        do {
            let whole = try DocumentFile.documents(in: Array(document.requestJSON.json.utf8), format: .json)
            try BrokenInvariant.require(whole == [document], "another document after a request")
            for form in DocumentForm.allCases {
                let again = try DocumentFile.documents(in: Array(document.json(form).json.utf8), format: .json)
                let texts = again.map { $0.json(form).json }
                try BrokenInvariant.require(texts == [document.json(form).json], "another document after \(form)")
            }
        } catch let error as DocumentError {
            throw BrokenInvariant("a document of our own is refused: \(error)")
        }
    }
}
