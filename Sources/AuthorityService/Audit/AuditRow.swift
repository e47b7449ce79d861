package import PKI
internal import PKICrypto

/// One row of the audit trail as it stands in the ledger: an entry, its number, and its place in the chain.
///
/// Of texts and octets alone, so that a row which somebody changed by hand can be read, and named.
package struct AuditRow: Hashable, Sendable {
    /// Grows by one with each entry, in the order of the commits; in a ledger from before the chain with gaps.
    package var seq: Int64
    package var at: Timestamp
    package var actor: String
    package var source: String
    package var action: String
    package var mesh: String?
    package var object: String
    package var details: [String: String]
    package var requestID: String
    package var before: String?
    package var after: String?
    /// The `hash` of the row before; the first row's is the chain's genesis.
    package var previous: [UInt8]
    /// `digest` at the time of writing.
    package var hash: [UInt8]

    package init(
        seq: Int64, at: Timestamp, actor: String, source: String, action: String, mesh: String?, object: String,
        details: [String: String], requestID: String, before: String?, after: String?, previous: [UInt8], hash: [UInt8]
    ) {
        self.seq = seq
        self.at = at
        self.actor = actor
        self.source = source
        self.action = action
        self.mesh = mesh
        self.object = object
        self.details = details
        self.requestID = requestID
        self.before = before
        self.after = after
        self.previous = previous
        self.hash = hash
    }

    /// The row that `entry` becomes after the one whose hash is `previous`.
    package init(_ entry: AuditEntry, seq: Int64, previous: [UInt8]) {
        self.init(
            seq: seq, at: entry.at, actor: entry.actor, source: entry.source, action: entry.action, mesh: entry.mesh?.name,
            object: entry.object, details: entry.details, requestID: entry.requestID, before: entry.before,
            after: entry.after, previous: previous, hash: [])
        hash = digest
    }

    /// SHA-256 over everything but `hash`, in the one form that docs/operations.md describes. The database computes the same, so
    /// that neither this program nor the one of the release before can leave it out.
    ///
    /// Each text is preceded by its length: no two rows have the same form.
    package var digest: [UInt8] {
        var form = Array("signet audit 1".utf8) + previous
        AuditRow.append(seq, to: &form)
        AuditRow.append(at.milliseconds, to: &form)
        for text in [actor, source, action, mesh, object] { AuditRow.append(text, to: &form) }
        AuditRow.append(Int64(details.count), to: &form)
        for (key, value) in details.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            AuditRow.append(key, to: &form)
            AuditRow.append(value, to: &form)
        }
        for text in [requestID, before, after] { AuditRow.append(text, to: &form) }
        return Digest.sha256(form)
    }

    static func append(_ number: Int64, to form: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { form.append(contentsOf: $0) }
    }

    private static func append(_ text: String?, to form: inout [UInt8]) {
        guard let text else { return append(-1, to: &form) }
        append(Int64(text.utf8.count), to: &form)
        form.append(contentsOf: text.utf8)
    }
}
