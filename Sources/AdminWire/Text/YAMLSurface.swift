/// Looks at the bytes of a YAML text before the parser does, in one pass, and refuses what would make the parser work without bound.
///
/// Anchors: an alias tree as a mapping key costs the parser exponential time, and without an anchor there is no alias. An
/// anchor's `&` always stands behind white space or an indicator, so every `&` that begins a word is refused, wherever it
/// stands; nothing here depends on knowing where a quoted text begins. Depth: brackets and indentation are counted as the
/// text suggests; a text that misleads the count meets the parser's own bound of 1000 levels, then the exact count of nodes.
enum YAMLSurface {
    static func check(_ bytes: [UInt8]) throws(DocumentError) {
        var line = 1
        var flow = FlowDepth()
        var indentation: [Int] = []
        var lineStart = 0
        for (index, byte) in bytes.enumerated() {
            if index == lineStart {
                let depth = blockDepth(bytes, from: index, &indentation)
                guard depth <= DocumentText.maximumDepth || flow.depth > 0 else { throw tooDeep(line) }
            }
            if byte == 0x26, beginsAnchor(bytes, at: index) {
                throw DocumentError(
                    line: line,
                    reason: "YAML anchors ('&name') and aliases ('*name') are not accepted: write the value out; "
                        + "for an ampersand before a word use \"\\x26\" in double quotes")
            }
            flow.read(byte, after: index > 0 ? bytes[index - 1] : 0x0A)
            guard flow.depth <= DocumentText.maximumDepth else { throw tooDeep(line) }
            if byte == 0x0A {
                line += 1
                lineStart = index + 1
            }
        }
    }

    private static func tooDeep(_ line: Int) -> DocumentError {
        DocumentError(line: line, reason: "nested deeper than \(DocumentText.maximumDepth) levels")
    }

    /// Whether the `&` at `index` may begin an anchor: a name follows, and what stands before it cannot be inside a word.
    private static func beginsAnchor(_ bytes: [UInt8], at index: Int) -> Bool {
        guard index + 1 < bytes.count, isWord(bytes[index + 1]) || bytes[index + 1] == 0x2D else { return false }
        guard index > 0 else { return true }
        switch bytes[index - 1] {
        // = / . % ) & inside a word, such as `?a=1&b=2`. Non-ASCII bytes may end a Unicode line separator: not excused.
        case 0x3D, 0x2F, 0x2E, 0x25, 0x29, 0x26: return false
        case let before: return !isWord(before)
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
    }

    /// Levels that the line at `start` stands at: its indentation, and each `- ` or `? ` that opens a level of its own.
    private static func blockDepth(_ bytes: [UInt8], from start: Int, _ columns: inout [Int]) -> Int {
        var index = start
        var depth = 0
        func isBlank(_ at: Int) -> Bool { at >= bytes.count || bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D }
        while index < bytes.count {
            while index < bytes.count, bytes[index] == 0x20 { index += 1 }
            guard index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D, bytes[index] != 0x23 else { return depth }
            let column = index - start
            while let last = columns.last, last >= column { columns.removeLast() }
            columns.append(column)
            depth = columns.count
            guard bytes[index] == 0x2D || bytes[index] == 0x3F, isBlank(index + 1) else { return depth }
            index += 1
            // Far beyond any bound already: the rest of the line cannot make it legal.
            if depth > DocumentText.maximumDepth { return depth }
        }
        return depth
    }
}

/// Counts open brackets outside quotes and comments.
private struct FlowDepth {
    private(set) var depth = 0
    private var quote: UInt8?
    private var isEscaped = false
    private var isComment = false

    mutating func read(_ byte: UInt8, after previous: UInt8) {
        if isComment {
            isComment = byte != 0x0A
            return
        }
        if let open = quote {
            if isEscaped {
                isEscaped = false
            } else if byte == 0x5C, open == 0x22 {
                isEscaped = true
            } else if byte == open {
                quote = nil
            }
            return
        }
        switch byte {
        case 0x22, 0x27: if FlowDepth.beginsToken(after: previous) { quote = byte }
        case 0x23: isComment = previous == 0x20 || previous == 0x09 || previous == 0x0A
        case 0x5B, 0x7B: if depth > 0 || FlowDepth.beginsToken(after: previous) { depth += 1 }
        case 0x5D, 0x7D: depth = max(0, depth - 1)
        default: break
        }
    }

    /// White space, or one of `[ { , : ' "`.
    private static func beginsToken(after byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x27, 0x2C, 0x3A, 0x5B, 0x7B: true
        default: false
        }
    }
}
