internal import Authority
internal import Logging
internal import Metrics
internal import PKI
import Synchronization

/// What a replica knows of its ledger's state, and where a certificate is kept that the ledger cannot take: the shell around
/// `LedgerContact` and `IssuanceClock`.
///
/// While the ledger answers, a batch of leaves costs one look at a value under a lock, and the journal is not touched.
final class OutageDesk: Sendable {
    let journal: IssueJournal?
    private let contact: Mutex<LedgerContact>
    private let issuance: Mutex<IssuanceClock>
    /// Whether an operator was told that the journal takes nothing.
    private let hasWarnedOfJournal = Mutex(false)
    /// For how long the clock is behind, in seconds; 0: it is not.
    private let clockGap = Mutex(Duration.zero)
    /// What a server that takes over may lack.
    let recent = RecentCertificates()
    let databaseClock: DatabaseClock
    /// The beginning that was last looked at by whoever drives rotations, and since when.
    private let lastBeginning = Mutex((number: 0, since: Duration.zero))
    private let clock: ServiceClock
    private let logger: Logger

    init(journal: IssueJournal?, clock: ServiceClock, logger: Logger) {
        self.journal = journal
        self.clock = clock
        self.logger = logger
        databaseClock = DatabaseClock(logger: logger)
        issuance = Mutex(IssuanceClock(lastIssued: journal?.remembered.issuedAt))
        contact = Mutex(
            LedgerContact(
                hasJournal: journal != nil, position: journal?.remembered.position, journaled: journal?.count ?? 0))
    }

    var status: LedgerContact { contact.withLock { $0 } }
    var position: LedgerPosition? { contact.withLock { $0.position } }
    /// Where the ledger was when it was last seen, and in which era.
    var place: (known: LedgerPosition?, era: Int) { contact.withLock { ($0.position, $0.era) } }
    var doubt: LedgerDoubt? { contact.withLock { $0.doubt } }
    var journaled: Int { contact.withLock { $0.journaled } }
    /// Whether anything but a leaf may be written.
    var mayWrite: Bool { contact.withLock { $0.mayWrite } }

    /// Whether a record is not simply the ledger's.
    var isWithoutLedger: Bool {
        contact.withLock { $0.doubt != nil || $0.journaled != 0 || ($0.hasJournal && $0.awaySince != nil) }
    }

    /// Why nobody should be sent here; nil: the ledger is as it should be, and so is the clock.
    var obstacle: String? { contact.withLock { $0.obstacle(at: clock.steady) } ?? clockObstacle }

    /// Why nothing is issued, where it is for the clock.
    var clockObstacle: String? {
        let gap = clockGap.withLock { $0 }
        return gap > .zero ? AuthorityError.clockBehind(by: gap).description : nil
    }

    // MARK: - What happened

    /// Throws where the ledger is in doubt, now or still. `timeline` is the line of history that whoever answered writes; nil: it was
    /// not said.
    func answered(_ found: LedgerPosition, known: LedgerPosition?, timeline: Int64? = nil) throws(LedgerFailure) {
        try take(found, known: known, timeline: timeline, follows: false)
    }

    /// As `answered`, of a look that shows which server answers as well.
    func saw(_ sight: LedgerSight, known: LedgerPosition?) throws(LedgerFailure) {
        try take(sight.position, known: known, timeline: sight.timeline, follows: true)
    }

    private func take(
        _ found: LedgerPosition, known: LedgerPosition?, timeline: Int64?, follows: Bool
    ) throws(LedgerFailure) {
        // Under one lock: nobody takes the new position for the server's that was there before.
        let (began, doubt, outage, isAnother) = contact.withLock { contact in
            let away = contact.awaySince
            let began = contact.answered(found, known: known, timeline: timeline)
            let beginning = contact.beginning
            if follows { contact.follows(timeline: timeline) }
            return (began, contact.doubt, away, contact.beginning != beginning)
        }
        if let outage {
            logger.notice(
                "the database answers again", metadata: ["away-seconds": "\((clock.steady - outage).components.seconds)"])
        }
        if let began {
            logger.critical(
                "the database is not believed: read-only until 'signet ledger confirm'",
                metadata: ["reason": "\(began.reason)", "detail": "\(began)"])
        }
        if isAnother { logger.notice("another database server took over: what it may lack is written to it again") }
        if let doubt { throw .behind(detail: "\(doubt)") }
    }

