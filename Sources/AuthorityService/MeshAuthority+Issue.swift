package import Authority
import Dispatch
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// A leaf with a fresh key for `caller`: a batch of one.
    ///
    /// `node` is the Envoy node whose stream it goes to; nil where it is nobody's subscription.
    package nonisolated func issueLeaf(for caller: Caller, node: String?) async throws(AuthorityError) -> DeliveredLeaf {
        let results = await issueLeaves([LeafRequest(caller: caller, node: node)])
        return try results[0].get()
    }

    /// A leaf with a fresh key for each request, in their order: decide → prepare → record → sign → deliver, all of them in one
    /// batch of the ledger.
    ///
    /// Who is refused fails none of the others; a ledger that fails, or does not tell, fails them all. Crash states: before the
    /// records are durable nothing happened; after it, the ledger knows certificates that nobody got. Nothing unrecorded ever
    /// leaves.
    package nonisolated func issueLeaves(_ requests: [LeafRequest]) async -> [Result<DeliveredLeaf, AuthorityError>] {
        let start = DispatchTime.now()
        var keys: FreshKeyBatch
        let key: AuthenticationKey
        do throws(AuthorityError) {
            key = try snapshot.leafVersionKey
            keys = try cryptographically { try freshKeys.take(requests.count) }
        } catch {
            return requests.map { _ in .failure(error) }
        }
        var publicKeys: [[UInt8]] = []
        publicKeys.reserveCapacity(requests.count)
        for index in requests.indices { publicKeys.append(keys.subjectPublicKeyInfo(at: index)) }
        let signed = await signLeaves(requests, publicKeys: publicKeys)
        let elapsed = Int64(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds)
        var results: [Result<DeliveredLeaf, AuthorityError>] = []
        results.reserveCapacity(requests.count)
        for index in requests.indices {
            switch signed[index] {
            case .failure(let error): results.append(.failure(error))
            case .success(let leaf):
                ServiceMetrics.issue.recordNanoseconds(elapsed)
                let privateKey = keys.withdrawPrivateKey(at: index)
                results.append(.success(DeliveredLeaf(leaf, privateKeyPEM: privateKey, versionKey: key)))
            }
        }
        return results
    }

    /// A leaf for the key of a certificate signing request, under the identity of the dataplane token beside it.
    package nonisolated func sign(
        csr pem: String, mesh: MeshName, credentials: ProxyCredentials
    ) async throws(AuthorityError) -> SignedChain {
        let caller = try await authenticate(credentials)
        guard caller.mesh == mesh else { throw refuse(.tokenOfAnotherMesh, credentials) }
        try admitted { () throws(LimitRefusal) in try admission.admitStream(of: caller, node: "") }
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
        try admitted { () throws(LimitRefusal) in try admission.admitLeaf(for: caller, node: "") }
        let results = await signLeaves(
            [LeafRequest(caller: caller, node: nil)], publicKeys: [request.subjectPublicKeyInfo])
        let leaf = try results[0].get()
        return SignedChain(serial: leaf.serial, pem: String(decoding: leaf.chainPEM, as: UTF8.self))
    }

    /// A leaf for each request and public key, recorded in one batch and signed.
    private nonisolated func signLeaves(
        _ requests: [LeafRequest], publicKeys: [[UInt8]]
    ) async -> [Result<SignedLeaf, AuthorityError>] {
        let snapshot: Snapshot
        do throws(AuthorityError) {
            snapshot = try self.snapshot
        } catch {
            return requests.map { _ in .failure(error) }
        }
        let now = clock.now
        do throws(AuthorityError) {
            try outage.confirmClock()
        } catch {
            return requests.map { _ in .failure(error) }
        }
        var drafts = LeafDrafts(capacity: requests.count)
        var records: [CertificateRecord] = []
        records.reserveCapacity(requests.count)
        var refusals: [Int: AuthorityError] = [:]
        for (index, request) in requests.enumerated() {
            do throws(AuthorityError) {
                let draft = try prepareLeaf(request, publicKey: publicKeys[index], from: snapshot, at: now)
                records.append(draft.record(of: request, at: now))
                drafts.append(draft)
            } catch {
                refusals[index] = error
            }
        }
        let outcome = await recorder.record(records)
        var results: [Result<SignedLeaf, AuthorityError>] = []
        results.reserveCapacity(requests.count)
        let confirmed = currentSnapshot
        var place = 0
        for (index, request) in requests.enumerated() {
            if let refusal = refusals[index] {
                results.append(.failure(refusal))
                continue
            }
            let draft = drafts.removeFirst()
            defer { place += 1 }
            do throws(AuthorityError) {
                if let failure = outcome.failure(at: place) { throw .ledger(failure) }
                try confirm(request.caller, issuer: draft.grant.issuer)
                results.append(.success(try draft.sign(under: snapshot)))
            } catch {
                results.append(.failure(error))
            }
        }
        // While the later ones were signed the state may have changed for the earlier: they have not left yet.
        guard currentSnapshot !== confirmed else { return results }
        for (index, request) in requests.enumerated() {
            guard case .success(let leaf) = results[index] else { continue }
            do throws(AuthorityError) {
                try confirm(request.caller, issuer: leaf.grant.issuer)
            } catch {
                results[index] = .failure(error)
            }
        }
        return results
    }

    /// Whether and what `request` is granted, as the certificate that lacks only its signature.
    private nonisolated func prepareLeaf(
        _ request: LeafRequest, publicKey: [UInt8], from snapshot: Snapshot, at now: Timestamp
    ) throws(AuthorityError) -> LeafDraft {
        let mesh = request.caller.mesh
        guard let root = snapshot.authority.activeIssuer(of: mesh) else { throw .refused(.meshWithoutMTLS(mesh)) }
        guard now < root.notAfter else { throw .refused(.rootExpired(mesh, at: root.notAfter)) }
        guard let issuing = snapshot.issuing[mesh]?[root.id] else {
            throw .conflict(detail: "mesh '\(mesh)' has no issuing certificate, which is tried again: see the log")
        }
        // Made while the clock was ahead: what it signs nobody accepts before it begins. The next one is made within a second.
        guard issuing.notBefore <= max(now, root.notBefore) else {
            throw .conflict(detail: "the issuing certificate of mesh '\(mesh)' begins in the future, and is replaced: ask again")
        }
        let grant: LeafGrant
        do {
            grant = try snapshot.authority.grantLeaf(
                to: request.caller, issuingNotAfter: issuing.notAfter, backdate: issuing.leafBackdate, at: now)
        } catch {
            throw .refused(error)
        }
        guard now < grant.notAfter else {
            throw .conflict(
                detail: "the issuing certificate of mesh '\(mesh)' has ended and could not be renewed: see the log")
        }
        do {
            return LeafDraft(
                grant: grant, issuing: issuing,
                prepared: try issuing.prepare(grant, serial: .random(), publicKey: publicKey))
        } catch {
            throw .crypto(detail: "\(error)")
        }
    }

    /// What holds when a leaf is signed and when it leaves, whatever was so when it was prepared: the record may have waited for
    /// the database.
    private nonisolated func confirm(_ caller: Caller, issuer: IssuerID) throws(AuthorityError) {
        let snapshot = try snapshot
        // Whoever was revoked meanwhile gets nothing.
        do {
            try snapshot.authority.confirmStanding(of: caller, at: clock.now)
        } catch {
            throw .refused(error)
        }
        // And an issuer that went out meanwhile signs nothing more: from the moment that this replica confirms the new state, no
        // leaf of the old one leaves it.
        guard snapshot.authority.meshIssuers[caller.mesh]?[issuer] == .active else {
            throw .conflict(detail: "the issuer of mesh '\(caller.mesh)' was just replaced: ask again")
        }
    }
}
