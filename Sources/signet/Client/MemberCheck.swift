import Foundation

/// Which members the objects of a JSON line have: what decodes may have others besides, or one of them twice, and then it is not
/// what was written.
struct MemberCheck {
    /// What is wrong with a line, for a person: to go after `line 3 of FILE`.
    struct Fault: Error, Hashable {
        let words: String
    }

    /// By the path of the object that they are in, such as `head.signed`; empty: any, each once.
    private let known: [String: Set<String>]
    private let line: [UInt8]
    private var place = 0

    /// The first line of an exported trail.
    static let head: [String: Set<String>] = [
        "": ["head", "start"], "head": ["genesis", "hash", "seq", "signed"],
        "head.signed": ["at", "atMilliseconds", "hash", "keyFingerprint", "publicKey", "seq", "signature"],
        "start": ["hash", "seq"],
    ]
    /// Each of the others.
    static let row: [String: Set<String>] = [
        "": [
            "action", "actor", "after", "at", "atMilliseconds", "before", "details", "hash", "mesh", "object", "previous",
            "requestId", "seq", "source",
        ],
        "details": [],
    ]

    /// Throws unless each object is a known one, and has known members alone, each once. Of a line that has been decoded.
    static func confirm(_ line: [UInt8], has known: [String: Set<String>]) throws(Fault) {
        var check = MemberCheck(known: known, line: line)
        try check.value(at: "")
        check.skipSpace()
        guard check.place == line.count else { throw check.unreadable }
    }

    private init(known: [String: Set<String>], line: [UInt8]) {
        self.known = known
        self.line = line
    }

    private var unreadable: Fault { Fault(words: "is none of an audit trail: it was changed or cut") }

    private var current: UInt8? { place < line.count ? line[place] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0D { place += 1 }
    }

    private mutating func value(at path: String) throws(Fault) {
        skipSpace()
        switch current {
        case 0x22: _ = try text()
        case 0x7B: try object(at: path)
        default:
            // A number or a word; lists are in none of them.
            let start = place
            while let byte = current, (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D { place += 1 }
            guard place > start else { throw unreadable }
        }
    }

    private mutating func object(at path: String) throws(Fault) {
        guard let members = known[path] else { throw Fault(words: "has an object in '\(path)': it was changed") }
        // By their octets: two texts that look alike are two.
        var found: Set<[UInt8]> = []
        place += 1
        skipSpace()
        guard current != 0x7D else {
            place += 1
            return
        }
        while true {
            skipSpace()
            let name = try text()
            let member = path.isEmpty ? name : "\(path).\(name)"
            guard members.isEmpty || members.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                throw Fault(words: "has a member '\(member)', which no entry has: it was changed")
            }
            guard found.insert(Array(name.utf8)).inserted else {
                throw Fault(words: "has the member '\(member)' twice: it was changed")
            }
            try take(0x3A)
            try value(at: member)
            skipSpace()
            if current == 0x7D { break }
            try take(0x2C)
        }
        place += 1
    }

    private mutating func take(_ byte: UInt8) throws(Fault) {
        skipSpace()
        guard current == byte else { throw unreadable }
        place += 1
    }

    private mutating func text() throws(Fault) -> String {
        guard current == 0x22 else { throw unreadable }
        let start = place
        place += 1
        while let byte = current, byte != 0x22 { place += byte == 0x5C ? 2 : 1 }
        guard current == 0x22 else { throw unreadable }
        place += 1
        // The values need no reading, but the names may be escaped.
        guard line[start..<place].contains(0x5C) else {
            return String(decoding: line[(start + 1)..<(place - 1)], as: UTF8.self)
        }
        guard let text = try? JSONDecoder().decode(String.self, from: Data(line[start..<place])) else { throw unreadable }
        return text
    }
}