    /// The records are in the ledger, as whoever wrote them knew it: at `known`, and in this era.
    func recorded(_ records: [CertificateRecord], in known: LedgerPosition?, since era: Int) {
        guard let known else { return }
        recent.add(records, in: known.ledger, at: clock.steady)
        // Another server took over meanwhile, and these were not yet here to be written to it.
        contact.withLock { if $0.era != era { $0.beginAgain() } }
    }

    /// Whether all began anew with the ledger less than `window` ago, so that other replicas may not have written to it again yet what
    /// it lacks.
    func hasBegunAnew(within window: Duration) -> Bool {
        let (beginning, now) = (contact.withLock { $0.beginning }, clock.steady)
        return lastBeginning.withLock { last in
            if last.number != beginning { last = (beginning, now) }
            return last.number > 0 && now < last.since + window
        }
    }

    func failed(_ failure: LedgerFailure) {
        switch failure {
        case .outcomeUnknown, .unavailable: break
        case .behind:
            // A connection to an old primary, which still takes writes: what was to be written is in no ledger.
            if doubt == nil { logger.warning("a write was refused", metadata: ["error": "\(failure)"]) }
            return
        case .conflict, .rejected: return
        }
        let isNews = contact.withLock { $0.failed(at: clock.steady) }
        guard isNews else { return }
        logger.warning(
            "the database does not answer",
            metadata: ["error": "\(failure)", "issues-on": "\(journal.map { "by the journal in \($0.directory)" } ?? "no")"])
    }

    /// Says `permit` to the ledger by `tell`, which is given the position that the ledger has to be at; what it confirms counts only
    /// where nothing was lost meanwhile.
    func tell(
        _ permit: OfflinePermit, _ tell: @Sendable (LedgerPosition?) async throws(LedgerFailure) -> Void
    ) async throws(LedgerFailure) {
        let sentAt = clock.steady
        let (beginning, position) = contact.withLock { contact in
            contact.willTell(permit)
            return (contact.beginning, contact.position)
        }
        do {
            try await tell(position)
        } catch {
            failed(error)
            throw error
        }
        contact.withLock { contact in
            contact.answered()
            if contact.beginning == beginning { contact.confirmed(permit, sentAt: sentAt) }
        }
    }

    /// Nothing is done without the ledger from here on.
    func endPermit() { contact.withLock { $0.willTell(.none) } }

    func adopted(_ found: LedgerPosition) { contact.withLock { $0.adopted(found) } }

    /// So many certificates of the journal are in the ledger now.
    func replayed(_ count: Int) { contact.withLock { $0.replayed(count) } }

    // MARK: - Without the ledger

    /// Keeps the leaves among the records in the journal, as far as the permit goes; nil: the ledger is to be asked after all.
    func keep(_ records: [CertificateRecord]) async -> RecordOutcome? {
        let deadline = ContinuousClock.now + OutageDesk.longestReplay
        while ContinuousClock.now < deadline, !Task.isCancelled {
            switch contact.withLock({ $0.path(ofLeafLiving: .zero, at: clock.steady) }) {
            case .ledger: return nil
            case .journal, .nowhere:
                let cause = doubt.map { "the database is in doubt (\($0.reason))" } ?? OutageDesk.silence
                return await put(records, .unavailable(detail: cause), because: cause)
            // Thousands are replayed in a second, and nobody is told of the end: a look costs nothing beside it.
            case .afterReplay: try? await Task.sleep(for: .milliseconds(20))
            }
        }
        let cause = "the journal is still being written to the database"
        return await put(records, .unavailable(detail: cause), because: cause)
    }

    private static let silence = "the database does not answer"

    /// How long a leaf waits for the journal to be replayed before it goes into it itself.
    private static let longestReplay = Duration.seconds(2)

    /// The ledger failed to take the records: they go into the journal, or are refused.
    func keep(_ records: [CertificateRecord], after failure: LedgerFailure) async -> RecordOutcome {
        failed(failure)
        if case .behind = failure { return await put(records, failure, because: "another database answers than was seen before") }
        return await put(records, failure, because: OutageDesk.silence)
    }

