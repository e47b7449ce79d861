/// The octets of an input, taken apart from the front; whatever they are, there is something to take.
struct FuzzInput {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// Zero at the end.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// Eight octets, big-endian; fewer at the end.
    mutating func number() -> Int64 {
        let octets = rest.prefix(8)
        rest = rest.dropFirst(8)
        return Int64(bitPattern: octets.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    /// As many octets as the two before them say, or as there are.
    mutating func block() -> [UInt8] {
        let count = Int(byte()) << 8 | Int(byte())
        let block = rest.prefix(count)
        rest = rest.dropFirst(count)
        return Array(block)
    }

    /// All blocks that follow.
    mutating func blocks() -> [[UInt8]] {
        var blocks: [[UInt8]] = []
        while !isAtEnd { blocks.append(block()) }
        return blocks
    }

    /// All that follows.
    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}
