package import Authority
internal import Logging
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Who comes with these credentials. A refusal is counted, logged and audited here, whichever door it came through.
    package nonisolated func authenticate(_ credentials: ProxyCredentials) async throws(AuthorityError) -> Caller {
        let key = LimitKey(credentials: credentials)
        let leaf = LimitKey(leafOf: credentials)
        if let leaf {
            // Verified in the handshake: whoever shows one is no stranger, and answers for itself.
            try admitted { () throws(LimitRefusal) in
                try admission.admitCertificate(leaf, shown: key, from: credentials.source)
            }
        } else {
            let shown = credentials.token == nil ? nil : key
            try admitted { () throws(LimitRefusal) in try admission.admitCredentials(shown, from: credentials.source) }
        }
        do {
            let caller = try await judge(credentials)
            admission.credentialsAccepted(key)
            return caller
        } catch {
            if case .refused(let refusal) = error, refusal.isAboutTheCredential {
                admission.credentialsRefused(key, leaf: leaf, from: credentials.source)
            }
            throw error
        }
    }

    private nonisolated func judge(_ credentials: ProxyCredentials) async throws(AuthorityError) -> Caller {
        try confirmServing()
        let byCertificate = try await callerByCertificate(credentials)
        guard let token = credentials.token else {
            guard let byCertificate else { throw refuse(.credentialMissing, credentials) }
            return byCertificate
        }
        let byToken = try await callerByToken(token, credentials)
        guard let byCertificate else { return byToken }
        guard byToken.identity == byCertificate.identity else {
            throw refuse(
                .credentialsDisagree, credentials, actor: "proxy:\(byCertificate.identity)", mesh: byCertificate.mesh)
        }
        return byCertificate
    }

    /// Whether a TLS handshake may go on: nil, or why not. Synchronous, on a snapshot, for the TLS library's callback.
    ///
    /// Before the state is loaded nobody gets in, and nobody is blamed for it.
    package nonisolated func verifyHandshake(chain: [[UInt8]], source: String) -> ChainRefusal? {
        let snapshot = currentSnapshot
        let now = clock.now
        do {
            let verified = try (snapshot?.verifier ?? verifierOfNobody).verify(chain: chain, at: now)
            if let snapshot { handshakeProofs.put(verified, of: chain, generation: snapshot.generation, at: now) }
            return nil
        } catch {
            if snapshot != nil {
                note(.chain(error), source: source, requestID: "")
                admission.credentialsRefused(nil, from: source)
            }
            return error
        }
    }

    /// Whether `caller` may still be here; throws why not.
    package nonisolated func standing(of caller: Caller) throws(Refusal) {
        try view().standing(of: caller)
    }

    /// Whom `caller` is to accept, for any name but its identity's.
    package nonisolated func trust(_ name: SecretName, for caller: Caller) throws(Refusal) -> ServedTrust {
        try view().trust(name, for: caller)
    }

    private nonisolated func callerByToken(
        _ token: String, _ credentials: ProxyCredentials
    ) async throws(AuthorityError) -> Caller {
        let snapshot = try snapshot
        let claims: TokenClaims
        do {
            claims = try await snapshot.dataplaneClaims(of: token, at: clock.now)
        } catch {
            throw refuse(error, credentials)
        }
        // The node id becomes a name in logs, tables and the ledger.
        guard credentials.nodeID == LogText.escaped(credentials.nodeID) else {
            throw refuse(
                .nodeInvalid(detail: "must be at most 512 characters, without control characters"), credentials,
                mesh: claims.keyMesh)
        }
        do {
            return try snapshot.authority.caller(with: claims, nodeID: credentials.nodeID, at: clock.now)
        } catch {
            throw refuse(error, credentials, mesh: claims.keyMesh)
        }
    }

    private nonisolated func callerByCertificate(_ credentials: ProxyCredentials) async throws(AuthorityError) -> Caller? {
        guard let chain = credentials.peerChain else {
            if credentials.requiresCertificate { throw refuse(.chain(.noCertificate), credentials) }
            return nil
        }
        let snapshot = try snapshot
        let verified: VerifiedChain
        let now = clock.now
        do {
            if let proved = handshakeProofs.take(chain, generation: snapshot.generation, at: now) {
                verified = proved
            } else {
                verified = try snapshot.verifier.verify(chain: chain, at: now)
            }
        } catch {
            throw refuse(.chain(error), credentials)
        }
        let record: CertificateRecord?
        do {
            record = try await certificateLookups.record(
                at: LedgerPlace(serial: verified.serial, notAfter: verified.notAfter))
        } catch {
            throw .ledger(error)
        }
        guard let record, record.digest == verified.digest else {
            throw refuse(
                .certificateNotRecorded(verified.serial), credentials, actor: "proxy:\(verified.identity)",
                mesh: snapshot.authority.mesh(of: verified.identity.trustDomain)?.name)
        }
        do {
            return try snapshot.authority.caller(
                with: record, identity: verified.identity, notAfter: verified.notAfterOfPath, at: clock.now)
        } catch {
            throw refuse(error, credentials, actor: "proxy:\(verified.identity)", mesh: record.mesh)
        }
    }

    /// Counts, logs and audits, and gives the error to throw. `actor` and `mesh` are what the credential proved of itself.
    nonisolated func refuse(
        _ refusal: Refusal, _ credentials: ProxyCredentials, actor: String = "unknown", mesh: MeshName? = nil
    ) -> AuthorityError {
        note(refusal, actor: actor, mesh: mesh, source: credentials.source, requestID: credentials.requestID)
        return .refused(refusal)
    }

    /// Asks, and throws what `admission` says as an error of the authority's.
    nonisolated func admitted(_ ask: () throws(LimitRefusal) -> Void) throws(AuthorityError) {
        do {
            try ask()
        } catch {
            throw .limited(error)
        }
    }

    /// Counts, logs and audits a refusal.
    package nonisolated func note(
        _ refusal: Refusal, actor: String = "unknown", mesh: MeshName? = nil, source: String, requestID: String
    ) {
        ServiceMetrics.refused(refusal.reason)
        let detail = LogText.escaped(refusal.description)
        let source = LogText.escaped(source)
        let isFirst = auditQueue.add(
            AuditEntry(
                at: clock.now, actor: actor, source: source, action: "credential-refused", mesh: mesh, object: "",
                details: ["reason": refusal.reason, "detail": detail], requestID: requestID))
        guard isFirst else { return }
        logger.notice(
            "credential refused",
            metadata: [
                "reason": "\(refusal.reason)", "detail": "\(detail)", "actor": "\(actor)", "source": "\(source)",
                "request-id": "\(requestID)",
            ])
    }

    /// Counts, logs and audits what a known proxy was refused, or why its stream ended.
    package nonisolated func note(_ refusal: Refusal, caller: Caller, source: String) {
        note(refusal, actor: "proxy:\(caller.identity)", mesh: caller.mesh, source: source, requestID: "")
    }
}
