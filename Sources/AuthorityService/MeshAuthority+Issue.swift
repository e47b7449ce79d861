package import Authority
import Dispatch
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// A leaf with a fresh key for `caller`: decide → prepare → record → sign.
    ///
    /// Crash states: before the record is durable nothing happened; after it, the ledger knows a certificate that nobody
    /// got. Nothing unrecorded ever leaves.
    ///
    /// `node` is the Envoy node whose stream it goes to; nil where it is nobody's subscription.
    package nonisolated func issueLeaf(for caller: Caller, node: String?) async throws(AuthorityError) -> DeliveredLeaf {
        let start = DispatchTime.now()
        let key = try cryptographically { try PrivateKey.generate(.ecP256) }
        let leaf = try await issueLeaf(for: caller, node: node, publicKey: key.subjectPublicKeyInfo)
        let privateKeyPEM = try cryptographically { try key.pkcs8PEM() }
        ServiceMetrics.issue.recordNanoseconds(Int64(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds))
        let version = try LeafVersion(
            issuer: leaf.grant.issuer, serial: leaf.serial, notBefore: leaf.grant.notBefore, notAfter: leaf.grant.notAfter
        ).sealed(for: caller.identity, key: snapshot.leafVersionKey)
        return DeliveredLeaf(
            serial: leaf.serial, issuer: leaf.grant.issuer, notBefore: leaf.grant.notBefore, notAfter: leaf.grant.notAfter,
            renewAt: LeafRenewal.time(serial: leaf.serial, notBefore: leaf.grant.notBefore, notAfter: leaf.grant.notAfter),
            version: version, chainPEM: leaf.chainPEM, privateKeyPEM: privateKeyPEM)
    }

    /// A leaf for the key of a certificate signing request, under the identity of the dataplane token beside it.
    package nonisolated func sign(
        csr pem: String, mesh: MeshName, credentials: ProxyCredentials
    ) async throws(AuthorityError) -> SignedChain {
        let caller = try await authenticate(credentials)
        guard caller.mesh == mesh else { throw refuse(.tokenOfAnotherMesh, credentials) }
        let request: CertificateSigningRequest
        do {
            request = try CertificateSigningRequest(pem: pem)
            try request.check(granted: caller.identity)
        } catch {
            throw refuse(.csr(detail: "\(error)"), credentials)
        }
        guard request.keyKind == .ecP256 else {
            throw refuse(.csr(detail: "its key is \(request.keyKind), and leaves have EC-P256 keys"), credentials)
        }
        let leaf = try await issueLeaf(for: caller, node: nil, publicKey: request.subjectPublicKeyInfo)
        return SignedChain(serial: leaf.serial, pem: String(decoding: leaf.chainPEM, as: UTF8.self))
    }

    /// The leaf that a reconnecting proxy names by `version`, if it is still its right one; nil: issue anew.
    package nonisolated func heldLeaf(version: String, by caller: Caller) -> HeldLeaf? {
        guard let snapshot = try? snapshot,
            let held = LeafVersion(version, identity: caller.identity, key: snapshot.leafVersionKey),
            snapshot.authority.isRightful(
                issuer: held.issuer, notBefore: held.notBefore, notAfter: held.notAfter, for: caller, at: clock.now)
        else { return nil }
        return HeldLeaf(
            serial: held.serial, issuer: held.issuer, notAfter: held.notAfter,
            renewAt: LeafRenewal.time(serial: held.serial, notBefore: held.notBefore, notAfter: held.notAfter))
    }

    /// When a leaf must be replaced for its issuer's sake: nil, it need not; a past time, now; a later one, its turn in the
    /// paced re-issue after its issuer went out.
    package nonisolated func replacement(of leaf: HeldLeaf, for caller: Caller) -> Timestamp? {
        let state = state
        switch state.meshIssuers[caller.mesh]?[leaf.issuer] {
        case .active: return nil
        case .prepared, .retired, .revoked, nil: return Timestamp(milliseconds: 0)
        case .outgoing:
            guard let rotation = state.rotation(of: caller.mesh)?.rotation else { return Timestamp(milliseconds: 0) }
            // The pace is that of the whole rotation, by all replicas together.
            let spread = Duration.seconds(proxies.connectedCount(meshes: rotation.meshes) * livingReplicas) / settings.reissuePace
            // However another replica's clock went when the phase began, nobody waits for longer than that.
            return LeafRenewal.reissue(serial: leaf.serial, from: min(rotation.phaseSince, clock.now), spread: spread)
        }
    }

    private struct SignedLeaf {
        var serial: SerialNumber
        var grant: LeafGrant
        var chainPEM: [UInt8]
    }

    private nonisolated func issueLeaf(
        for caller: Caller, node: String?, publicKey: [UInt8]
    ) async throws(AuthorityError) -> SignedLeaf {
        let snapshot = try snapshot
        let now = clock.now
        guard let root = snapshot.authority.activeIssuer(of: caller.mesh) else {
            throw .refused(.meshWithoutMTLS(caller.mesh))
        }
        guard now < root.notAfter else { throw .refused(.rootExpired(caller.mesh, at: root.notAfter)) }
        guard let issuing = snapshot.issuing[caller.mesh]?[root.id] else {
            throw .conflict(detail: "mesh '\(caller.mesh)' has no issuing certificate, which is tried again: see the log")
        }
        let grant: LeafGrant
        do {
            grant = try snapshot.authority.grantLeaf(
                to: caller, issuingNotAfter: issuing.notAfter, backdate: issuing.leafBackdate, at: now)
        } catch {
            throw .refused(error)
        }
        guard now < grant.notAfter else {
            throw .conflict(
                detail: "the issuing certificate of mesh '\(caller.mesh)' has ended and could not be renewed: see the log")
        }
        let serial = SerialNumber.random()
        let prepared = try cryptographically { try issuing.prepare(grant, serial: serial, publicKey: publicKey) }
        var origin = caller.origin
        origin.node = node
        do {
            try await recorder.record(
                CertificateRecord(
                    serial: serial, kind: .leaf, mesh: caller.mesh, certificateAuthority: issuing.certificateAuthority,
                    issuer: grant.issuer, signedBy: issuing.serial, identity: grant.identity, notBefore: grant.notBefore,
                    notAfter: grant.notAfter, digest: prepared.digest, issuedAt: now, origin: origin))
        } catch {
            throw .ledger(error)
        }
        // The record may have waited for the database: whoever was revoked meanwhile gets nothing.
        let current = state
        do {
            try current.confirmStanding(of: caller, at: clock.now)
        } catch {
            throw .refused(error)
        }
        // And an issuer that went out meanwhile signs nothing more: from the moment that this replica confirms the new state, no
        // leaf of the old one leaves it.
        guard current.meshIssuers[caller.mesh]?[grant.issuer] == .active else {
            throw .conflict(detail: "the issuer of mesh '\(caller.mesh)' was just replaced: ask again")
        }
        let certificate: [UInt8]
        do {
            certificate = try issuing.sign(prepared)
        } catch {
            throw .crypto(detail: "\(error)")
        }
        ServiceMetrics.issued(.leaf, mesh: caller.mesh)
        return SignedLeaf(
            serial: serial, grant: grant,
            chainPEM: PEM.encodeBytes(label: "CERTIFICATE", der: certificate) + issuing.pem
                + (snapshot.crossPEM[grant.issuer] ?? []))
    }
}
