package import Authority
package import PKI

/// Where everything durable lives. Two implementations: PostgreSQL, and memory with fault hooks in the tests.
///
/// The contract, for every call:
/// - A call that returns has made its effect durable (it survives `kill -9` of this process and of the database).
/// - A call that throws `outcomeUnknown` may or may not have taken effect: the caller re-reads before it goes on.
/// - A call that throws anything else had no effect.
/// - Transactions are serial: each sees all before it, and `LedgerState.revision` grows by one with each.
/// - No reader ever sees half of a transaction; `load` reads one consistent picture.
/// - Nothing blocks a cooperative thread, and every wait has a deadline.
package protocol Ledger: Sendable {
    /// One consistent picture of everything but certificates, tokens and the audit trail, which are read by page.
    ///
    /// Of the tokens it holds the ids of revoked ones, and for each service the identities that unrevoked ones grant; both for
    /// as long as a leaf that descends from them may live.
    func load() async throws(LedgerFailure) -> LedgerState

    /// The revision of the last committed transaction: the catch-up cursor for whoever missed a notification.
    func revision() async throws(LedgerFailure) -> Int64

    /// Which ledger it is, and how far: the same cursor, with what tells a lost transaction.
    func position() async throws(LedgerFailure) -> LedgerPosition

    /// As `position`, with which server answers and its time. What is written from then on with a `known` position is refused by
    /// servers on another timeline than this look has shown: whoever looks next writes again what such a one may lack. A connection
    /// on which the ledger is behind `known` is not used again: it may lead to an old primary.
    func sight(after known: LedgerPosition?) async throws(LedgerFailure) -> LedgerSight

    /// Commits all writes and the audit entry, or none; returns the new revision.
    ///
    /// Throws `conflict` when a row that is inserted exists, or a row's revision is not the one expected; and `behind` when the
    /// ledger has not got beyond the position that the transaction comes after.
    func commit(_ transaction: LedgerTransaction) async throws(LedgerFailure) -> Int64

    /// Records certificates before they are delivered: all in one durable batch, or none.
    ///
    /// Throws `conflict` when a serial is taken by a certificate of the same kind, and of a leaf's that ends in the same
    /// `LedgerWeek`; beyond that it is unique by its 135 random bits. Throws `behind` when the ledger is not the one that was seen at
    /// `known`, or has not got there: an old primary would take what nobody finds again. Does not change the revision.
    func record(_ certificates: [CertificateRecord], after known: LedgerPosition?) async throws(LedgerFailure)

    /// Records certificates of a journal: those that are there already, by their serial, stay as they are. All in one durable
    /// batch, or none; returns how many were missing. `known` as in `record`. Does not change the revision.
    @discardableResult
    func restore(_ certificates: [CertificateRecord], after known: LedgerPosition?) async throws(LedgerFailure) -> Int

    /// Appends an audit entry by itself: a refused credential, which changes nothing else. `known` as in `record`. Does not change the
    /// revision.
    func append(_ entries: [AuditEntry], after known: LedgerPosition?) async throws(LedgerFailure)

    /// The record of one certificate; nil if none left this service with that serial and that end.
    ///
    /// Whoever has the certificate knows its end, and the ledger looks in one place then; nil: in all of them.
    func certificate(_ serial: SerialNumber, notAfter: Timestamp?) async throws(LedgerFailure) -> CertificateRecord?

    /// The records of the certificates at `places`, without those that never left this service, in one question.
    ///
    /// A hundred cost the database about as much as five that are asked one by one: for proxies that return all at once.
    func certificates(_ places: Set<LedgerPlace>) async throws(LedgerFailure) -> [LedgerPlace: CertificateRecord]

    /// A page of the issuance ledger, newest first.
    func certificates(_ query: CertificateQuery) async throws(LedgerFailure) -> Page<CertificateRecord>

    /// A page of the tokens that were issued, newest first.
    func tokens(_ query: TokenQuery) async throws(LedgerFailure) -> Page<TokenRecord>

    /// The record of one token.
    func token(_ id: String) async throws(LedgerFailure) -> TokenRecord?

    /// A page of the audit trail, newest first.
    func audit(_ query: AuditQuery) async throws(LedgerFailure) -> Page<AuditRow>

    /// At most `size` rows of the audit trail after row `seq`, oldest first: as they are, whoever made them so. Fewer where they hold
    /// `AuditQuery.mostOctets`, and none only after the last.
    func auditChain(after seq: Int64, size: Int) async throws(LedgerFailure) -> [AuditRow]

    /// Where the chain of the audit trail ends now, how far it is signed, and the ledger's position in the same moment.
    func auditHead() async throws(LedgerFailure) -> AuditHead

    /// Signs the chain as far as the seal says; one that is not further than what is signed already, or of no row, changes nothing. `known`
    /// as in `record`. Does not change the revision.
    func seal(_ seal: AuditSeal, after known: LedgerPosition?) async throws(LedgerFailure)

    /// For each mesh, when the first of the leaves ends that its proxies were last issued.
    ///
    /// Of each (identity, proxy) only the newest leaf counts, since a renewal replaces the one before, and only while it has
    /// not ended. A mesh without any is left out. The cost is that of all unexpired leaves.
    func earliestLeafExpiry(at now: Timestamp) async throws(LedgerFailure) -> [MeshName: Timestamp]

    /// When the last certificate ends that was issued for the trust domain; nil if all of them have.
    func lastExpiry(of trustDomain: TrustDomain, at now: Timestamp) async throws(LedgerFailure) -> Timestamp?

    /// From when on the trust domain of a mesh that was deleted may be another's; nil where no deleted mesh holds it.
    func release(of trustDomain: TrustDomain) async throws(LedgerFailure) -> Timestamp?

    /// A page of rotations, newest first, those that ended included.
    func rotations(_ query: RotationQuery) async throws(LedgerFailure) -> Page<AuthorityState.RotationEntry>

    /// One rotation, running or ended.
    func rotation(_ id: String) async throws(LedgerFailure) -> AuthorityState.RotationEntry?

    /// Whoever holds an unexpired leaf in one of `meshes`, each with its latest end; of one issuer, or of any; issued before a
    /// moment, or whenever.
    ///
    /// Sorted by the end, latest first, and at most `limit`: whoever waits for all of them to go needs no more. With a limit
    /// of at most a thousand it may be short of some where holders have dozens of certificates each; empty only if there is none.
    func outstandingLeaves(
        in meshes: Set<MeshName>, issuer: IssuerID?, issuedBefore: Timestamp?, at now: Timestamp, limit: Int
    ) async throws(LedgerFailure) -> [OutstandingLeaf]

    /// Replaces this replica's report, and says that it lives and what it may do without the ledger. A nil report: it is as it was.
    /// `known` as in `record`. Neither changes the revision nor wakes anybody.
    func report(
        _ report: ReplicaReport?, permit: OfflinePermit, of replica: String, after known: LedgerPosition?
    ) async throws(LedgerFailure)

    /// The replicas that lived within `window` by the database's clock, and what they reported last. Rows are kept for a day.
    func reports(within window: Duration) async throws(LedgerFailure) -> [ReplicaReport]

    /// The names of the replicas that lived within `window`, sorted: to count them needs no report.
    func livingReplicas(within window: Duration) async throws(LedgerFailure) -> [String]

    /// Every row that is kept, by name, and whether its replica lived within `window`. The report is left out of a row whose edition
    /// is the one that `known` has for it, and of `own`: whoever drives asks twice a second, and 10,000 proxies are 100 KB.
    func replicaRows(
        livingWithin window: Duration, known: [String: Int64], besides own: String
    ) async throws(LedgerFailure) -> [ReplicaRow]

    /// Says which key-encryption keys this replica opens with, by their ids. `known` as in `record`. Does not change the revision.
    func announce(keyEncryptionKeys ids: [String], of replica: String, after known: LedgerPosition?) async throws(LedgerFailure)

    /// What the replicas announced that lived within `window`, by name; empty for one that announced nothing.
    func keyEncryptionKeys(within window: Duration) async throws(LedgerFailure) -> [String: [String]]

    /// Says what this replica may do without the ledger from now on, and that it lives. `known` as in `record`. Does not change the
    /// revision.
    func permit(_ permit: OfflinePermit, of replica: String, after known: LedgerPosition?) async throws(LedgerFailure)

    /// This replica serves nobody any more, and did nothing that the ledger does not have: it counts as not seen for an hour, has no
    /// permit, and its last report is kept for a day. `known` as in `record`.
    func withdrawReport(of replica: String, after known: LedgerPosition?) async throws(LedgerFailure)

    /// What happened to a rotation, oldest first.
    func rotationEvents(of id: String) async throws(LedgerFailure) -> [RotationEvent]

    /// Takes the driver's lease for `duration` from now by the database's clock, or prolongs the holder's own; nil while another
    /// replica holds one that has not run out. Neither changes the revision nor wakes anybody.
    func lease(to holder: String, for duration: Duration) async throws(LedgerFailure) -> DriverLease?

    /// Gives the lease back, if it is still this one: another replica need not wait for its end.
    func endLease(_ lease: DriverLease) async throws(LedgerFailure)

    /// Makes room for leaves that end up to `horizon`, and forgets certificates that ended longer than `retention` ago, whole
    /// weeks of leaves at a time, each with an audit entry.
    ///
    /// Never one that has not ended, by `now` and by the database's clock. Does not change the revision. Of several replicas at
    /// once one does the work, and the others are told so. What was done before a failure stays done.
    func upkeep(
        at now: Timestamp, horizon: Timestamp, retention: Duration
    ) async throws(LedgerFailure) -> LedgerUpkeep

    /// Yields whenever another process may have committed. Lossy: a wake-up, never the news itself.
    func revisionSignals() -> AsyncStream<Void>
}

