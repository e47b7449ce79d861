internal import Authority
internal import Logging
internal import PKI

extension MeshAuthority {
    /// How this replica is with its ledger.
    package nonisolated var ledgerStatus: LedgerStatus {
        let status = outage.status
        let now = clock.steady
        return LedgerStatus(
            position: status.position, doubt: status.doubt, away: status.awaySince.map { now - $0 },
            journaled: status.journaled, hasJournal: status.hasJournal, journalFailure: outage.journal?.failure)
    }

    /// Takes a ledger in doubt for right as it is: whoever asks has looked, and knows what was lost.
    ///
    /// It goes on in a new epoch, behind every revision that was seen: other replicas follow it, and an old primary that appears
    /// again is refused by all of them.
    package func confirmLedger(reason: String, by administrator: Administrator) async throws(AuthorityError) -> LedgerStatus {
        try confirmUnlimited(administrator, for: "the ledger")
        try LedgerConfirmation.confirm(reason: reason)
        let found: LedgerPosition
        do { found = try await ledger.position() } catch { throw .ledger(error) }
        // The audit trail alone may have lost what was in it: nothing else tells.
        let lost = auditSealing.fault.map { _ in LedgerDoubt.lostTransactions(seen: found, found: found) }
        guard let doubt = outage.doubt ?? lost else {
            throw .conflict(detail: "the ledger is not in doubt: there is nothing to confirm")
        }
        guard found.ledger == doubt.found.ledger, found.epoch == doubt.found.epoch else {
            throw .conflict(detail: "the ledger is another one than a moment ago: look again")
        }
        let confirmation = try LedgerConfirmation(of: found, doubt: doubt, reason: reason)
        if !confirmation.isSame {
            // What they certify is another ledger's: written here, they would be in the wrong one, and the file removed.
            try confirmJournalIsEmpty(besides: doubt.seen)
            // Nor may one come while this is under way.
            outage.endPermit()
            try confirmJournalIsEmpty(besides: doubt.seen)
        }
        let transaction = confirmation.transaction(
            by: administrator.auditName, source: administrator.source, requestID: administrator.requestID, at: clock.now,
            in: state)
        do {
            _ = try await ledger.commit(transaction)
            outage.adopted(try await ledger.position())
        } catch {
            throw .ledger(error)
        }
        logger.notice(
            "the ledger was confirmed", metadata: ["actor": "\(administrator.auditName)", "epoch": "\(confirmation.epoch)"])
        try await settle()
        try await refresh()
        await remember()
        return ledgerStatus
    }

    private func confirmJournalIsEmpty(besides seen: LedgerPosition) throws(AuthorityError) {
        let journaled = outage.journaled
        guard journaled > 0 else { return }
        throw .conflict(
            detail: "the journal holds \(journaled) certificates of the ledger \(seen.ledger): lead this replica to that one "
                + "first, or move leaves.journal out of journal.directory and start it again")
    }

    /// Replays what the journal holds, and makes this replica known to the ledger: before anything else is written, and before any
    /// gate may take it for one that confirmed a phase. Does nothing where both is done, and while the ledger is in doubt.
    func settle() async throws(AuthorityError) {
        guard outage.doubt == nil, !isSettling, outage.journaled > 0 || !hasJoined else { return }
        isSettling = true
        defer {
            isSettling = false
            let waiters = settleWaiters
            settleWaiters = []
            for waiter in waiters { waiter.resume() }
        }
        do {
            if let journal = outage.journal, outage.journaled > 0 {
                // Not into an old primary that still takes writes: the file is removed after this.
                let (ledger, outage, (known, era)) = (ledger, outage, outage.place)
                let count = try await journal.replay { records throws(LedgerFailure) in
                    for start in stride(from: 0, to: records.count, by: IssueJournal.mostReplayed) {
                        let step = Array(records[start..<min(start + IssueJournal.mostReplayed, records.count)])
                        do throws(LedgerFailure) {
                            try await ledger.restore(step, after: known)
                            outage.recorded(step, in: known, since: era)
                        } catch {
                            guard case .rejected(let detail) = error else { throw error }
                            throw .rejected(detail: "\(detail), for the certificates of the journal in \(journal.directory)")
                        }
                    }
                }
                outage.replayed(count)
                if count > 0 {
                    logger.notice("the journal was written to the database", metadata: ["certificates": "\(count)"])
                    auditQueue.keep(
                        AuditEntry(
                            at: clock.now, actor: Administrator.system.auditName, source: Administrator.system.source,
                            action: "journal-replayed", mesh: nil, object: instance, details: ["certificates": "\(count)"]))
                }
            }
            if !hasJoined {
                let beginning = outage.status.beginning
                try await restoreRecent()
                try await join(in: beginning)
            }
        } catch let failure as LedgerFailure {
            outage.failed(failure)
            throw .ledger(failure)
        } catch let failure as JournalFailure {
            throw .ledger(.unavailable(detail: "\(failure)"))
        } catch {
            throw .ledger(.unavailable(detail: "\(error)"))
        }
    }

