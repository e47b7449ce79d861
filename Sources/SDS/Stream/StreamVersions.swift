/// The versions of all names on a state-of-the-world stream, as the one text that its protocol has room for:
/// `name=version` joined by commas, sorted by name; `%`, `,`, `=` and whatever is not printable ASCII as `%XX`.
///
/// A reconnecting proxy gives it back, and any replica can tell from it what the proxy already has.
package struct StreamVersions: Sendable, Hashable {
    package var versions: [String: String]

    package init(_ versions: [String: String]) {
        self.versions = versions
    }

    /// Reads what a proxy gave back; what is not of this form counts as naming nothing.
    package init(parsing text: String) {
        versions = [:]
        // More than the text of any stream within the limits: a hundred names of some hundred octets each.
        guard text.utf8.count <= 65_536 else { return }
        for entry in text.split(separator: ",") {
            let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, let name = StreamVersions.unescape(parts[0]), let version = StreamVersions.unescape(parts[1])
            else { continue }
            versions[name] = version
        }
    }

    package var text: String {
        versions.sorted { $0.key < $1.key }
            .map { "\(StreamVersions.escape($0.key))=\(StreamVersions.escape($0.value))" }
            .joined(separator: ",")
    }

    private static func escape(_ text: String) -> String {
        guard !text.utf8.allSatisfy(isPlain) else { return text }
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            if isPlain(byte) {
                escaped.append(byte)
            } else {
                escaped += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    private static func unescape(_ text: Substring) -> String? {
        guard text.utf8.contains(0x25) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(nibble), let low = rest.popFirst().flatMap(nibble) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Printable ASCII without space, and without the three that have a meaning here.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != 0x25 && byte != 0x2C && byte != 0x3D
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        digits.firstIndex(of: byte).map(UInt8.init)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)
}