    private func put(_ records: [CertificateRecord], _ failure: LedgerFailure, because cause: String) async -> RecordOutcome {
        guard let journal else { return .failed(failure) }
        // By such a clock a leaf would outlive what the ledger knows of the permit.
        if let leap = clockLeap(), leap > IssuanceClock.leap {
            return .failed(
                .unavailable(
                    detail: "\(cause), and the clock is \(leap.components.seconds) s ahead of where it was"))
        }
        let now = clock.steady
        var failures: [LedgerFailure?] = []
        var kept: [CertificateRecord] = []
        for record in records {
            // What signs leaves is made with the ledger, or not at all.
            guard record.kind == .leaf else {
                failures.append(failure)
                continue
            }
            let life = record.notAfter - record.issuedAt
            // Counted before it is there, and with the decision: whoever asks whether the journal is empty, such as a replica that
            // says goodbye, is never told so too early.
            let path = contact.withLock { contact in
                let path = contact.pathWithoutLedger(ofLeafLiving: life, at: now)
                if path == .journal { contact.journaled(1) }
                return path
            }
            switch path {
            case .journal:
                kept.append(record)
                failures.append(nil)
            case .nowhere(let refusal): failures.append(.unavailable(detail: "\(cause), and \(refusal)"))
            case .afterReplay, .ledger: failures.append(failure)
            }
        }
        guard !kept.isEmpty else { return .each(failures) }
        do {
            try await journal.append(kept)
            return .each(failures)
        } catch {
            contact.withLock { [kept] in $0.replayed(kept.count) }
            logger.critical("the journal takes nothing: no certificate is issued", metadata: ["error": "\(error)"])
            return .failed(.unavailable(detail: "\(cause), and the journal takes nothing: \(error)"))
        }
    }

    /// Looks whether the journal would take a certificate: at once where it did not, else only if `isDue`.
    func lookAtJournal(isDue: Bool) async {
        guard let journal else { return }
        if isDue || journal.failure != nil { try? await journal.probe() }
        let failure = journal.failure
        let isNews = hasWarnedOfJournal.withLock { hasWarned in
            defer { hasWarned = failure != nil }
            return hasWarned != (failure != nil)
        }
        Gauge(label: "signet_journal_writable").record(failure == nil ? 1 : 0)
        guard isNews else { return }
        if let failure {
            logger.error(
                "the journal takes nothing: without the database no certificate would be issued",
                metadata: ["error": "\(failure)"])
        } else {
            logger.notice("the journal can be written again", metadata: ["directory": "\(journal.directory)"])
        }
    }

    // MARK: - The clock

    /// Throws while the clock is behind what was issued by it.
    func confirmClock() throws(AuthorityError) {
        if let gap = look({ $0.issue(at: $1) }) { throw .clockBehind(by: gap) }
    }

    /// Looks whether the clock has caught up, or has fallen behind, though nothing is issued.
    func lookAtClock() { _ = look { $0.gap(at: $1) } }

    /// When something was last issued, for the next process. Nil while the clock is off from where it was: the next may find it right.
    var lastIssued: Timestamp? { issuance.withLock { $0.leaps == nil ? $0.lastIssued : nil } }

    /// Both clocks are read under the lock: whoever is held up between them is not taken for a clock that jumped.
    private func look(_ gap: (inout IssuanceClock, Timestamp) -> Duration?) -> Duration? {
        let (leap, gap) = issuance.withLock { issuance in
            let now = clock.now
            return (issuance.look(at: now, steady: clock.steady), gap(&issuance, now))
        }
        if let leap { told(leap) }
        let before = clockGap.withLock { last in
            defer { last = gap ?? .zero }
            return last
        }
        guard let gap else {
            if before > .zero { logger.notice("the clock is right again: certificates are issued") }
            return nil
        }
        if before == .zero {
            logger.critical(
                "the clock ran back behind the last issuance: nothing is issued until it has caught up",
                metadata: ["seconds": "\(gap.components.seconds)"])
        }
        return gap
    }

    /// By how much the clock is off from where it was before it jumped; nil: it is not.
    func clockLeap() -> Duration? {
        let (leap, leaps) = issuance.withLock { ($0.look(at: clock.now, steady: clock.steady), $0.leaps) }
        if let leap { told(leap) }
        return leaps
    }

    private func told(_ leap: Duration) {
        Counter(label: "signet_clock_jumps_total").increment()
        logger.critical("the clock jumped ahead", metadata: ["seconds": "\(leap.components.seconds)"])
    }

    func measure() {
        let now = clock.steady
        let status = status
        Gauge(label: "signet_ledger_away_seconds").record(status.awaySince.map { (now - $0).components.seconds } ?? 0)
        Gauge(label: "signet_ledger_doubtful").record(status.doubt == nil ? 0 : 1)
        Gauge(label: "signet_journal_certificates").record(status.journaled)
        Gauge(label: "signet_clock_offset_seconds").record(issuance.withLock { $0.leaps }?.components.seconds ?? 0)
        databaseClock.measure()
        Gauge(label: "signet_clock_behind_seconds").record(clockGap.withLock { $0 }.components.seconds)
    }
}