    /// As `settle`; never throws, since it is tried again with the next look.
    func attemptToSettle() async {
        do {
            try await settle()
        } catch {
            // Of an outage and of a doubt it was said when they began.
            guard outage.doubt == nil, outage.status.awaySince == nil, isNews(of: "what is not written again") else { return }
            logger.error(
                "what the database may lack could not be written to it, and it was not told of this replica: tried again",
                metadata: ["error": "\(error)"])
        }
    }

    /// Writes again what was recorded lately: whoever answers now may have taken over without it. Each is there exactly once.
    private func restoreRecent() async throws(LedgerFailure) {
        guard let known = outage.position else { return }
        let records = outage.recent.all(in: known.ledger)
        guard !records.isEmpty else { return }
        var missing = 0
        for start in stride(from: 0, to: records.count, by: IssueJournal.mostReplayed) {
            missing += try await ledger.restore(
                Array(records[start..<min(start + IssueJournal.mostReplayed, records.count)]), after: known)
        }
        outage.recent.renew(at: clock.steady)
        logger.notice(
            "what was recorded lately was written to the database again",
            metadata: ["certificates": "\(records.count)", "missing": "\(missing)"])
        guard missing > 0 else { return }
        auditQueue.keep(
            AuditEntry(
                at: clock.now, actor: Administrator.system.auditName, source: Administrator.system.source,
                action: "certificates-restored", mesh: nil, object: instance, details: ["certificates": "\(missing)"]))
    }

    /// Asks the ledger how it is, and takes that up: which one it is, how far, which server answers, and by which clock. Throws what has
    /// been said already.
    func lookAtLedger() async throws(LedgerFailure) -> LedgerPosition {
        // Read before the ledger's, which can then only be newer.
        let known = outage.position
        let (asked, start) = (clock.now, clock.steady)
        let sight: LedgerSight
        do {
            sight = try await ledger.sight(after: known)
        } catch {
            outage.failed(error)
            throw error
        }
        if let time = sight.time { outage.databaseClock.compare(time, asked: asked, took: clock.steady - start) }
        try outage.saw(sight, known: known)
        // Only while the server that has it is the one that answers: what it may lack is kept for whoever takes over.
        if hasJoined { outage.recent.forget(before: start - RecentCertificates.span) }
        return sight.position
    }

    /// What an earlier process did with this journal is in the ledger now, and nothing more comes of it.
    private func join(in beginning: Int) async throws(LedgerFailure) {
        let (name, known) = (instance, outage.position)
        try await ledger.report(nil, permit: .none, of: name, after: known)
        try await ledger.announce(keyEncryptionKeys: keyRing.ids, of: name, after: known)
        try await succeed()
        joined = beginning
    }

    /// Keeps this process's name in the journal's directory, and then says of those that used it before that they are gone. While the
    /// disk takes nothing neither is done, and both are tried again: without its name there a replica has no permit, and only that.
    func succeed() async throws(LedgerFailure) {
        guard let journal = outage.journal else { return }
        let (name, known) = (instance, outage.position)
        guard journal.remembered.replicas != [name] else { return }
        do throws(JournalFailure) {
            if !isNameKept { try await journal.remember { if !$0.replicas.contains(name) { $0.replicas.append(name) } } }
        } catch {
            if isNews(of: "the name that is not kept") {
                logger.warning(
                    "without the database nothing is issued until the journal's directory takes this replica's name",
                    metadata: ["error": "\(error)"])
            }
            return
        }
        let earlier = journal.remembered.replicas.filter { $0 != name }
        guard !earlier.isEmpty else { return }
        for replica in earlier { try await ledger.withdrawReport(of: replica, after: known) }
        // Where it fails they are withdrawn once more.
        try? await journal.remember { $0.replicas.removeAll { earlier.contains($0) } }
    }

    /// Whether the next process with this journal knows of whom to say that it is gone.
    private var isNameKept: Bool { outage.journal?.remembered.replicas.contains(instance) ?? false }

    /// Whether the ledger, as it is now, was told of this replica: from then on every gate waits for it.
    var hasJoined: Bool { joined == outage.status.beginning }

    /// What this replica may do without the ledger.
    var ownPermit: OfflinePermit {
        isNameKept ? OfflinePermit(leafLifetimes: state.meshes.values.map(\.mesh.leafLifetime)) : .none
    }

    /// Tells the ledger that this replica lives, and what it may do without it: a row that was lost is whole again.
    func tell(_ report: ReplicaReport?) async throws(LedgerFailure) {
        // What an earlier process left behind has to be remembered with its name first.
        guard hasJoined else { throw .unavailable(detail: "the database was not told of this replica yet") }
        let (ledger, name, permit) = (ledger, instance, ownPermit)
        try await outage.tell(permit) { known throws(LedgerFailure) in
            try await ledger.report(report, permit: permit, of: name, after: known)
        }
    }

