package import Authority
import CertificateProfiles
package import Logging
internal import PKI
package import PKICrypto
internal import ServiceLifecycle
import Synchronization

/// The shell around the pure core: keeps its state in step with the ledger, holds the keys, makes decisions durable
/// before anything leaves, and wakes whoever serves them.
///
/// Readers take the current `Snapshot` and never wait for the actor; what changes the state goes through the ledger first,
/// then into memory, then out to the listeners. A crash between any two of these leaves the ledger ahead, and starting
/// again runs the very same `refresh`.
package actor MeshAuthority: Service {
    /// This replica, in logs and in the status of proxies; random at each start.
    package nonisolated let instance: String
    package nonisolated let proxies: ProxyRegistry
    package nonisolated let clock: ServiceClock
    package nonisolated let settings: AuthoritySettings
    /// What may be asked for how often.
    package nonisolated let admission: Admission

    nonisolated let ledger: any Ledger
    /// What everything stored is sealed under.
    nonisolated let keyRing: KeyRing
    nonisolated let profiles: ProfileCatalog
    nonisolated let recorder: CertificateRecorder
    /// How this replica is with its ledger, and what it does without.
    nonisolated let outage: OutageDesk
    nonisolated let auditQueue = AuditQueue()
    /// Keys for proxies, made ahead in batches.
    nonisolated let freshKeys = FreshKeys()
    nonisolated let changed = ChangeSignal()
    /// Rung for whoever drives rotations: at every change of state, and when a proxy that is watched said something.
    nonisolated let bell: ChangeSignal
    nonisolated let reissueCount = ReissueCount()
    nonisolated let certificateLookups: CertificateLookups
    nonisolated let handshakeProofs = HandshakeProofs()
    /// Before the state is loaded nobody is trusted.
    nonisolated let verifierOfNobody: ChainVerifier
    nonisolated let logger: Logger

    private nonisolated let current = Mutex<Snapshot?>(nil)
    /// Whether the state was taken from a ledger in doubt, for an administrator to look at: proxies keep what they have.
    private nonisolated let isForInspection = Mutex(false)
    /// As of the last round of a rotation.
    private nonisolated let replicas = Mutex(1)
    /// Whether a `refresh` is under way; others wait for it, so that snapshots follow one another in order.
    private var isRefreshing = false
    private var refreshWaiters: [CheckedContinuation<Void, Never>] = []
    /// The beginning with the ledger in which it was told of this replica; nil: not yet.
    var joined: Int?
    /// Whether the journal is being replayed.
    var isSettling = false
    /// Whoever waits for the end of that.
    var settleWaiters: [CheckedContinuation<Void, Never>] = []
    /// Where the ledger was that the current picture is of.
    private var pictured: LedgerPosition?
    /// When the position in the ledger was last remembered.
    var rememberedAt: Duration?
    /// Whether it is being remembered.
    var isRemembering = false
    /// When it was last said what hinders a rotation: by its id, or by the certificate authority that is due for one.
    var warnedOfObstacles: [String: ContinuousClock.Instant] = [:]
    /// How this replica's proxies are with the rotations that run.
    var tally = ProgressTally()
    /// The meshes that have gauges, so that those of a deleted mesh go with it.
    var measuredMeshes: Set<MeshName> = []
    var leafSurvey = LeafSurvey()
    /// What is known of the audit trail, which this replica signs.
    var auditSealing = AuditSealing()

    /// Opens nothing yet; throws when an embedded certificate profile is malformed.
    package init(
        ledger: any Ledger, keyRing: KeyRing, settings: AuthoritySettings = AuthoritySettings(),
        journal: IssueJournal? = nil, clock: ServiceClock = .system, logger: Logger
    ) throws {
        instance = Hex.encode(SecureRandom.bytes(4))
        bell = ChangeSignal()
        proxies = ProxyRegistry(replica: instance, bell: bell)
        self.ledger = ledger
        self.keyRing = keyRing
        self.settings = settings
        self.clock = clock
        self.logger = logger
        admission = Admission(settings.rates, clock: clock, logger: logger)
        profiles = try ProfileCatalog.embedded()
        outage = OutageDesk(journal: journal, clock: clock, logger: logger)
        recorder = CertificateRecorder(ledger: ledger, outage: outage)
        certificateLookups = CertificateLookups(ledger: ledger)
        verifierOfNobody = try ChainVerifier(roots: [:])
    }

    /// With one key-encryption key, from a file.
    package init(
        ledger: any Ledger, keyEncryptionKey: KeyEncryptionKey, settings: AuthoritySettings = AuthoritySettings(),
        journal: IssueJournal? = nil, clock: ServiceClock = .system, logger: Logger
    ) throws {
        try self.init(
            ledger: ledger, keyRing: KeyRing(keyEncryptionKey), settings: settings, journal: journal, clock: clock,
            logger: logger)
    }

    /// Why nobody should be sent here; nil: the state is loaded, the ledger answers, and all is recorded in it.
    package nonisolated var obstacle: String? {
        guard currentSnapshot != nil else {
            if let obstacle = outage.clockObstacle { return obstacle }
            let journaled = outage.journaled
            return "the state is not loaded yet: waiting for the database"
                + (journaled > 0 ? ", and for the \(journaled) certificates of the journal to be written to it" : "")
        }
        return outage.obstacle
    }

    /// Throws where the state is not one to serve proxies by: what they have is newer.
    nonisolated func confirmServing() throws(AuthorityError) {
        guard isForInspection.withLock({ $0 }) else { return }
        throw .ledger(.behind(detail: outage.doubt.map { "\($0)" } ?? "its state is being read"))
    }

    /// The current picture of the ledger; empty before `start` has returned.
    package nonisolated var state: AuthorityState { currentSnapshot?.authority ?? AuthorityState() }

    /// Whether the state is loaded and the ledger answered when it was last asked.
    package nonisolated var isReady: Bool { obstacle == nil }

    /// How many replicas share the pace of a re-issue.
    nonisolated var livingReplicas: Int {
        get { replicas.withLock { $0 } }
        set { replicas.withLock { $0 = max(1, newValue) } }
    }

    /// One element after every change of state, waiting ones merged.
    package nonisolated func changes() -> AsyncStream<Void> { changed.listen() }

    nonisolated var currentSnapshot: Snapshot? { current.withLock { $0 } }

    nonisolated var snapshot: Snapshot {
        get throws(AuthorityError) {
            guard let snapshot = currentSnapshot else {
                throw .ledger(.unavailable(detail: "the state has not been loaded yet"))
            }
            return snapshot
        }
    }

    /// Loads the state; at the very first start makes the service's keys and the mesh `default`, in one transaction.
    ///
    /// Several replicas may start at once: who loses the race reads the winner's. Throws `crypto` when stored keys are
    /// sealed under a key-encryption key that is not here; nothing is written then.
    package func start() async throws(AuthorityError) {
        let stored = try await ledger.loadState()
        do {
            try outage.answered(stored.position, known: outage.position, timeline: stored.timeline)
        } catch {
            // In an empty one there is nothing to look at.
            guard stored.serviceKeys[ServiceKeys.leafVersion] != nil else { throw .ledger(error) }
            // Nothing is written, and no proxy is served by it; an administrator can look at it and decide.
            return try await refresh()
        }
        if let sealed = stored.serviceKeys[ServiceKeys.leafVersion] {
            _ = try await ServiceKeys.open(
                sealed, owner: ServiceKeys.owner, name: ServiceKeys.leafVersion, with: keyRing)
            try KeyInventory(of: stored).confirmOpen(with: keyRing)
            try await foundAuditKey(in: stored)
        } else {
            do {
                _ = try await ledger.commit(try await founding(at: clock.now))
                logger.notice("first start: the service's keys were made")
            } catch let failure as LedgerFailure {
                guard case .conflict = failure else { throw .ledger(failure) }
                logger.info("another replica made the service's keys first")
            } catch let error as AuthorityError {
                throw error
            } catch {
                throw .crypto(detail: "\(error)")
            }
        }
        // So that another server is told from this one from the first certificate on.
        _ = try? await lookAtLedger()
        // From here on every gate waits for this replica, and what went through one before is in what it reads next: only then
        // does it serve anybody.
        joined = nil
        try await settle()
        try await refresh()
        try await tellPermit()
    }

    /// Follows the ledger, takes rotations through their gates, renews issuing certificates, writes refusals to the audit trail and measures, until cancelled.
    package func run() async throws {
        // The journal, or what a failover lost, may take long to be written: what others revoke is taken up meanwhile.
        let looks = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup { group in
            group.addTask {
                await self.followRevisions { looks.continuation.yield() }
                looks.continuation.finish()
            }
            group.addTask { for await _ in looks.stream { await self.attemptToSettle() } }
            group.addTask { try await self.keepHouse() }
            group.addTask { try await self.driveRotations() }
            try await group.waitForAll()
        }
    }

    /// Puts the ledger's newest state in place and wakes the listeners. Persisted already, now memory, then push.
    ///
    /// On a failure the state that was in place stays.
    func refresh() async throws(AuthorityError) {
        while isRefreshing { await withCheckedContinuation { refreshWaiters.append($0) } }
        isRefreshing = true
        defer {
            isRefreshing = false
            let waiters = refreshWaiters
            refreshWaiters = []
            for waiter in waiters { waiter.resume() }
        }
        let loaded: LedgerState
        let known = outage.position
        let isKnown = hasJoined
        do {
            loaded = try await ledger.load()
        } catch {
            outage.failed(error)
            throw .ledger(error)
        }
        let previous = currentSnapshot
        var isInDoubt = false
        do {
            try outage.answered(loaded.position, known: known, timeline: loaded.timeline)
        } catch {
            // What is in place is newer, and stays.
            guard previous == nil || isForInspection.withLock({ $0 }) else { throw .ledger(error) }
            isInDoubt = true
            // Before there is anything to serve by.
            isForInspection.withLock { $0 = true }
        }
        auditSealing.take(loaded, remembered: outage.journal?.remembered.audit)
        let next = try await makeSnapshot(of: loaded, after: previous)
        current.withLock { $0 = next }
        pictured = loaded.position
        // What was read before every gate waited for this replica is not yet one to serve by.
        if !isInDoubt, isKnown { isForInspection.withLock { $0 = false } }
        // For a revision alone nobody is woken.
        guard next.isNews(after: previous) else { return }
        changed.send()
        bell.send()
    }

    private func followRevisions(andThen looked: @Sendable () -> Void) async {
        let signals = ledger.revisionSignals()
        let interval = settings.revisionPollInterval
        // A notification may be lost and the poll finds it; a burst of them costs one load.
        let ticks = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup { group in
            group.addTask { for await _ in signals { ticks.continuation.yield() } }
            group.addTask {
                while (try? await Task.sleep(for: interval)) != nil { ticks.continuation.yield() }
            }
            for await _ in ticks.stream.cancelOnGracefulShutdown() {
                await self.follow()
                looked()
            }
            group.cancelAll()
        }
    }

    /// Reads again if somebody committed since, and then writes what the ledger may lack; never throws, since the next tick tries
    /// again.
    func catchUp() async {
        await follow()
        await attemptToSettle()
    }

    /// Reads again if somebody committed since.
    private func follow() async {
        let before = pictured
        guard let found = try? await lookAtLedger() else { return }
        let isServing = currentSnapshot != nil && !isForInspection.withLock { $0 }
        // Before it serves anybody every gate has to wait for it; from then on a journal that cannot be replayed must not hold up
        // what others revoke, and keeps this replica from confirming anything by itself.
        if !isServing {
            await attemptToSettle()
            guard hasJoined, outage.mayWrite else { return }
        }
        // One that was confirmed may go on from a lower revision.
        let isNews = before.map { ($0.ledger, $0.epoch) != (found.ledger, found.epoch) || $0.revision < found.revision } ?? true
        guard isNews || !isServing else { return }
        do {
            try await refresh()
        } catch AuthorityError.ledger(.behind) {
            // It was said when it began.
        } catch {
            logger.error("the new state could not be put in place", metadata: ["error": "\(error)"])
        }
    }

    /// How long a key that was made ahead waits for a proxy: long enough that a steady trickle has its own, and short beside every
    /// leaf's life.
    private static let longestFreshKey = Duration.seconds(60)

    private func keepHouse() async throws {
        var round = 0
        var upkeepRound = 0
        // A trail that was just begun can be verified at once.
        if outage.mayWrite { await attempt("signing the audit trail") { try await self.sealAudit() } }
        while !Task.isShuttingDownGracefully {
            // Woken early by a graceful shutdown, and then the last refusals are still written.
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
            try Task.checkCancellation()
            outage.lookAtClock()
            outage.measure()
            await remember()
            await outage.lookAtJournal(isDue: round % 10 == 0)
            if outage.mayWrite, outage.status.awaySince == nil {
                if hasJoined, !Task.isShuttingDownGracefully { await attempt("saying who is gone") { try await self.succeed() } }
                await attempt("writing the audit trail") {
                    try await self.auditQueue.flush(to: self.ledger, after: self.outage.position)
                }
                if round % 2 == 0 { await attempt("signing the audit trail") { try await self.sealAudit() } }
            }
            await attempt("renewing issuing certificates") { try await self.renewIssuingCertificates() }
            if round >= upkeepRound, outage.mayWrite {
                // Weeks ahead, so once an hour is often; after a failure, once a minute.
                upkeepRound = round + 60
                await attempt("keeping the ledger") {
                    try await self.keepLedger()
                    upkeepRound = round + 3600
                }
            }
            if round % 10 == 0 { await attempt("measuring") { try await self.measure() } }
            // Made ahead for a burst that is over: what nobody fetched is not kept in memory.
            freshKeys.discard(olderThan: .now - MeshAuthority.longestFreshKey)
            let state = state
            proxies.sweep(at: clock.now) { state.meshes[$0]?.mesh.leafLifetime ?? .zero }
            round += 1
        }
        await remember(isLast: true)
        guard outage.mayWrite else { return }
        await attempt("writing the audit trail") { try await self.auditQueue.flush(to: self.ledger, after: self.outage.position) }
        await attempt("signing the audit trail") { try await self.sealAudit() }
    }

    /// Runs one chore of the house; what fails is said, and tried again in the next round.
    private func attempt(_ what: String, _ chore: () async throws -> Void) async {
        do {
            try await chore()
        } catch {
            logger.warning("\(what) failed and is tried again", metadata: ["error": "\(error)"])
        }
    }

    /// Takes the new state up after a commit of this replica's own. The change is durable, so that a failure here is not the
    /// client's: the next tick tries again. Only a ledger that lost transactions is told.
    func takeUp() async throws(AuthorityError) {
        do {
            try await refresh()
        } catch {
            guard outage.doubt == nil else { throw error }
            logger.error("a committed change is not yet in place here", metadata: ["error": "\(error)"])
        }
    }

    /// Refreshes when an issuing certificate is due: `makeSnapshot` makes the next one.
    private func renewIssuingCertificates() async throws(AuthorityError) {
        let now = clock.now
        guard let snapshot = currentSnapshot else { return }
        guard snapshot.needsIssuingCertificate(at: now) else { return }
        try await refresh()
    }
}
