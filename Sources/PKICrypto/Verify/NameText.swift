import SwiftASN1

/// A distinguished name as text, in the order and with the escapes of RFC 4514.
enum NameText {
    /// Reads the DER of a Name (RFC 5280 §4.1.2.4); what cannot be read is shown as `?`, since the text is for people only.
    ///
    /// Printable and bounded as `PrintableText` has it; empty for an empty name.
    static func of(_ der: ArraySlice<UInt8>) -> String {
        guard let root = try? SwiftASN1.DER.parse(der), case .constructed(let sets) = root.content else { return "?" }
        var parts: [String] = []
        for set in sets {
            guard case .constructed(let attributes) = set.content else { return "?" }
            parts.append(attributes.map(attributeText).joined(separator: "+"))
        }
        return PrintableText.of(parts.reversed().joined(separator: ","))
    }

    private static func attributeText(_ node: ASN1Node) -> String {
        guard case .constructed(let parts) = node.content else { return "?" }
        var nodes = parts.makeIterator()
        guard let type = nodes.next().flatMap({ try? ASN1ObjectIdentifier(derEncoded: $0) }), let value = nodes.next(),
            case .primitive(let bytes) = value.content
        else { return "?" }
        return "\(keywords[type] ?? type.dotted)=\(escaped(String(decoding: bytes, as: UTF8.self)))"
    }

    /// RFC 4514 §2.4, so that a value cannot pass for two attributes.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            if ",+\"\\<>;=".unicodeScalars.contains(scalar) { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text
    }

    /// RFC 4514 §3.
    private static let keywords: [ASN1ObjectIdentifier: String] = [
        [2, 5, 4, 3]: "CN", [2, 5, 4, 6]: "C", [2, 5, 4, 7]: "L", [2, 5, 4, 8]: "ST", [2, 5, 4, 9]: "STREET",
        [2, 5, 4, 10]: "O", [2, 5, 4, 11]: "OU", [0, 9, 2342, 19_200_300, 100, 1, 25]: "DC",
    ]
}