    /// Tells the ledger what this replica may do without it, where that has changed.
    func tellPermit() async throws(AuthorityError) {
        guard outage.journal != nil, hasJoined, outage.mayWrite else { return }
        let permit = ownPermit
        guard permit != outage.status.permit else { return }
        let (ledger, name) = (ledger, instance)
        do {
            try await outage.tell(permit) { known throws(LedgerFailure) in
                try await ledger.permit(permit, of: name, after: known)
            }
        } catch {
            throw .ledger(error)
        }
    }

    /// Whether rotations are driven by another replica for now, or by none; says why.
    func isUnfitToDrive() -> Bool {
        // Asked in each round: the window begins with the first that notices.
        let hasBegunAnew = outage.hasBegunAnew(within: settings.replicaWindow)
        let reason: String
        if let leap = outage.clockLeap() {
            // By a clock that jumped, what lives may seem to have ended, until this process starts with a right one.
            reason = "the clock jumped by \(leap.components.seconds) s: start this replica again when it is right"
        } else if let distance = outage.databaseClock.distance {
            // By a wrong one as well; whether it is this one or the database's, nobody can tell here.
            reason = "the clock differs from the database's by \(distance.components.seconds) s: mend the one that is wrong"
        } else if hasBegunAnew {
            // A root would leave while leaves under it are missing that others are about to record again. By the end of the window, whoever
            // has not done so does not count as living.
            reason = "the database may lack what other replicas recorded last: they have a moment to write it again"
        } else {
            return false
        }
        if isNews(of: "rotations that are not driven here") {
            logger.warning("rotations are not driven here", metadata: ["reason": "\(reason)"])
        }
        return true
    }

    /// How often the replica says that it lives: an eighth of the shortest window that it has without the ledger, since a window
    /// counts from the last time.
    nonisolated var heartbeat: Duration {
        guard outage.journal != nil, let least = state.meshes.values.map(\.mesh.leafLifetime).min() else {
            return settings.heartbeatInterval
        }
        return min(settings.heartbeatInterval, OfflinePermit.window(ofLeafLiving: least) / 8)
    }

    /// Throws while nothing may be written but what the journal holds, after having tried to write that.
    func confirmWritable() async throws(AuthorityError) {
        if outage.journaled > 0 || !hasJoined { try await settle() }
        if let doubt = outage.doubt { throw .ledger(.behind(detail: "\(doubt)")) }
        guard outage.mayWrite else { throw .ledger(.unavailable(detail: "the journal is being written to the database")) }
        guard hasJoined else {
            throw .ledger(.unavailable(detail: "what was recorded lately is being written to the database again"))
        }
    }

    /// Keeps the position in the ledger and the time of the last issuance for the next process, now and then. What is not known of
    /// either stays as it was.
    func remember(isLast: Bool = false) async {
        guard let journal = outage.journal, !isRemembering else { return }
        let now = clock.steady
        let remembered = journal.remembered
        var next = remembered
        if outage.doubt == nil, let position = outage.position {
            next.position = position
            if auditSealing.isOf(position) { next.audit = auditSealing.mark }
        }
        if let issuedAt = outage.lastIssued { next.issuedAt = issuedAt }
        guard next != remembered else { return }
        let isUrgent = isLast || next.position?.epoch != remembered.position?.epoch
        guard isUrgent || rememberedAt.map({ now >= $0 + .seconds(1) }) ?? true else { return }
        rememberedAt = now
        isRemembering = true
        defer { isRemembering = false }
        do {
            try await journal.remember { [next] in
                ($0.position, $0.issuedAt, $0.audit) = (next.position, next.issuedAt, next.audit)
            }
        } catch {
            guard isNews(of: "what is remembered") else { return }
            logger.warning("the position in the ledger could not be kept", metadata: ["error": "\(error)"])
        }
    }

    /// The ledger has all that this replica did: nobody need wait for it.
    func leave() async throws {
        // Streams are still served for a moment: from here on, by the ledger alone.
        outage.endPermit()
        // What the ledger may lack is written to it first, unless it is known not to answer.
        while isSettling { await withCheckedContinuation { settleWaiters.append($0) } }
        if outage.status.awaySince == nil { await attemptToSettle() }
        if let journal = outage.journal, outage.journaled > 0 {
            logger.warning(
                "the journal keeps certificates that are not in the database: start again with the same directory",
                metadata: ["certificates": "\(outage.journaled)", "directory": "\(journal.directory)"])
        }
        guard outage.mayWrite, hasJoined else { return }
        try await ledger.withdrawReport(of: instance, after: outage.position)
        let name = instance
        try await outage.journal?.remember { $0.replicas.removeAll { $0 == name } }
    }
}
