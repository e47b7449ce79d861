internal import PKICrypto

/// One durable step of the journal: what was appended and synced at once, so that a crash leaves all of it or none.
///
/// `SGJF`, the payload's length (4 octets), its sequence number (8 octets), SHA-256 over the journal's id, these and the
/// payload (32 octets), the payload. The id is another one in each file: what an earlier file left on the disk is no frame of this one.
struct JournalFrame: Hashable, Sendable {
    var sequence: UInt64
    var payload: [UInt8]

    static let magic = Array("SGJF".utf8)
    static let headCount = 48
    /// Ten times a batch of the largest records: a longer one is no frame, whatever it says.
    static let mostOctets = 16 << 20

    /// What stands before the payload.
    struct Head: Hashable, Sendable {
        var length: Int
        var sequence: UInt64
        var digest: [UInt8]

        /// Nil for what is no frame's head.
        init?(_ bytes: ArraySlice<UInt8>) {
            guard bytes.count >= JournalFrame.headCount, bytes.starts(with: JournalFrame.magic) else { return nil }
            let start = bytes.startIndex
            length = bytes[(start + 4)..<(start + 8)].reduce(0) { $0 << 8 | Int($1) }
            sequence = bytes[(start + 8)..<(start + 16)].reduce(0) { $0 << 8 | UInt64($1) }
            digest = Array(bytes[(start + 16)..<(start + 48)])
            guard length <= JournalFrame.mostOctets else { return nil }
        }
    }

    func encoded(id: [UInt8]) -> [UInt8] {
        let length = JournalFrame.octets(UInt64(payload.count), 4)
        let number = JournalFrame.octets(sequence, 8)
        return JournalFrame.magic + length + number + Digest.sha256(id + length + number + payload) + payload
    }

    /// Nil unless the payload is the one that the head was made for.
    init?(_ head: Head, payload: [UInt8], id: [UInt8]) {
        let length = JournalFrame.octets(UInt64(head.length), 4)
        guard payload.count == head.length,
            Digest.sha256(id + length + JournalFrame.octets(head.sequence, 8) + payload) == head.digest
        else { return nil }
        sequence = head.sequence
        self.payload = payload
    }

    init(sequence: UInt64, payload: [UInt8]) {
        self.sequence = sequence
        self.payload = payload
    }

    /// Whether a whole frame of the journal begins anywhere in `bytes`: behind a torn tail there is none, for everything before the
    /// last step had been synced.
    static func isAnywhere(in bytes: [UInt8], id: [UInt8]) -> Bool {
        var start = 0
        while start + headCount <= bytes.count {
            guard let found = bytes[start...].firstIndex(of: magic[0]), found + headCount <= bytes.count else { return false }
            if let head = Head(bytes[found...]), found + headCount + head.length <= bytes.count {
                let payload = Array(bytes[(found + headCount)..<(found + headCount + head.length)])
                if JournalFrame(head, payload: payload, id: id) != nil { return true }
            }
            start = found + 1
        }
        return false
    }

    private static func octets(_ number: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
    }
}
