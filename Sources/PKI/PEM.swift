/// The textual encoding of certificates and keys (RFC 7468): base64 in lines of 64 between BEGIN and END.
package enum PEM {
    /// The text of one block, ending in a line feed.
    package static func encode(label: String, der: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: encodedCount(label: label, of: der.count)) { target in
            der.withUnsafeBytes { write(label: label, der: $0, into: UnsafeMutableRawBufferPointer(target)) }
        }
    }

    /// The text of one block as bytes.
    package static func encodeBytes(label: String, der: [UInt8]) -> [UInt8] {
        let count = encodedCount(label: label, of: der.count)
        return [UInt8](unsafeUninitializedCapacity: count) { target, written in
            written = der.withUnsafeBytes { write(label: label, der: $0, into: UnsafeMutableRawBufferPointer(target)) }
        }
    }

    /// How many bytes the block of `count` octets of DER has.
    package static func encodedCount(label: String, of count: Int) -> Int {
        let characters = Base64.encodedCount(of: count)
        let frame = begin.utf8.count + end.utf8.count + 2 * (label.utf8.count + dashes.utf8.count + 1)
        return frame + characters + (characters + lineCharacters - 1) / lineCharacters
    }

    /// Writes one block to the beginning of `target`, which must hold `encodedCount`; gives the number of bytes.
    ///
    /// The key in a block of a private key passes through no other memory than `target`.
    package static func write(
        label: String, der: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int {
        precondition(target.count >= encodedCount(label: label, of: der.count))
        var position = 0
        append(begin, to: target, at: &position)
        append(label, to: target, at: &position)
        append(dashes, to: target, at: &position)
        append("\n", to: target, at: &position)
        var offset = 0
        while offset < der.count {
            let line = UnsafeRawBufferPointer(rebasing: der[offset..<min(offset + lineOctets, der.count)])
            position += Base64.encode(line, into: UnsafeMutableRawBufferPointer(rebasing: target[position...]))
            target[position] = 0x0A
            position += 1
            offset += line.count
        }
        append(end, to: target, at: &position)
        append(label, to: target, at: &position)
        append(dashes, to: target, at: &position)
        append("\n", to: target, at: &position)
        return position
    }

    /// The DER of each block with this label, in their order; blocks of other labels and text between them are passed over.
    ///
    /// Throws unless there is at least one, and each block of that label is whole. A caller bounds the text's size.
    package static func decode(_ text: String, label: String) throws(PEMError) -> [[UInt8]] {
        let first = begin + label + dashes
        let last = end + label + dashes
        var blocks: [[UInt8]] = []
        var characters: [UInt8]?
        for line in text.utf8.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let line = trimmed(line)
            if line.elementsEqual(first.utf8) {
                guard characters == nil else { throw .unterminated(label: label) }
                characters = []
            } else if line.elementsEqual(last.utf8) {
                guard let block = characters, let der = Base64.decode(block) else { throw .notBase64(label: label) }
                blocks.append(der)
                characters = nil
            } else if characters != nil {
                characters?.append(contentsOf: line)
            }
        }
        guard characters == nil else { throw .unterminated(label: label) }
        guard !blocks.isEmpty else { throw .noBlock(label: label) }
        return blocks
    }

    private static func append(_ text: String, to target: UnsafeMutableRawBufferPointer, at position: inout Int) {
        let rest = UnsafeMutableRawBufferPointer(rebasing: target[position...])
        let count: Int? = text.utf8.withContiguousStorageIfAvailable { bytes in
            rest.copyMemory(from: UnsafeRawBufferPointer(bytes))
            return bytes.count
        }
        if count == nil { rest.copyBytes(from: text.utf8) }
        position += count ?? text.utf8.count
    }

    private static func trimmed(_ line: Substring.UTF8View) -> Substring.UTF8View {
        var line = line
        while let last = line.last, last == 0x20 || last == 0x09 { line.removeLast() }
        while let first = line.first, first == 0x20 || first == 0x09 { line.removeFirst() }
        return line
    }

    private static let begin = "-----BEGIN "
    private static let end = "-----END "
    private static let dashes = "-----"
    /// RFC 7468 §2: exactly 64 characters in every line but the last.
    private static let lineCharacters = 64
    private static let lineOctets = 48
}
