/// The name of a Mesh: a DNS label (RFC 1123 §2.1) of 1 to 63 bytes; `all` is reserved for the SDS name of every mesh.
package struct MeshName: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let name: String

    /// Throws a sentence that completes "the mesh name …".
    package init(_ name: String) throws(InvalidName) {
        guard DNSLabel.isValid(name) else {
            throw InvalidName(
                "must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending with a hyphen")
        }
        guard name != "all" else { throw InvalidName("must not be 'all', which is reserved") }
        self.name = name
    }

    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    package var description: String { name }

    package static func < (left: MeshName, right: MeshName) -> Bool { left.name < right.name }
}

/// Why a name was refused: a sentence that completes "the name …".
package struct InvalidName: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// RFC 1123 §2.1 labels, lower case.
package enum DNSLabel {
    /// 1 to 63 of a–z, 0–9 and hyphen, not beginning or ending with a hyphen.
    package static func isValid(_ text: some StringProtocol) -> Bool {
        let bytes = Array(text.utf8)
        return (1...63).contains(bytes.count) && bytes.first != 0x2D && bytes.last != 0x2D
            && bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}
