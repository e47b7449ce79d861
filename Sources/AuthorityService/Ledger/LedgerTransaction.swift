package import Authority
package import PKI

/// Writes that become durable together, with the audit entry of the act that they are.
package struct LedgerTransaction: Sendable {
    package var writes: [LedgerWrite]
    package var audit: AuditEntry
    /// What the ledger must be, and must have got beyond: one that lost transactions takes no more. Nil: nothing was seen of it.
    package var after: LedgerPosition?

    package init(writes: [LedgerWrite], audit: AuditEntry, after: LedgerPosition? = nil) {
        self.writes = writes
        self.audit = audit
        self.after = after
    }
}

/// One row's change. Inserts throw `conflict` when the row exists; replacements when its revision is another.
package enum LedgerWrite: Sendable {
    /// The ledger is right as it was `found`: it goes on in `epoch`, at a revision beyond any that somebody may have `seen`.
    /// Conflict when it is in another epoch than it was found in.
    case confirmLedger(found: LedgerPosition, seen: Int64, epoch: Int64)
    /// Removes the certificate authority with its issuers and their keys. Certificates stay in the ledger. Meshes part with
    /// its issuers: its owner with all, others with retired and revoked ones; conflict while another mesh is bound to one, and
    /// when `revision` (nil: whichever) is not the row's.
    case deleteCertificateAuthority(name: String, revision: Int64?)
    case deleteCrossMeshAccess(name: String, revision: Int64)
    /// Removes the mesh and its token signing keys, and revokes its tokens as of the audit entry; its trust domain stays taken
    /// until `freeAt`. Conflict while a door names it.
    case deleteMesh(MeshName, revision: Int64, freeAt: Timestamp)
    /// Of the mesh; conflict when the row's revision is another.
    case deleteMeshService(MeshName, name: String, revision: Int64)
    /// The row's revision is that of the transaction, as a mesh's.
    case insertCertificateAuthority(CertificateAuthority, at: Timestamp)
    /// Conflict unless both meshes exist. The row's revision is that of the transaction, as a mesh's.
    case insertCrossMeshAccess(CrossMeshAccess, at: Timestamp)
    case insertIssuer(Issuer, key: IssuerKey)
    /// Takes the trust domain too: conflict while it is another's, or not yet free at `at`. The row's revision is that of the
    /// transaction, so that a mesh that was deleted and made again never repeats one.
    case insertMesh(Mesh, at: Timestamp)
    case insertMeshIssuer(MeshName, IssuerID, IssuerState)
    /// Conflict unless the mesh exists.
    case insertMeshService(MeshService, at: Timestamp)
    /// Conflict while one of its meshes is in a rotation that runs, and while another that is no move runs of its certificate
    /// authority.
    case insertRotation(Rotation)
    /// What happened to a rotation; kept in the order of the transactions.
    case insertRotationEvent(rotation: String, RotationEvent)
    case insertServiceKey(name: String, SealedKey)
    /// Conflict when the token's mesh is not there.
    case insertToken(TokenRecord)
    case insertTokenSigningKey(TokenSigningKey)
    /// A certificate that is part of the act, such as a new root.
    case recordCertificate(CertificateRecord)
    /// The new terms hold for its next root, and the row's revision is that of the transaction, even if nothing else changed: so
    /// meshes that join or leave, and whoever deletes it, exclude one another. `revision` is the one that was read; conflict
    /// when it is another, or there is no such certificate authority.
    case replaceCertificateAuthority(CertificateAuthority, revision: Int64, at: Timestamp)
    /// Makes the door's revision that of the transaction; `revision` is the one that was read.
    case replaceCrossMeshAccess(CrossMeshAccess, revision: Int64, at: Timestamp)
    /// Makes the mesh's revision that of the transaction; `revision` is the one that was read. Conflict when the trust domain
    /// is another than the mesh's.
    case replaceMesh(Mesh, revision: Int64, at: Timestamp)
    /// As `replaceMesh`, of a MeshService.
    case replaceMeshService(MeshService, revision: Int64, at: Timestamp)
    /// The transition of a rotation: compare-and-swap on `revision`. Its meshes are free for another once its phase is an end.
    case replaceRotation(Rotation, revision: Int64)
    /// Changes nothing; conflict unless the lease is still this one, and has not run out by the database's clock. First among the
    /// writes of whoever acts because it drives.
    case requireLease(DriverLease)
    /// The same secret, sealed anew; conflict unless the row still holds `from`.
    case resealKey(SealedKeyRow, SealedKey, from: SealedKey)
    /// Idempotent: the first moment stays. Conflict when there is no such issuer.
    case revokeIssuer(IssuerID, at: Timestamp)
    case revokeIdentity(SPIFFEID, at: Timestamp)
    /// Conflict when there is no such token. Idempotent when it is already revoked.
    case revokeToken(id: String, at: Timestamp)
    /// What the issuer is to the mesh from now on; conflict unless it is `from`, or when a second one would be active.
    case setMeshIssuer(MeshName, IssuerID, IssuerState, from: IssuerState)
}

/// Who takes rotations through their gates, until somebody else does: one replica at a time.
package struct DriverLease: Hashable, Sendable {
    /// The replica.
    package var holder: String
    /// Grows by one each time that another replica takes the lease over: what an earlier holder still writes is refused.
    package var fence: Int64

    package init(holder: String, fence: Int64) {
        self.holder = holder
        self.fence = fence
    }
}

/// Who did what, from where, to which: one row of the audit trail. Holds no secret.
package struct AuditEntry: Hashable, Sendable {
    package var at: Timestamp
    /// `user:<name>`, `proxy:<SPIFFE ID>`, `local:<name>` of who ran a command on the database, `system`, or `unknown`.
    package var actor: String
    /// Where it came from, in one form: `192.0.2.7:45796`, `[2001:db8::7]:45796`, `unix` for the unix socket, `local` for the service
    /// itself and for commands on the database, `unknown` where the caller was gone.
    package var source: String
    /// Kebab-case, such as `mesh-created` or `credential-refused`.
    package var action: String
    package var mesh: MeshName?
    /// What it was done to, such as a mesh's name or a token's id.
    package var object: String
    /// Further facts, such as the reason of a refusal; text for text.
    package var details: [String: String]
    /// The request id, for finding the log lines; empty for acts of the service itself.
    package var requestID: String
    /// What the act found, as JSON: see `AuditDocuments`. Nil where there was nothing, and for a refusal.
    package var before: String?
    /// What the act left.
    package var after: String?

    package init(
        at: Timestamp, actor: String, source: String, action: String, mesh: MeshName?, object: String,
        details: [String: String] = [:], requestID: String = "", before: String? = nil, after: String? = nil
    ) {
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
    }
}
