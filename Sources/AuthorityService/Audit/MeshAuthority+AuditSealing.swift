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
    /// The last row that was followed, or that another replica signed.
    var known: AuditChain?
    /// Has been confirmed: a signature is checked once.
    var confirmed: AuditSeal?
    private var ledger = ""
    private var epoch: Int64 = 0

    /// In another epoch an operator has confirmed that the ledger is right as it was found: what was known of its trail, which
    /// may have lost its end, is forgotten.
    mutating func take(_ state: LedgerState) {
        if ledger != state.ledger || epoch != state.epoch { (genesis, known, confirmed) = (nil, nil, nil) }
        (ledger, epoch) = (state.ledger, state.epoch)
        let sealed = state.serviceKeys[ServiceKeys.auditHead]
        if sealed != sealedKey { publicKey = nil }
        sealedKey = sealed
    }
}

extension MeshAuthority {
    /// Signs the head of the audit trail, if anything was appended since it was signed last.
    ///
    /// Not within the transactions that append: they are also made by replicas of the release before and by `signet keys rewrap`.
    /// Every other second, so that at most a few seconds of the trail are not covered. What was appended is followed first,
    /// from what this replica knew before: whoever writes the past anew gets no signature for it, and an alarm.
    ///
    /// Crash state: rows that are chained and not signed yet; the next round signs them, here or on another replica.
    func sealAudit() async throws {
        guard let sealedKey = auditSealing.sealedKey else { return }
        do {
            try await sealAudit(with: sealedKey)
            Gauge(label: "signet_audit_broken").record(0)
        } catch let fault as AuditFault {
            Gauge(label: "signet_audit_broken").record(1)
            guard isNews(of: "audit trail") else { return }
            logger.critical(
                "the audit trail is not as it was written, and is not signed any more", metadata: ["fault": "\(fault)"])
        }
    }

    /// How many rows one round reads at most, in pages, which end early where rows hold documents of a megabyte: four thousand a
    /// second where the trail is of years from before it was signed.
    private static let sealingPage = 100
    private static let sealingPages = 80

    private func sealAudit(with sealedKey: SealedKey) async throws {
        let head = try await ledger.auditHead()
        guard head != .takenAway else { throw AuditFault.headTakenAway }
        let publicKey: [UInt8]
        if let known = auditSealing.publicKey {
            publicKey = known
        } else {
            publicKey = try await auditKey(sealedKey).subjectPublicKeyInfo
            auditSealing.publicKey = publicKey
        }
        try confirm(head, publicKey: publicKey)
        var unsigned = head.seq - (head.seal?.seq ?? 0)
        defer { Gauge(label: "signet_audit_unsigned_entries").record(unsigned) }
        guard unsigned > 0 else { return }
        var chain = auditSealing.known ?? AuditChain(hash: head.genesis)
        for _ in 0..<MeshAuthority.sealingPages {
            let rows = try await ledger.auditChain(after: chain.seq, size: MeshAuthority.sealingPage)
            for row in rows {
                try chain.follow(row)
                if row.seq == head.seq, row.hash != head.hash { throw AuditFault.headDiffers(seq: row.seq) }
            }
            guard chain.seq < head.seq else { break }
            guard !rows.isEmpty else { throw AuditFault.missing(first: chain.seq + 1, last: head.seq) }
        }
        auditSealing.known = chain
        try await ledger.seal(
            AuditSeal(chain, genesis: head.genesis, at: clock.now, with: try await auditKey(sealedKey)))
        unsigned = max(0, head.seq - chain.seq)
    }

    /// Compares the head with what is known here, and takes over what another replica signed.
    private func confirm(_ head: AuditHead, publicKey: [UInt8]) throws(AuditFault) {
        guard auditSealing.genesis == nil || auditSealing.genesis == head.genesis else { throw .genesisDiffers }
        auditSealing.genesis = head.genesis
        if let seal = head.seal, seal != auditSealing.confirmed {
            guard seal.publicKey == publicKey else { throw .sealedByAnotherKey }
            guard seal.isValid(genesis: head.genesis) else { throw .sealInvalid }
            auditSealing.confirmed = seal
            // Whoever has the key signs only what it followed.
            if seal.seq > auditSealing.known?.seq ?? 0 {
                auditSealing.known = AuditChain(after: seal.seq, hash: seal.hash)
            }
        }
        guard let known = auditSealing.known else { return }
        guard head.seq >= known.seq else { throw .missing(first: head.seq + 1, last: known.seq) }
        guard head.seq > known.seq || head.hash == known.hash else { throw .headDiffers(seq: head.seq) }
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
