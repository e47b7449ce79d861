package import Authority
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Whether a proxy of `mesh` would accept a peer with this chain: the verdict of the very bundle and matchers that
    /// SDS serves it as `:peers`, or as `:service:<service>` when one is named.
    package nonisolated func verify(
        chain: [[UInt8]], mesh name: MeshName, service: String?
    ) throws(AuthorityError) -> VerificationOutcome {
        let state = state
        guard let mesh = state.meshes[name]?.mesh else { throw .notFound(kind: "mesh", name: name.name) }
        do {
            let asking = Caller(
                mesh: name, identity: try SPIFFEID(trustDomain: mesh.trustDomain, path: "/verify"), proxy: "", tags: [:],
                tokenID: "")
            let context = try state.validationContext(service.map { .service(mesh: name, name: $0) } ?? .peers, for: asking)
            let verified = try ChainVerifier(roots: context.trustDomains).verify(chain: chain, at: clock.now)
            guard context.admits(verified.identity) else {
                return VerificationOutcome(
                    isAccepted: false, reason: "subject-alt-name",
                    detail: "\(verified.identity) is none of the identities that are expected", identity: verified.identity)
            }
            return VerificationOutcome(
                isAccepted: true, reason: "accepted", detail: "\(verified.identity) is accepted by mesh '\(name)'",
                identity: verified.identity)
        } catch let refusal as ChainRefusal {
            return VerificationOutcome(isAccepted: false, reason: refusal.reason, detail: refusal.description, identity: nil)
        } catch let refusal as Refusal {
            return VerificationOutcome(isAccepted: false, reason: refusal.reason, detail: refusal.description, identity: nil)
        } catch {
            throw .crypto(detail: "\(error)")
        }
    }

    /// The mesh's own roots.
    package nonisolated func bundle(of name: MeshName) throws(AuthorityError) -> TrustBundle {
        let state = state
        guard let entry = state.meshes[name] else { throw .notFound(kind: "mesh", name: name.name) }
        return TrustBundle(
            mesh: name, trustDomain: entry.mesh.trustDomain, roots: state.boundIssuers(of: name).map(\.certificate),
            sequence: state.revision)
    }

    /// A page of rotations, newest first, those that ended included.
    package nonisolated func rotations(
        _ query: RotationQuery
    ) async throws(AuthorityError) -> Page<AuthorityState.RotationEntry> {
        do { return try await ledger.rotations(query) } catch { throw .ledger(error) }
    }

    /// One rotation and, while it runs, whom its gate waits for.
    package func rotation(_ id: String) async throws(AuthorityError) -> RotationOverview {
        do {
            guard let entry = try await ledger.rotation(id) else {
                throw AuthorityError.notFound(kind: "rotation", name: LogText.escaped(id))
            }
            let events = try await ledger.rotationEvents(of: id)
            guard entry.rotation.phase.isRunning else {
                return RotationOverview(rotation: entry.rotation, gate: nil, events: events)
            }
            if state.revision < entry.revision { try await refresh() }
            let reports = try await replicaReports()
            return RotationOverview(
                rotation: entry.rotation, gate: try await gate(of: entry, reports: reports, isThorough: true), events: events)
        } catch let error as AuthorityError {
            throw error
        } catch let failure as LedgerFailure {
            throw .ledger(failure)
        } catch {
            throw .crypto(detail: "\(error)")
        }
    }

    package nonisolated func certificates(
        _ query: CertificateQuery
    ) async throws(AuthorityError) -> Page<CertificateRecord> {
        do { return try await ledger.certificates(query) } catch { throw .ledger(error) }
    }

    package nonisolated func tokens(_ query: TokenQuery) async throws(AuthorityError) -> Page<TokenRecord> {
        do { return try await ledger.tokens(query) } catch { throw .ledger(error) }
    }

    package nonisolated func audit(_ query: AuditQuery) async throws(AuthorityError) -> Page<AuditRow> {
        do { return try await ledger.audit(query) } catch { throw .ledger(error) }
    }

    /// Sets the gauges that no event sets: what ends when, and who is connected. What needs no ledger comes first.
    func measure() async throws {
        let now = clock.now
        let snapshot = try snapshot
        let connected = proxies.connectedCounts()
        let meshes = Set(snapshot.authority.meshes.keys)
        for gone in measuredMeshes.subtracting(meshes) { ServiceMetrics.forget(mesh: gone) }
        measuredMeshes = meshes
        for name in meshes {
            ServiceMetrics.connected(connected[name] ?? 0, mesh: name)
            let root = snapshot.authority.boundIssuers(of: name).map(\.notAfter).min()
            ServiceMetrics.earliestExpiry(.root, mesh: name, at: root, now: now)
            let issuing = snapshot.authority.activeIssuer(of: name).flatMap { snapshot.issuing[name]?[$0.id]?.notAfter }
            ServiceMetrics.earliestExpiry(.issuing, mesh: name, at: issuing, now: now)
        }
        let start = ContinuousClock.now
        let leaves: [MeshName: Timestamp]
        if let known = leafSurvey.answer(at: start) {
            leaves = known
        } else {
            leaves = try await ledger.earliestLeafExpiry(at: now)
            leafSurvey.answered(leaves, from: start, to: ContinuousClock.now)
        }
        for name in meshes { ServiceMetrics.earliestExpiry(.leaf, mesh: name, at: leaves[name], now: now) }
    }
}

extension ValidationContext {
    /// A digest of the content: equal content has an equal version, on every replica and after every restart.
    package var version: String {
        var text = "signet validation context\n"
        for (domain, roots) in trustDomains.sorted(by: { $0.key < $1.key }) {
            text += "domain \(domain)\n" + roots.map { "root \(Hex.encode($0))\n" }.joined()
        }
        if let trustedCA { text += "trusted-ca\n" + trustedCA.map { "root \(Hex.encode($0))\n" }.joined() }
        for matcher in subjectAltNames ?? [] {
            switch matcher {
            case .exact(let identity): text += "exact \(identity)\n"
            case .trustDomain(let domain): text += "prefix \(domain.uri)/\n"
            }
        }
        // 128 bits: long enough that no two contents meet, short enough for Envoy's logs.
        return Hex.encode(Digest.sha256(Array(text.utf8)).prefix(16))
    }
}
