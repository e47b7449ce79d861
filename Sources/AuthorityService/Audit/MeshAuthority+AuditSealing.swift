internal import Authority
internal import Logging
internal import Metrics
internal import PKI
internal import PKICrypto

/// What a replica remembers of the audit trail, to sign nothing that it has not followed.
struct AuditSealing {
    /// The signing key at rest, as the ledger has it now.
    var sealedKey: SealedKey?
    var publicKey: [UInt8]?
    var genesis: [UInt8]?
    /// The last row that was followed and signed here, or that another replica signed.
    var known: AuditChain?
    /// Has been confirmed: a signature is checked once.
    var confirmed: AuditSeal?
    /// In which the trail was found to have what is known of it: it is looked at again when something was added.
    var sound: AuditHead?
    /// Why nothing is signed; nil: the trail is as it was written.
    var fault: AuditFault?
    private var ledger = ""
    private var epoch: Int64 = 0

    /// In another epoch an operator has confirmed that the ledger is right as it was found: what was known of its trail, which
    /// may have lost its end, is forgotten. `remembered` is what an earlier process of this replica knew.
    mutating func take(_ state: LedgerState, remembered: AuditMark?) {
        if ledger != state.ledger || epoch != state.epoch {
            (genesis, known, confirmed, sound, fault) = (nil, nil, nil, nil, nil)
            (ledger, epoch) = (state.ledger, state.epoch)
            if let remembered, remembered.ledger == ledger, remembered.epoch == epoch {
                // What cannot be read is like nothing, and an alarm.
                genesis = Hex.decode(remembered.genesis) ?? []
                known = AuditChain(after: remembered.seq, hash: Hex.decode(remembered.hash) ?? [])
            }
        }
        let sealed = state.serviceKeys[ServiceKeys.auditHead]
        if sealed != sealedKey { publicKey = nil }
        sealedKey = sealed
    }

    /// Whether what is known is of the ledger at that position.
    func isOf(_ position: LedgerPosition) -> Bool { position.ledger == ledger && position.epoch == epoch }

    /// For the next process; nil: nothing is known.
    var mark: AuditMark? {
        guard let genesis, let known, known.seq > 0 else { return nil }
        return AuditMark(
            ledger: ledger, epoch: epoch, genesis: Hex.encode(genesis), seq: known.seq, hash: Hex.encode(known.hash))
    }
}

extension MeshAuthority {
    /// Signs the head of the audit trail, if anything was appended since it was signed last.
    ///
    /// Not within the transactions that append: they are also made by replicas of the release before and by `signet keys rewrap`.
    /// Every other second, so that at most a few seconds of the trail are not covered. What was appended is followed first,
    /// from what this replica knew before: whoever writes the past anew, or cuts off the end that was seen, gets no signature for it,
    /// and an alarm, until an operator confirms the ledger.
    ///
    /// Crash state: rows that are chained and not signed yet; the next round signs them, here or on another replica.
    func sealAudit() async throws {
        guard let sealedKey = auditSealing.sealedKey else { return }
        do {
            try await sealAudit(with: sealedKey)
            auditSealing.fault = nil
            Gauge(label: "signet_audit_broken").record(0)
        } catch let fault as AuditFault {
            auditSealing.fault = fault
            auditSealing.sound = nil
            Gauge(label: "signet_audit_broken").record(1)
            guard isNews(of: "audit trail") else { return }
            logger.critical(
                "the audit trail is not as it was written, and is not signed any more: look, then 'signet ledger confirm'",
                metadata: ["fault": "\(fault)"])
        }
    }

    /// How many rows one round reads at most, in pages, which end early where rows hold documents of a megabyte: four thousand a
    /// second where the trail is of years from before it was signed.
    private static let sealingPage = 100
    private static let sealingPages = 80

