/// Follows the audit trail row by row, in constant memory, and says which is the first that is not as it was written.
package struct AuditChain: Sendable {
    /// Of the row that was confirmed last.
    package private(set) var seq: Int64
    package private(set) var hash: [UInt8]

    /// Begins after a row that is known by its number and hash; with the genesis, after row 0.
    package init(after seq: Int64 = 0, hash: [UInt8]) {
        self.seq = seq
        self.hash = hash
    }

    /// Takes the next row.
    package mutating func follow(_ row: AuditRow) throws(AuditFault) {
        guard row.digest == row.hash else { throw .altered(seq: row.seq) }
        guard row.seq > seq else { throw .misplaced(seq: row.seq) }
        guard row.previous == hash else {
            throw row.seq > seq + 1 ? .missing(first: seq + 1, last: row.seq - 1) : .misplaced(seq: row.seq)
        }
        seq = row.seq
        hash = row.hash
    }
}

/// What is wrong with an audit trail, by the first row that shows it.
package enum AuditFault: Error, Hashable, Sendable {
    /// The row is not what its own hash is of.
    case altered(seq: Int64)
    /// The chain ends here, and its head knows nothing of the row.
    case beyondHead(seq: Int64)
    /// There is no head any more: nothing can be appended, and so nothing changed.
    case headTakenAway
    /// The last row is another than the head knows.
    case headDiffers(seq: Int64)
    /// Of another database's trail, or of one that was made anew.
    case genesisDiffers
    /// No fault of the trail's: it is read from after `start` on, and says nothing of the head that was kept, which is older.
    case keptBeforeStart(kept: Int64, start: Int64)
    /// The row is another than this replica has seen there.
    case knownDiffers(seq: Int64)
    /// The trail ends, or has a hole, before the last row that this replica has seen.
    case knownMissing(seq: Int64)
    /// The row does not follow the one before it: it was put here, or the one before was written anew, hash and all.
    case misplaced(seq: Int64)
    /// These are gone.
    case missing(first: Int64, last: Int64)
    /// The head that was kept was signed by another key.
    case sealedByAnotherKey
    /// The row is another than was signed.
    case sealDiffers(seq: Int64)
    /// The signature is not that of the key beside it.
    case sealInvalid
    /// Nobody has signed the trail.
    case sealMissing
}

extension AuditFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .altered(let seq): "entry \(seq) was altered: it is not what its hash is of"
        case .beyondHead(let seq): "entry \(seq) was put in by hand: the head of the trail does not know it"
        case .headDiffers(let seq): "entry \(seq) is not the one that the head of the trail knows: one of them was written anew"
        case .headTakenAway: "the head of the trail was taken away: nothing can be changed until it is put back"
        case .genesisDiffers: "the trail begins with another value: it is of another database, or was made anew"
        case .keptBeforeStart(let kept, let start):
            "the export begins after entry \(start), and the head was kept at entry \(kept): verify it against the whole trail"
        case .knownDiffers(let seq): "entry \(seq) is not the one that this replica has seen: the trail was written anew"
        case .knownMissing(let seq): "entry \(seq) is missing, which this replica has seen: the end of the trail was cut off"
        case .misplaced(let seq):
            "entry \(seq) does not follow the one before it: it was put in or moved, or the one before was written anew"
        case .missing(let first, let last):
            first == last ? "entry \(first) is missing" : "entries \(first) to \(last) are missing"
        case .sealedByAnotherKey: "the head was signed by another key than the one that was kept"
        case .sealDiffers(let seq): "entry \(seq) is not the one that was signed: the trail was written anew"
        case .sealInvalid: "the signature of the head is not valid"
        case .sealMissing: "no head was ever signed, or it was taken away: start a replica of this release, and look again"
        }
    }
}