extension Ledger {
    /// The record of one certificate, wherever it is.
    package func certificate(_ serial: SerialNumber) async throws(LedgerFailure) -> CertificateRecord? {
        try await certificate(serial, notAfter: nil)
    }
}

/// The world broke; the caller did nothing wrong.
package enum LedgerFailure: Error, Hashable, Sendable {
    /// The ledger is not the one that was seen, or has lost transactions: nothing was written, and nothing is until an operator
    /// confirms it.
    case behind(detail: String)
    /// Somebody else changed or inserted the same row first; `what` names it for a person.
    case conflict(what: String)
    /// The connection was lost between the commit and its answer.
    case outcomeUnknown(detail: String)
    /// The database refused the statement: a defect. Not retryable as it stands.
    case rejected(detail: String)
    /// No connection within the deadline, or no room on the other side. Retryable.
    case unavailable(detail: String)
}

extension LedgerFailure {
    /// Why a transaction that makes the ledger be at `position` must not be committed by whoever has seen it at `known`; nil: it may.
    package init?(of position: LedgerPosition, after known: LedgerPosition) {
        if let doubt = known.doubt(about: position) {
            self = .behind(detail: "\(doubt)")
        } else if position.epoch > known.epoch {
            self = .conflict(what: "the ledger, which an operator confirmed,")
        } else if position.revision == known.revision {
            self = .behind(detail: "it gave revision \(position.revision) a second time")
        } else {
            return nil
        }
    }
}

extension LedgerFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .behind(let detail): "the database is read-only until an operator confirms it: \(detail)"
        case .conflict(let what): "\(what) was changed by somebody else: read it again and repeat"
        case .outcomeUnknown(let detail): "the database connection was lost during a commit, whose outcome is unknown: \(detail)"
        case .rejected(let detail): "the database refused: \(detail)"
        case .unavailable(let detail): "the database is not reachable: \(detail)"
        }
    }
}

/// One page of a list, and where the next begins.
package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// Opaque to the client; nil on the last page.
    package var next: PageCursor?
    /// How many there are in all: exact to ten thousand, and beyond that an estimate.
    package var total: Int64

    package init(items: [Item], next: PageCursor?, total: Int64) {
        self.items = items
        self.next = next
        self.total = total
    }
}

/// A position in a list that is sorted by a growing row number, newest first: the page holds rows before it.
package struct PageCursor: Hashable, Sendable {
    package var before: Int64

    package init(before: Int64) {
        self.before = before
    }
}
