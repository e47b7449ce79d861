/// Reads definite-length DER elements one after another; nil where the bytes are not what is asked for.
///
/// Just enough to take a SubjectPublicKeyInfo apart. Certificates and requests from outside have a full parser.
package struct DERReader {
    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) {
        self.rest = bytes
    }

    package var isAtEnd: Bool { rest.isEmpty }

    /// The contents of the next element, which must have this tag and its length in the shortest form.
    package mutating func read(tag: UInt8) -> ArraySlice<UInt8>? {
        var bytes = rest
        guard bytes.popFirst() == tag, let first = bytes.popFirst() else { return nil }
        var count = Int(first)
        if first >= 0x80 {
            let octets = Int(first & 0x7F)
            // Three octets hold any length that a key or certificate of less than 16 MiB has.
            guard (1...3).contains(octets), bytes.count >= octets else { return nil }
            count = bytes.prefix(octets).reduce(0) { $0 << 8 | Int($1) }
            bytes = bytes.dropFirst(octets)
            guard DER.headerCount(for: count) == octets + 2 else { return nil }
        }
        guard bytes.count >= count else { return nil }
        rest = bytes.dropFirst(count)
        return bytes.prefix(count)
    }
}
