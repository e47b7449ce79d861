import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// What both ledgers promise of certificate authorities that meshes share, of services by selector, and of pages of meshes.
@Suite("Every ledger, where meshes share", .timeLimit(.minutes(2)))
struct SharingConformanceTests {
    typealias Fixture = LedgerFixture

    @Test("gives back a certificate authority, and each change a new revision", arguments: LedgerKind.allCases)
    func authorityRevisions(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var authority = CertificateAuthority(
                name: "corp", keyAlgorithm: .rsa3072, expiration: .seconds(1000), owner: nil, origin: .provided,
                rotatesAutomatically: false, retireAfter: .reissued)
            var issuer = Fixture.issuer(1, of: "corp")
            issuer.keyFingerprint = Fingerprint(sha256: [UInt8](repeating: 77, count: 32))
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertCertificateAuthority(authority, at: Fixture.now), .insertIssuer(issuer, key: Fixture.issuerKey(1)),
                ]))
            var state = try await ledger.load().authority
            #expect(
                state.certificateAuthorities["corp"]
                    == AuthorityState.CertificateAuthorityEntry(
                        authority: authority, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now))
            #expect(state.issuers == [issuer.id: issuer])
            let later = Fixture.now + .seconds(1)
            // Nothing changes but the revision: whoever read the former one has lost.
            let touch = try Fixture.transaction([.replaceCertificateAuthority(authority, revision: 1, at: later)])
            #expect(try await ledger.commit(touch) == 2)
            await #expect(throws: LedgerFailure.conflict(what: "certificate authority 'corp'")) {
                _ = try await ledger.commit(touch)
            }
            authority.rotatesAutomatically = true
            authority.retireAfter = .expired
            authority.origin = .generated
            authority.keyAlgorithm = .ecP256
            authority.expiration = .milliseconds(7)
            _ = try await ledger.commit(Fixture.transaction([.replaceCertificateAuthority(authority, revision: 2, at: later)]))
            state = try await ledger.load().authority
            #expect(
                state.certificateAuthorities["corp"]
                    == AuthorityState.CertificateAuthorityEntry(
                        authority: authority, revision: 3, createdAt: Fixture.now, modifiedAt: later))
            await #expect(throws: LedgerFailure.conflict(what: "certificate authority 'corp'")) {
                _ = try await ledger.commit(Fixture.transaction([.deleteCertificateAuthority(name: "corp", revision: 2)]))
            }
            let unchanged = try await ledger.load()
            #expect(unchanged.authority.issuers.count == 1 && unchanged.issuerKeys.count == 1)
            _ = try await ledger.commit(Fixture.transaction([.deleteCertificateAuthority(name: "corp", revision: 3)]))
            let gone = try await ledger.load()
            #expect(gone.authority.certificateAuthorities.isEmpty && gone.authority.issuers.isEmpty && gone.issuerKeys.isEmpty)
        }
    }

    @Test("deletes no certificate authority that another mesh is bound to", arguments: LedgerKind.allCases)
    func boundIssuers(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let mesh = try MeshName("m")
            let issuer = Fixture.issuer(9, of: "corp")
            _ = try await ledger.commit(Fixture.creation("m"))
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertCertificateAuthority(Fixture.authority("corp", owner: nil), at: Fixture.now),
                    .insertIssuer(issuer, key: Fixture.issuerKey(9)), .insertMeshIssuer(mesh, issuer.id, .prepared),
                ]))
            let deletion = try Fixture.transaction([.deleteCertificateAuthority(name: "corp", revision: nil)])
            var state = IssuerState.prepared
            func set(_ next: IssuerState) async throws {
                _ = try await ledger.commit(Fixture.transaction([.setMeshIssuer(mesh, issuer.id, next, from: state)]))
                state = next
            }
            for next in [IssuerState.outgoing, .prepared] {
                try await set(next)
                await #expect(throws: LedgerFailure.conflict(what: "an issuer of a mesh")) {
                    _ = try await ledger.commit(deletion)
                }
                let authority = try await ledger.load().authority
                #expect(authority.meshIssuers[mesh]?[issuer.id] == next && authority.certificateAuthorities["corp"] != nil)
            }
            // What a mesh is done with goes with the issuer.
            for next in [IssuerState.retired, .revoked] {
                try await set(next)
                let before = try await ledger.load()
                _ = try await ledger.commit(deletion)
                let after = try await ledger.load()
                #expect(after.authority.meshIssuers[mesh]?.keys.contains(issuer.id) == false)
                #expect(after.authority.meshIssuers[mesh]?.count == 1 && after.authority.issuers[issuer.id] == nil)
                #expect(after.issuerKeys.count == before.issuerKeys.count - 1)
                _ = try await ledger.commit(
                    Fixture.transaction([
                        .insertCertificateAuthority(Fixture.authority("corp", owner: nil), at: Fixture.now),
                        .insertIssuer(issuer, key: Fixture.issuerKey(9)), .insertMeshIssuer(mesh, issuer.id, next),
                    ]))
            }
            // The owner parts with all, the active one included.
            _ = try await ledger.commit(
                Fixture.transaction([.deleteCertificateAuthority(name: "m.ca-1", revision: nil)]))
            #expect(try await ledger.load().authority.meshIssuers == [mesh: [issuer.id: .revoked]])
            // A mesh's deletion takes along what it is to an issuer, whoever's that is.
            _ = try await ledger.commit(Fixture.transaction([.deleteMesh(mesh, revision: 1, freeAt: Fixture.now)]))
            let rest = try await ledger.load().authority
            #expect(rest.meshIssuers.isEmpty && rest.issuers.count == 1)
        }
    }

    @Test("gives back services by selector, and each change a new revision", arguments: LedgerKind.allCases)
    func meshServices(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let name = try MeshName("payments")
            var service = try Fixture.service("api", of: "payments", ["app": "api \" \\ é", "tier": ""])
            let other = try Fixture.service("api", of: "orders", ["app": "other"])
            // The order within a transaction is free: the service before its mesh.
            #expect(
                try await ledger.commit(
                    Fixture.transaction([
                        .insertMeshService(service, at: Fixture.now), .insertMesh(Fixture.mesh("payments"), at: Fixture.now),
                        .insertMesh(Fixture.mesh("orders"), at: Fixture.now), .insertMeshService(other, at: Fixture.now),
                    ])) == 1)
            let entry = AuthorityState.MeshServiceEntry(
                service: service, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
            let otherEntry = AuthorityState.MeshServiceEntry(
                service: other, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
            #expect(
                try await ledger.load().authority.meshServices == [
                    name: ["api": entry], other.mesh: ["api": otherEntry],
                ])
            let later = Fixture.now + .seconds(1)
            service.selector = ["app": "new"]
            service.document = "{}"
            let replacement = try Fixture.transaction([.replaceMeshService(service, revision: 1, at: later)])
            #expect(try await ledger.commit(replacement) == 2)
            let replaced = AuthorityState.MeshServiceEntry(
                service: service, revision: 2, createdAt: Fixture.now, modifiedAt: later)
            #expect(try await ledger.load().authority.meshServices[name] == ["api": replaced])
            let what = "MeshService 'api' of mesh 'payments'"
            let refused: [([LedgerWrite], String)] = [
                ([.replaceMeshService(service, revision: 1, at: later)], what),
                ([.insertMeshService(service, at: later)], what),
                ([.deleteMeshService(name, name: "api", revision: 1)], what),
                ([.deleteMeshService(name, name: "a\0", revision: 2)], "MeshService 'a\0' of mesh 'payments'"),
                (
                    [.replaceMeshService(try Fixture.service("none", of: "payments", ["a": "b"]), revision: 2, at: later)],
                    "MeshService 'none' of mesh 'payments'"
                ),
                ([.insertMeshService(try Fixture.service("x", of: "nowhere", ["a": "b"]), at: later)], "the mesh"),
            ]
            for (writes, what) in refused {
                await #expect(throws: LedgerFailure.conflict(what: what)) {
                    _ = try await ledger.commit(Fixture.transaction(writes))
                }
            }
            #expect(try await ledger.load().authority.meshServices[name] == ["api": replaced])
            _ = try await ledger.commit(Fixture.transaction([.deleteMeshService(name, name: "api", revision: 2)]))
            #expect(try await ledger.load().authority.meshServices == [other.mesh: ["api": otherEntry]])
            // A mesh takes its services along.
            _ = try await ledger.commit(Fixture.transaction([.deleteMesh(other.mesh, revision: 1, freeAt: Fixture.now)]))
            _ = try await ledger.commit(Fixture.transaction([.insertMesh(Fixture.mesh("orders"), at: Fixture.now)]))
            #expect(try await ledger.load().authority.meshServices.isEmpty)
        }
    }

    @Test("knows a service's identities by its selector", arguments: LedgerKind.allCases)
    func selectedIdentities(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let day: Int64 = 86_400
            func token(
                _ id: String, _ tags: [String: [String]], mesh: String = "m", lifetime: Int64 = 60
            ) throws -> LedgerWrite {
                var token = try Fixture.token(id, mesh: mesh, lifetime: .seconds(lifetime))
                token.tags = tags
                token.identity = try SPIFFEID("spiffe://\(mesh)/\(id)")
                return .insertToken(token)
            }
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertMesh(Fixture.mesh("m"), at: Fixture.now), .insertMesh(Fixture.mesh("n"), at: Fixture.now),
                    .insertMeshService(Fixture.service("web", of: "m", ["app": "web", "tier": "é\""]), at: Fixture.now),
                    .insertMeshService(Fixture.service("all", of: "m", ["app": "web"]), at: Fixture.now),
                    .insertMeshService(Fixture.service("nobody", of: "m", ["app": "we"]), at: Fixture.now),
                    .insertMeshService(Fixture.service("nul", of: "m", ["app": "\0"]), at: Fixture.now),
                    token("both", ["app": ["x", "web"], "tier": ["é\"", "2"], "kuma.io/service": ["own"]]),
                    token("one", ["app": ["web"], "tier": ["other"]]),
                    token("again", ["app": ["web"], "tier": ["other"]]),
                    token("none", ["tier": ["é\""], "x": ["web"]]), token("nul", ["app": ["a", "\0"]]),
                    token("elsewhere", ["app": ["web"]], mesh: "n"),
                    token("last-year", ["app": ["web"]], lifetime: -365 * day),
                    token("forgotten", ["app": ["web"]], lifetime: -367 * day),
                    .insertToken(Fixture.token("user", mesh: nil)),
                ]))
            func identities(_ names: String...) throws -> Set<SPIFFEID> {
                Set(try names.map { try SPIFFEID("spiffe://m/\($0)") })
            }
            let mesh = try MeshName("m")
            #expect(
                try await ledger.load().authority.serviceIdentities == [mesh: ["own": try identities("both")]])
            #expect(
                try await ledger.load().authority.meshServiceIdentities == [
                    mesh: [
                        "web": try identities("both"), "nul": try identities("nul"),
                        "all": try identities("both", "one", "again", "last-year"),
                    ]
                ])
            _ = try await ledger.commit(
                Fixture.transaction([.revokeToken(id: "one", at: Fixture.now), .revokeToken(id: "both", at: Fixture.now)]))
            #expect(
                try await ledger.load().authority.meshServiceIdentities == [
                    mesh: ["nul": try identities("nul"), "all": try identities("again", "last-year")]
                ])
        }
    }

    @Test("finds the living token among many of one grant", arguments: LedgerKind.allCases)
    func repeatedGrants(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let day: Int64 = 86_400
            _ = try await ledger.commit(Fixture.transaction([.insertMesh(Fixture.mesh("m"), at: Fixture.now)]))
            var writes: [LedgerWrite] = []
            // Of each identity several tokens with the same tags; the one that lives is neither the first nor the last.
            for identity in ["a", "b", "c"] {
                for (number, lifetime) in [-400 * day, 60, -500 * day].enumerated() {
                    var token = try Fixture.token("\(identity)\(number)", mesh: "m", lifetime: .seconds(lifetime))
                    token.identity = try SPIFFEID("spiffe://m/\(identity)")
                    writes.append(.insertToken(token))
                }
            }
            writes.append(.revokeToken(id: "b1", at: Fixture.now))
            _ = try await ledger.commit(Fixture.transaction(writes))
            let expected = try Set(["a", "c"].map { try SPIFFEID("spiffe://m/\($0)") })
            #expect(try await ledger.load().authority.serviceIdentities == [MeshName("m"): ["api": expected]])
        }
    }
}
