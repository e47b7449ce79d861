package import Authority
package import AuthorityService
import Glibc
package import PKI
import Synchronization

/// The ledger in memory, with the database's rules, and faults on order: the second implementation of `Ledger`.
///
/// Several ledgers over one `Disk` are several replicas over one database; a new ledger over it is a restart.
package final class MemoryLedger: Ledger {
    package enum Call: Hashable, Sendable, CaseIterable {
        case restore, permit
        case announce, announcedKeys, append, audit, auditChain, auditHead, certificate, certificates, commit, earliestLeafExpiry,
            endLease, lastExpiry,
            lease, livingReplicas, load
        case outstandingLeaves, record, replicaRows, report, reports, revision, rotation, rotationEvents, rotations,
            seal, token, tokens
        case upkeep
        case withdrawReport
    }

    package enum Fault: Sendable {
        /// Waits at the gate, then runs.
        case delayed(LedgerGate)
        /// Throws without effect; with `outcomeUnknown`, the kind of doubt in which nothing happened.
        case failed(LedgerFailure)
        /// Takes effect and throws `outcomeUnknown`.
        case persistedThenFailed

        package static let unavailable = Fault.failed(.unavailable(detail: "injected"))
        package static let notPersistedOutcomeUnknown = Fault.failed(.outcomeUnknown(detail: "injected, not persisted"))
    }

    /// What survives a restart.
    package final class Disk: Sendable {
        private struct Contents {
            var store = MemoryLedgerStore()
            var subscribers: [Int: AsyncStream<Void>.Continuation] = [:]
            var lastSubscriber = 0
        }

        private let contents = Mutex(Contents())

        package init() {}

        /// Everything as it is now: for the laws that hold after a fault.
        package var store: MemoryLedgerStore { contents.withLock { $0.store } }

        /// Everything as it was: a restored backup, a standby that lost transactions, or a row that somebody damaged.
        package func restore(_ store: MemoryLedgerStore) { contents.withLock { $0.store = store } }

        fileprivate func change<Value: Sendable>(
            _ body: (inout MemoryLedgerStore) throws(LedgerFailure) -> Value
        ) throws(LedgerFailure) -> Value {
            let result = contents.withLock { contents -> Result<Value, LedgerFailure> in
                var copy = contents.store
                do throws(LedgerFailure) {
                    let value = try body(&copy)
                    contents.store = copy
                    return .success(value)
                } catch {
                    return .failure(error)
                }
            }
            return try result.get()
        }

        fileprivate func signal() {
            for subscriber in contents.withLock({ $0.subscribers }).values { subscriber.yield() }
        }

        fileprivate func signals() -> AsyncStream<Void> {
            let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let number = contents.withLock { contents in
                contents.lastSubscriber += 1
                contents.subscribers[contents.lastSubscriber] = continuation
                return contents.lastSubscriber
            }
            continuation.onTermination = { [weak self] _ in self?.contents.withLock { $0.subscribers[number] = nil } }
            return stream
        }
    }

    private struct Faults {
        var next: [Call: [Fault]] = [:]
        var lasting: [Call: Fault] = [:]
        var calls: [Call: Int] = [:]
    }

    package let disk: Disk
    let now: @Sendable () -> Timestamp
    private let faults = Mutex(Faults())
    /// As the last look has shown.
    private let timeline = Mutex<Int64?>(nil)
    /// What a look says of the database's time; nil: nothing.
    private let clock = Mutex<(@Sendable () -> Timestamp)?>(nil)

    /// `now` is the database's clock: it decides which revoked tokens are old enough to be forgotten, which replicas live, and
    /// which of them drives.
    package init(disk: Disk = Disk(), now: @escaping @Sendable () -> Timestamp = MemoryLedger.systemTime) {
        self.disk = disk
        self.now = now
    }

    /// The system's clock.
    package static let systemTime: @Sendable () -> Timestamp = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Lets each look tell the time by this clock; before, none is told.
    package func tellTime(by clock: @escaping @Sendable () -> Timestamp) { self.clock.withLock { $0 = clock } }

    /// Refuses whoever has seen another ledger, or more of it, or another server.
    func confirm(_ known: LedgerPosition?, in store: MemoryLedgerStore) throws(LedgerFailure) {
        guard let known else { return }
        try store.confirm(known)
        if isOnAnotherTimeline(store) { throw .behind(detail: "another server answers") }
    }

    private func isOnAnotherTimeline(_ store: MemoryLedgerStore) -> Bool {
        timeline.withLock { $0.map { $0 != store.timeline } ?? false }
    }

    // MARK: - Faults

    /// Makes the next call of this kind fail; several wait in line.
    package func inject(_ fault: Fault, into call: Call) {
        faults.withLock { $0.next[call, default: []].append(fault) }
    }

    /// Makes all these calls fail from now on; nil ends it.
    package func setLasting(_ fault: Fault?, for calls: [Call] = Call.allCases) {
        faults.withLock { faults in for call in calls { faults.lasting[call] = fault } }
    }

    /// How often `call` was called.
    package func count(of call: Call) -> Int {
        faults.withLock { $0.calls[call] ?? 0 }
    }

    func perform<Value: Sendable>(
        _ call: Call, _ body: (inout MemoryLedgerStore) throws(LedgerFailure) -> Value
    ) async throws(LedgerFailure) -> Value {
        let fault = faults.withLock { faults -> Fault? in
            faults.calls[call, default: 0] += 1
            if var queue = faults.next[call], !queue.isEmpty {
                let fault = queue.removeFirst()
                faults.next[call] = queue
                return fault
            }
            return faults.lasting[call]
        }
        switch fault {
        case .delayed(let gate):
            await gate.pass()
            return try disk.change(body)
        case .failed(let failure):
            throw failure
        case .persistedThenFailed:
            _ = try disk.change(body)
            throw .outcomeUnknown(detail: "injected, persisted")
        case nil:
            return try disk.change(body)
        }
    }

    // MARK: - Ledger

    package func load() async throws(LedgerFailure) -> LedgerState {
        // A day for clocks that differ; a leaf, which lives a year at most, may descend from a token that has ended.
        let oldest = now() - .seconds(86_400)
        return try await perform(.load) { store throws(LedgerFailure) in
            var state = store.state
            state.timeline = store.timeline
            state.authority.revokedTokens = Set(
                store.tokens.filter { token in
                    token.revokedAt.map { max(token.expiresAt, $0 + .seconds(365 * 86_400)) > oldest } ?? false
                }.map(\.id))
            for token in store.tokens
            where token.kind == .dataplane && token.revokedAt == nil && token.expiresAt + .seconds(365 * 86_400) > oldest {
                guard let mesh = token.mesh, let identity = token.identity else { continue }
                let selecting = (state.authority.meshServices[mesh] ?? [:]).values.map(\.service).filter { service in
                    !service.selector.isEmpty
                        && service.selector.allSatisfy { token.tags[$0.key]?.contains($0.value) ?? false }
                }
                for service in token.tags["kuma.io/service"] ?? [] {
                    state.authority.serviceIdentities[mesh, default: [:]][service, default: []].insert(identity)
                }
                for service in selecting.map(\.name) {
                    state.authority.meshServiceIdentities[mesh, default: [:]][service, default: []].insert(identity)
                }
            }
            for entry in store.rotations where entry.rotation.phase.isRunning {
                state.authority.rotations[entry.rotation.id] = entry
            }
            state.tokenSigningKeys.sort { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
            return state
        }
    }

    package func revision() async throws(LedgerFailure) -> Int64 {
        try await perform(.revision) { store throws(LedgerFailure) in store.state.authority.revision }
    }

    package func position() async throws(LedgerFailure) -> LedgerPosition {
        try await perform(.revision) { store throws(LedgerFailure) in store.state.position }
    }

    package func sight(after known: LedgerPosition?) async throws(LedgerFailure) -> LedgerSight {
        let sight = try await perform(.revision) { store throws(LedgerFailure) in
            LedgerSight(position: store.state.position, timeline: store.timeline, time: self.clock.withLock { $0?() })
        }
        if known?.doubt(about: sight.position) == nil { timeline.withLock { $0 = sight.timeline } }
        return sight
    }

    @discardableResult
    package func restore(
        _ certificates: [CertificateRecord], after known: LedgerPosition?
    ) async throws(LedgerFailure) -> Int {
        try await perform(.restore) { store throws(LedgerFailure) in
            try self.confirm(known, in: store)
            let known = Set(store.certificates.map(\.serial))
            let missing = certificates.filter { !known.contains($0.serial) }
            try store.record(missing)
            return missing.count
        }
    }

    package func commit(_ transaction: LedgerTransaction) async throws(LedgerFailure) -> Int64 {
        defer { disk.signal() }
        return try await perform(.commit) { [now] store throws(LedgerFailure) in
            if transaction.after != nil, self.isOnAnotherTimeline(store) {
                throw .unavailable(detail: "another server took over")
            }
            try store.apply(transaction, now: now())
            return store.state.authority.revision
        }
    }

    package func record(
        _ certificates: [CertificateRecord], after known: LedgerPosition?
    ) async throws(LedgerFailure) {
        try await perform(.record) { store throws(LedgerFailure) in
            try self.confirm(known, in: store)
            try store.record(certificates)
        }
    }

    package func append(_ entries: [AuditEntry], after known: LedgerPosition?) async throws(LedgerFailure) {
        try await perform(.append) { store throws(LedgerFailure) in
            try self.confirm(known, in: store)
            store.append(entries)
        }
    }

    package func certificate(
        _ serial: SerialNumber, notAfter: Timestamp?
    ) async throws(LedgerFailure) -> CertificateRecord? {
        try await perform(.certificate) { store throws(LedgerFailure) in
            store.certificates.first { $0.serial == serial && (notAfter == nil || notAfter == $0.notAfter) }
        }
    }

    package func certificates(
        _ places: Set<LedgerPlace>
    ) async throws(LedgerFailure) -> [LedgerPlace: CertificateRecord] {
        try await perform(.certificate) { store throws(LedgerFailure) in
            store.certificates.reduce(into: [:]) { found, record in
                let place = LedgerPlace(serial: record.serial, notAfter: record.notAfter)
                if places.contains(place) { found[place] = record }
            }
        }
    }

    package func certificates(_ query: CertificateQuery) async throws(LedgerFailure) -> Page<CertificateRecord> {
        try await perform(.certificates) { store throws(LedgerFailure) in
            MemoryLedger.page(store.certificates, query.cursor, query.size) { record in
                (query.mesh == nil || record.mesh == query.mesh) && (query.kind == nil || record.kind == query.kind)
                    && (query.identity == nil || record.identity == query.identity)
            }
        }
    }

    package func tokens(_ query: TokenQuery) async throws(LedgerFailure) -> Page<TokenRecord> {
        try await perform(.tokens) { store throws(LedgerFailure) in
            MemoryLedger.page(store.tokens, query.cursor, query.size) { query.mesh == nil || $0.mesh == query.mesh }
        }
    }

    package func token(_ id: String) async throws(LedgerFailure) -> TokenRecord? {
        try await perform(.token) { store throws(LedgerFailure) in store.tokens.first { $0.id == id } }
    }

    package func audit(_ query: AuditQuery) async throws(LedgerFailure) -> Page<AuditRow> {
        try await perform(.audit) { store throws(LedgerFailure) in
            let rows = query.hasDocuments ? store.auditRows : store.auditRows.map(MemoryLedger.withoutDocuments)
            return MemoryLedger.page(rows, query.cursor, query.size, most: AuditQuery.mostOctets, weight: MemoryLedger.weight) {
                (query.mesh == nil || $0.mesh == query.mesh?.name) && (query.actor == nil || $0.actor == query.actor)
            }
        }
    }

    private static func withoutDocuments(_ row: AuditRow) -> AuditRow {
        var row = row
        (row.before, row.after) = (nil, nil)
        return row
    }

    private static func weight(_ row: AuditRow) -> Int { (row.before?.utf8.count ?? 0) + (row.after?.utf8.count ?? 0) }

    /// What `items` begin with before they weigh `most`, the one with which they do included.
    private static func prefix<Items: Sequence>(of items: Items, most: Int, weight: (Items.Element) -> Int) -> [Items.Element] {
        var octets = 0
        return items.prefix { item in
            defer { octets += weight(item) }
            return octets < most
        }
    }

    package func auditChain(after seq: Int64, size: Int) async throws(LedgerFailure) -> [AuditRow] {
        try await perform(.auditChain) { store throws(LedgerFailure) in
            MemoryLedger.prefix(
                of: store.auditRows.drop { $0.seq <= seq }.prefix(size), most: AuditQuery.mostOctets, weight: MemoryLedger.weight)
        }
    }

    package func auditHead() async throws(LedgerFailure) -> AuditHead {
        try await perform(.auditHead) { store throws(LedgerFailure) in store.auditHead }
    }

    package func seal(_ seal: AuditSeal, after known: LedgerPosition?) async throws(LedgerFailure) {
        try await perform(.seal) { store throws(LedgerFailure) in
            try self.confirm(known, in: store)
            guard store.auditRows.contains(where: { $0.seq == seal.seq && $0.hash == seal.hash }) else { return }
            if store.auditSeal.map({ $0.seq < seal.seq }) ?? true { store.auditSeal = seal }
        }
    }

    package func earliestLeafExpiry(at now: Timestamp) async throws(LedgerFailure) -> [MeshName: Timestamp] {
        try await perform(.earliestLeafExpiry) { store throws(LedgerFailure) in
            struct Holder: Hashable {
                var mesh: MeshName
                var identity: SPIFFEID?
                var proxy: String?
            }
            var newest: [Holder: Timestamp] = [:]
            for record in store.certificates where record.kind == .leaf {
                guard let mesh = record.mesh, store.state.authority.meshes[mesh] != nil else { continue }
                newest[Holder(mesh: mesh, identity: record.identity, proxy: record.origin?.proxy)] = record.notAfter
            }
            var expiries: [MeshName: Timestamp] = [:]
            for (holder, end) in newest where end > now {
                expiries[holder.mesh] = min(expiries[holder.mesh] ?? end, end)
            }
            return expiries
        }
    }

    package func lastExpiry(of trustDomain: TrustDomain, at now: Timestamp) async throws(LedgerFailure) -> Timestamp? {
        try await perform(.lastExpiry) { store throws(LedgerFailure) in
            guard let mesh = store.trustDomains[trustDomain]?.mesh else { return nil }
            return store.certificates
                .filter { $0.mesh == mesh && ($0.kind == .leaf || $0.kind == .issuing) && $0.notAfter > now }
                .map(\.notAfter).max()
        }
    }

    package func release(of trustDomain: TrustDomain) async throws(LedgerFailure) -> Timestamp? {
        try await perform(.lastExpiry) { store throws(LedgerFailure) in store.trustDomains[trustDomain]?.freeAt }
    }

    package func upkeep(
        at now: Timestamp, horizon: Timestamp, retention: Duration
    ) async throws(LedgerFailure) -> LedgerUpkeep {
        try await perform(.upkeep) { [clock = self.now] store throws(LedgerFailure) in
            store.upkeep(at: now, clock: clock(), horizon: horizon, retention: retention)
        }
    }

    package func revisionSignals() -> AsyncStream<Void> {
        disk.signals()
    }

    static func page<Item: Sendable>(
        _ items: [Item], _ cursor: PageCursor?, _ size: Int, most: Int = .max, weight: (Item) -> Int = { _ in 0 },
        _ isWanted: (Item) -> Bool
    ) -> Page<Item> {
        let size = min(max(size, 1), 1000)
        let wanted = items.enumerated().filter { isWanted($0.element) }
        let rows = wanted.filter { cursor == nil || Int64($0.offset + 1) < cursor?.before ?? 0 }.reversed()
        let page = prefix(of: rows.prefix(size), most: most) { weight($0.element) }
        let next = rows.count > page.count ? page.last.map { PageCursor(before: Int64($0.offset + 1)) } : nil
        return Page(items: page.map(\.element), next: next, total: Int64(wanted.count))
    }
}

/// Of whoever has not looked at the ledger before, and of a replica without a journal.
extension Ledger {
    package func record(_ certificates: [CertificateRecord]) async throws(LedgerFailure) {
        try await record(certificates, after: nil)
    }

    @discardableResult
    package func restore(_ certificates: [CertificateRecord]) async throws(LedgerFailure) -> Int {
        try await restore(certificates, after: nil)
    }

    package func append(_ entries: [AuditEntry]) async throws(LedgerFailure) { try await append(entries, after: nil) }

    package func seal(_ seal: AuditSeal) async throws(LedgerFailure) { try await self.seal(seal, after: nil) }

    package func announce(keyEncryptionKeys ids: [String], of replica: String) async throws(LedgerFailure) {
        try await announce(keyEncryptionKeys: ids, of: replica, after: nil)
    }

    package func withdrawReport(of replica: String) async throws(LedgerFailure) {
        try await withdrawReport(of: replica, after: nil)
    }

    package func report(_ report: ReplicaReport?, of replica: String) async throws(LedgerFailure) {
        try await self.report(report, permit: .none, of: replica, after: nil)
    }

    package func permit(_ permit: OfflinePermit, of replica: String) async throws(LedgerFailure) {
        try await self.permit(permit, of: replica, after: nil)
    }
}
