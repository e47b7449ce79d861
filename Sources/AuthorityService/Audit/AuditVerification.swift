/// Judges a whole audit trail: rows in their order, then the head that they must meet, and heads that were kept elsewhere.
package struct AuditVerification: Sendable {
    /// What a sound trail is.
    package struct Outcome: Hashable, Sendable {
        /// How many rows were read.
        package var count: Int64
        /// The last of them.
        package var seq: Int64
        /// Up to here the signature covers the trail; what comes after it is chained, and not signed yet.
        package var sealedSeq: Int64

        package init(count: Int64, seq: Int64, sealedSeq: Int64) {
            self.count = count
            self.seq = seq
            self.sealedSeq = sealedSeq
        }
    }

    private var chain: AuditChain
    private var count: Int64 = 0
    private let head: AuditHead
    /// Rows that must have a certain hash, by their number.
    private var expected: [Int64: (hash: [UInt8], fault: AuditFault)] = [:]

    /// `head` is the trail's own, read before the first row; `kept` one that was exported before.
    ///
    /// `start`: the row that goes before the first one, where the trail is not read from its beginning.
    package init(head: AuditHead, kept: AuditHead? = nil, start: (seq: Int64, hash: [UInt8])? = nil) throws(AuditFault) {
        self.head = head
        chain = AuditChain(after: start?.seq ?? 0, hash: start?.hash ?? head.genesis)
        guard head != .takenAway else { throw .headTakenAway }
        guard let seal = head.seal else { throw .sealMissing }
        guard seal.isValid(genesis: head.genesis) else { throw .sealInvalid }
        guard seal.seq != head.seq || seal.hash == head.hash else { throw .headDiffers(seq: head.seq) }
        expected[head.seq] = (head.hash, .headDiffers(seq: head.seq))
        expected[seal.seq] = (seal.hash, .sealDiffers(seq: seal.seq))
        if let kept {
            guard kept.genesis == head.genesis else { throw .genesisDiffers }
            guard let keptSeal = kept.seal else { throw .sealMissing }
            guard keptSeal.isValid(genesis: kept.genesis) else { throw .sealInvalid }
            guard keptSeal.publicKey == seal.publicKey else { throw .sealedByAnotherKey }
            guard keptSeal.seq >= chain.seq else { throw .keptBeforeStart(kept: keptSeal.seq, start: chain.seq) }
            if let same = expected[keptSeal.seq], same.hash != keptSeal.hash { throw .sealDiffers(seq: keptSeal.seq) }
            expected[keptSeal.seq] = (keptSeal.hash, .sealDiffers(seq: keptSeal.seq))
        }
        // The row before the first one is known by its hash alone, and what stands before that one not at all.
        if let known = expected[chain.seq], known.hash != chain.hash { throw known.fault }
        expected = expected.filter { $0.key > chain.seq }
    }

    /// The row that was read last: where to go on.
    package var seq: Int64 { chain.seq }

    /// Takes the next row.
    package mutating func follow(_ row: AuditRow) throws(AuditFault) {
        try chain.follow(row)
        count += 1
        if let known = expected.removeValue(forKey: row.seq), known.hash != row.hash { throw known.fault }
    }

    /// There are no more rows. `latest` is the head as it is now: what came while the rows were read is no fault.
    package func finish(latest: AuditHead? = nil) throws(AuditFault) -> Outcome {
        if let last = expected.keys.max() { throw .missing(first: chain.seq + 1, last: last) }
        let end = max(head.seq, latest?.seq ?? head.seq)
        guard chain.seq <= end else { throw .beyondHead(seq: end + 1) }
        return Outcome(count: count, seq: chain.seq, sealedSeq: min(head.seal?.seq ?? 0, chain.seq))
    }
}