    private func sealAudit(with sealedKey: SealedKey) async throws {
        let seen = outage.position
        let head = try await ledger.auditHead()
        if let position = head.position {
            // An old primary, or a database that lost transactions: that is told elsewhere, and nothing is learned from it.
            if let doubt = seen?.doubt(about: position) { throw LedgerFailure.behind(detail: "\(doubt)") }
            // Confirmed by somebody else a moment ago: what is known here is yet to be forgotten.
            guard auditSealing.isOf(position) else { return }
        }
        guard head != .takenAway else { throw AuditFault.headTakenAway }
        let publicKey: [UInt8]
        if let known = auditSealing.publicKey {
            publicKey = known
        } else {
            publicKey = try await auditKey(sealedKey).subjectPublicKeyInfo
            auditSealing.publicKey = publicKey
        }
        guard try await confirm(head, publicKey: publicKey) else { return }
        var unsigned = head.seq - (head.seal?.seq ?? 0)
        defer { Gauge(label: "signet_audit_unsigned_entries").record(unsigned) }
        guard unsigned > 0 else { return }
        var chain = auditSealing.known ?? AuditChain(hash: head.genesis)
        for _ in 0..<MeshAuthority.sealingPages {
            let rows = try await ledger.auditChain(after: chain.seq, size: MeshAuthority.sealingPage)
            for row in rows where row.seq <= head.seq {
                try chain.follow(row)
                if row.seq == head.seq, row.hash != head.hash { throw AuditFault.headDiffers(seq: row.seq) }
            }
            guard chain.seq < head.seq else { break }
            guard !rows.isEmpty else { throw AuditFault.missing(first: chain.seq + 1, last: head.seq) }
        }
        let seal = try AuditSeal(chain, genesis: head.genesis, at: clock.now, with: try await auditKey(sealedKey))
        try await ledger.seal(seal, after: seen)
        // Confirmed meanwhile: it was forgotten.
        if head.position.map({ auditSealing.isOf($0) }) ?? true { auditSealing.known = chain }
        unsigned = max(0, head.seq - chain.seq)
    }

    /// Compares the head with what is known here, and takes over what another replica signed. False where that was forgotten
    /// meanwhile, since the ledger was confirmed.
    private func confirm(_ head: AuditHead, publicKey: [UInt8]) async throws -> Bool {
        guard auditSealing.genesis == nil || auditSealing.genesis == head.genesis else { throw AuditFault.genesisDiffers }
        auditSealing.genesis = head.genesis
        try await confirmKnown(head)
        guard head.position.map({ auditSealing.isOf($0) }) ?? true else { return false }
        guard let seal = head.seal, seal != auditSealing.confirmed else { return true }
        guard seal.publicKey == publicKey else { throw AuditFault.sealedByAnotherKey }
        guard seal.isValid(genesis: head.genesis) else { throw AuditFault.sealInvalid }
        guard seal.seq <= head.seq else { throw AuditFault.missing(first: head.seq + 1, last: seal.seq) }
        auditSealing.confirmed = seal
        // Whoever has the key signs only what it followed.
        if seal.seq > auditSealing.known?.seq ?? 0 { auditSealing.known = AuditChain(after: seal.seq, hash: seal.hash) }
        return true
    }

    /// The trail has to have the row that is known of it, whatever its head says: a look at one row where something was added.
    private func confirmKnown(_ head: AuditHead) async throws {
        var added = head
        added.position = nil
        guard let known = auditSealing.known, known.seq > 0, added != auditSealing.sound else { return }
        guard head.seq >= known.seq else { throw AuditFault.knownMissing(seq: known.seq) }
        let row = try await ledger.auditChain(after: known.seq - 1, size: 1).first
        guard let row, row.seq == known.seq else { throw AuditFault.knownMissing(seq: known.seq) }
        guard row.hash == known.hash else { throw AuditFault.knownDiffers(seq: known.seq) }
        guard row.digest == row.hash else { throw AuditFault.altered(seq: known.seq) }
        guard head.seq > known.seq || head.hash == known.hash else { throw AuditFault.headDiffers(seq: head.seq) }
        auditSealing.sound = added
    }

    /// In the clear for as long as the caller holds it: for one signature.
    private func auditKey(_ sealed: SealedKey) async throws -> PrivateKey {
        try PrivateKey(
            pkcs8: await ServiceKeys.open(sealed, owner: ServiceKeys.owner, name: ServiceKeys.auditHead, with: keyRing))
    }

    /// Makes the key that signs the trail, in a ledger from before there was one. Of several replicas one does.
    func foundAuditKey(in stored: LedgerState) async throws(AuthorityError) {
        guard stored.serviceKeys[ServiceKeys.auditHead] == nil else { return }
        let writes: [LedgerWrite] = [try await ServiceKeys.newAuditKey(with: keyRing)]
        do {
            try await commit(writes, .system, action: "audit-key-made", mesh: nil, object: ServiceKeys.auditHead)
        } catch .ledger(.conflict) {
            logger.info("another replica made the key that signs the audit trail first")
        }
    }

    /// The trail from its beginning, for whoever verifies it.
    package nonisolated func auditChain(after seq: Int64, size: Int) async throws(AuthorityError) -> [AuditRow] {
        do { return try await ledger.auditChain(after: seq, size: size) } catch { throw .ledger(error) }
    }

    /// Where the trail ends, and how far it is signed.
    package nonisolated func auditHead() async throws(AuthorityError) -> AuditHead {
        do { return try await ledger.auditHead() } catch { throw .ledger(error) }
    }
}
