internal import Authority
internal import PKI
internal import PKICrypto

/// A leaf that is granted and prepared, on its way through the ledger to its signature. Not copyable, as the certificate in it.
struct LeafDraft: ~Copyable, Sendable {
    let grant: LeafGrant
    let issuing: IssuingCertificate
    let prepared: PreparedCertificate

    init(grant: LeafGrant, issuing: IssuingCertificate, prepared: consuming PreparedCertificate) {
        self.grant = grant
        self.issuing = issuing
        self.prepared = prepared
    }

    /// What the ledger keeps of it.
    borrowing func record(of request: LeafRequest, at now: Timestamp) -> CertificateRecord {
        var origin = request.caller.origin
        origin.node = request.node
        return CertificateRecord(
            serial: prepared.serial, kind: .leaf, mesh: request.caller.mesh, certificateAuthority: issuing.certificateAuthority,
            issuer: grant.issuer, signedBy: issuing.serial, identity: grant.identity, notBefore: grant.notBefore,
            notAfter: grant.notAfter, digest: prepared.digest, issuedAt: now, origin: origin)
    }

    /// The leaf with its chain; `snapshot` says whether that carries a cross certificate.
    consuming func sign(under snapshot: Snapshot) throws(AuthorityError) -> SignedLeaf {
        let grant = self.grant
        let issuing = self.issuing
        let serial = prepared.serial
        do {
            return SignedLeaf(
                serial: serial, grant: grant, chainPEM: try issuing.sign(prepared, cross: snapshot.crossPEM[grant.issuer] ?? []))
        } catch {
            throw .crypto(detail: "\(error)")
        }
    }
}
