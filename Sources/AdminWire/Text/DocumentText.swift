import Yams

/// Takes YAML or JSON texts from outside apart into nodes, within fixed bounds of size, depth and time.
package enum DocumentText {
    /// Which grammar a text is held to.
    package enum Format: Sendable, Hashable {
        case json, yaml
    }

    /// A Mesh document has a few kilobytes; 1 MiB leaves room for files of hundreds of them and none for a flood.
    package static let maximumBytes = 1 << 20

    /// The deepest field that any document has is at level 8; 32 leaves room for what is kept without being understood.
    package static let maximumDepth = 32

    /// The documents of `bytes`, in their order; empty ones between two `---` are left out. JSON is always one document.
    ///
    /// A byte order mark at the beginning, which some editors write, is passed over.
    package static func parse(_ text: [UInt8], format: Format) throws(DocumentError) -> [DocumentNode] {
        let bytes = withoutMark(text)
        guard bytes.count <= maximumBytes else {
            throw DocumentError(
                line: nil, reason: "the text has \(bytes.count) bytes, more than the \(maximumBytes) accepted: split it")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DocumentError(line: nil, reason: "the text is not UTF-8")
        }
        switch format {
        case .json: return [try JSONReader.parse(bytes)]
        case .yaml:
            try YAMLSurface.check(bytes)
            return try yamlDocuments(text)
        }
    }

    static func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    private static func yamlDocuments(_ text: String) throws(DocumentError) -> [DocumentNode] {
        var documents: [DocumentNode] = []
        do {
            // The basic resolver takes every key as text, so that `1` and `"1"` are the same key to it as they are to us.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() {
                let node = try YAMLNodes.convert(root, depth: 1)
                if node.content != .null { documents.append(node) }
            }
        } catch let error as DocumentError {
            throw error
        } catch let error as YamlError {
            throw YAMLNodes.documentError(error)
        } catch {
            throw DocumentError(line: nil, reason: "the text cannot be parsed: \(error)")
        }
        return documents
    }
}

extension DocumentText {
    /// Readers of text drop it, one or all of them, where a text begins with it: what is read again would be another text.
    static func hasByteOrderMark(_ text: String) -> Bool { text.unicodeScalars.contains("\u{FEFF}") }

    static let byteOrderMarkRefused = "a text must not contain the character U+FEFF, a byte order mark"
}
