import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// What both ledgers promise, called by call.
@Suite("Every ledger", .timeLimit(.minutes(2)))
struct LedgerConformanceTests {
    typealias Fixture = LedgerFixture

    @Test("gives back all it was given", arguments: LedgerKind.allCases)
    func roundTrip(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let empty = try await ledger.load()
            #expect(empty.authority == AuthorityState())
            let name = try MeshName("payments")
            #expect(try await ledger.commit(Fixture.creation("payments")) == 1)
            let signingKey = TokenSigningKey(
                id: "k1", mesh: name, publicKey: [1, 2, 0], sealedKey: Fixture.key(7), createdAt: Fixture.now, endsAt: nil)
            let identity = try SPIFFEID("spiffe://payments/api")
            let token = try Fixture.token("t1", mesh: "payments")
            let transaction = try Fixture.transaction([
                .insertTokenSigningKey(signingKey), .insertServiceKey(name: "versions", Fixture.key(8)), .insertToken(token),
                .revokeIdentity(identity, at: Fixture.now), .revokeToken(id: "t1", at: Fixture.now),
                .recordCertificate(try Fixture.leaf(5, mesh: "payments")),
            ])
            #expect(try await ledger.commit(transaction) == 2)
            let state = try await ledger.load()
            let issuer = Fixture.issuer(1, of: "payments.ca-1")
            #expect(state.authority.revision == 2)
            #expect(try await ledger.revision() == 2)
            #expect(
                state.authority.meshes[name]
                    == AuthorityState.MeshEntry(
                        mesh: try Fixture.mesh("payments"), revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now))
            #expect(
                state.authority.certificateAuthorities
                    == [
                        "payments.ca-1": AuthorityState.CertificateAuthorityEntry(
                            authority: try Fixture.authority("payments.ca-1", owner: "payments"), revision: 1,
                            createdAt: Fixture.now, modifiedAt: Fixture.now)
                    ])
            #expect(state.authority.issuers == [issuer.id: issuer])
            #expect(state.authority.meshIssuers == [name: [issuer.id: .active]])
            #expect(state.authority.revokedTokens == ["t1"])
            #expect(state.authority.revokedIdentities == [identity])
            #expect(state.issuerKeys == [issuer.id: Fixture.issuerKey(1)])
            #expect(state.tokenSigningKeys == [signingKey])
            #expect(state.serviceKeys == ["versions": Fixture.key(8)])
            var revoked = token
            revoked.revokedAt = Fixture.now
            #expect(try await ledger.token("t1") == revoked)
            #expect(try await ledger.token("none\0") == nil)
            #expect(try await ledger.certificate(Fixture.serial(5)) == Fixture.leaf(5, mesh: "payments"))
            #expect(try await ledger.certificate(Fixture.serial(6)) == nil)
            let end = try Fixture.leaf(5, mesh: "payments").notAfter
            #expect(try await ledger.certificate(Fixture.serial(5), notAfter: end) == Fixture.leaf(5, mesh: "payments"))
            #expect(try await ledger.certificate(Fixture.serial(5), notAfter: end + .seconds(1)) == nil)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `certificates are found by serial and end, wherever each of them is`(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let now = MemoryLedger.systemTime().wholeSeconds
            func record(_ number: UInt64, after seconds: Int64) throws -> CertificateRecord {
                var record = try Fixture.leaf(number, mesh: "m")
                (record.notBefore, record.issuedAt, record.notAfter) = (now, now, now + .seconds(seconds))
                return record
            }
            // In this week and in a later one, in none that is made, and in none that a table's name could be made of.
            var records = try (1...40).map { try record($0, after: 3600) } + (41...60).map { try record($0, after: 15 * 86_400) }
            records += try [record(61, after: 200 * 86_400), record(62, after: 300_000_000_000)]
            var root = try record(63, after: 315_360_000)
            (root.kind, root.identity, root.origin) = (.root, nil, nil)
            records.append(root)
            try await ledger.record(records)
            let places = Dictionary(
                uniqueKeysWithValues: records.map { (LedgerPlace(serial: $0.serial, notAfter: $0.notAfter), $0) })
            let unknown = [
                LedgerPlace(serial: Fixture.serial(1), notAfter: now + .seconds(3601)),
                LedgerPlace(serial: Fixture.serial(99), notAfter: now + .seconds(3600)),
                LedgerPlace(serial: Fixture.serial(99), notAfter: now + .seconds(500 * 86_400)),
                LedgerPlace(serial: Fixture.serial(99), notAfter: Timestamp(milliseconds: -1)),
            ]
            #expect(try await ledger.certificates(Set(places.keys).union(unknown)) == places)
            let inWeeks = places.filter { $0.value.notAfter <= now + .seconds(15 * 86_400) }
            #expect(inWeeks.count == 60)
            #expect(try await ledger.certificates(Set(inWeeks.keys)) == inWeeks)
            for (place, record) in places {
                #expect(try await ledger.certificate(place.serial, notAfter: place.notAfter) == record)
            }
            for place in unknown { #expect(try await ledger.certificate(place.serial, notAfter: place.notAfter) == nil) }
            #expect(try await ledger.certificates(Set<LedgerPlace>()).isEmpty)
        }
    }

    @Test("refuses a second row of the same name, and keeps nothing of that transaction", arguments: LedgerKind.allCases)
    func conflicts(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let name = try MeshName("payments")
            _ = try await ledger.commit(Fixture.creation("payments"))
            let issuer = Fixture.issuer(1, of: "payments.ca-1")
            let second = Fixture.issuer(2, of: "payments.ca-1")
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertToken(Fixture.token("t1", mesh: nil)), .insertServiceKey(name: "s", Fixture.key(1)),
                    .insertIssuer(second, key: Fixture.issuerKey(2)), .insertMeshIssuer(name, second.id, .prepared),
                    .recordCertificate(Fixture.leaf(5, mesh: "payments")),
                    .insertMesh(Fixture.mesh("shop"), at: Fixture.now),
                    .insertCrossMeshAccess(Fixture.door("door", from: "shop", to: "payments"), at: Fixture.now),
                ]))
            let door = try Fixture.door("door", from: "payments", to: "shop")
            let cases: [([LedgerWrite], String)] = [
                ([.insertMesh(try Fixture.mesh("payments", trustDomain: "other"), at: Fixture.now)], "mesh 'payments'"),
                ([.insertMesh(try Fixture.mesh("orders", trustDomain: "payments"), at: Fixture.now)], "trust domain 'payments'"),
                (
                    [.insertCertificateAuthority(try Fixture.authority("payments.ca-1", owner: nil), at: Fixture.now)],
                    "certificate authority 'payments.ca-1'"
                ),
                ([.insertIssuer(issuer, key: Fixture.issuerKey(1))], "issuer '\(issuer.id)'"),
                ([.insertMeshIssuer(name, issuer.id, .retired)], "issuer '\(issuer.id)' of mesh 'payments'"),
                ([.setMeshIssuer(name, second.id, .active, from: .prepared)], "the active issuer of mesh 'payments'"),
                ([.setMeshIssuer(name, second.id, .retired, from: .outgoing)], "issuer '\(second.id)' of mesh 'payments'"),
                ([.insertServiceKey(name: "s", Fixture.key(1))], "the service key 's'"),
                ([.insertToken(try Fixture.token("t1", mesh: nil))], "token 't1'"),
                ([.revokeToken(id: "t2", at: Fixture.now)], "token 't2'"),
                ([.replaceMesh(try Fixture.mesh("payments"), revision: 7, at: Fixture.now)], "mesh 'payments'"),
                (
                    [.replaceMesh(try Fixture.mesh("payments", trustDomain: "moved"), revision: 1, at: Fixture.now)],
                    "mesh 'payments'"
                ),
                ([.replaceMesh(try Fixture.mesh("nowhere"), revision: 1, at: Fixture.now)], "mesh 'nowhere'"),
                ([.deleteMesh(name, revision: 7, freeAt: Fixture.now)], "mesh 'payments'"),
                ([.deleteCertificateAuthority(name: "none", revision: nil)], "certificate authority 'none'"),
                (
                    [.deleteCertificateAuthority(name: "payments.ca-1", revision: 2)],
                    "certificate authority 'payments.ca-1'"
                ),
                (
                    [.replaceCertificateAuthority(try Fixture.authority("none", owner: nil), revision: 1, at: Fixture.now)],
                    "certificate authority 'none'"
                ),
                (
                    [.recordCertificate(try Fixture.leaf(5, mesh: "payments"))],
                    "the certificate with serial \(Fixture.serial(5))"
                ),
                ([.insertMeshIssuer(try MeshName("nowhere"), issuer.id, .active)], "the mesh"),
                ([.insertCrossMeshAccess(door, at: Fixture.now)], "CrossMeshAccess 'door'"),
                ([.replaceCrossMeshAccess(door, revision: 1, at: Fixture.now)], "CrossMeshAccess 'door'"),
                ([.deleteCrossMeshAccess(name: "door", revision: 1)], "CrossMeshAccess 'door'"),
                ([.deleteCrossMeshAccess(name: "none", revision: 2)], "CrossMeshAccess 'none'"),
                (
                    [
                        .replaceCrossMeshAccess(
                            try Fixture.door("none", from: "payments", to: "shop"), revision: 2, at: Fixture.now)
                    ], "CrossMeshAccess 'none'"
                ),
                (
                    [.insertCrossMeshAccess(try Fixture.door("new", from: "nowhere", to: "shop"), at: Fixture.now)],
                    "a mesh of a CrossMeshAccess"
                ),
                (
                    [.insertCrossMeshAccess(try Fixture.door("new", from: "shop", to: "nowhere"), at: Fixture.now)],
                    "a mesh of a CrossMeshAccess"
                ),
                (
                    [
                        .replaceCrossMeshAccess(
                            try Fixture.door("door", from: "shop", to: "nowhere"), revision: 2, at: Fixture.now)
                    ], "a mesh of a CrossMeshAccess"
                ),
                ([.deleteMesh(try MeshName("shop"), revision: 2, freeAt: Fixture.now)], "a mesh of a CrossMeshAccess"),
                ([.insertToken(try Fixture.token("t2", mesh: "nowhere"))], "the mesh"),
                ([.revokeToken(id: "t1\0", at: Fixture.now)], "token 't1\0'"),
            ]
            let before = try await ledger.load()
            for (writes, what) in cases {
                let doomed = try Fixture.transaction(
                    [.insertServiceKey(name: "doomed", Fixture.key(3)), .insertToken(Fixture.token("doomed", mesh: nil))]
                        + writes, "doomed")
                await #expect(throws: LedgerFailure.conflict(what: what)) { _ = try await ledger.commit(doomed) }
            }
            let after = try await ledger.load()
            #expect(after.authority == before.authority)
            #expect(after.serviceKeys == before.serviceKeys)
            #expect(try await ledger.token("doomed") == nil)
            #expect(try await !ledger.audit(AuditQuery()).items.contains { $0.object == "doomed" })
        }
    }

    @Test("gives a mesh a new revision with each change, never one it had before", arguments: LedgerKind.allCases)
    func meshRevisions(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let name = try MeshName("m")
            var mesh = try Fixture.mesh("m")
            #expect(try await ledger.commit(Fixture.transaction([.insertMesh(mesh, at: Fixture.now)])) == 1)
            mesh.isolated = true
            let later = Fixture.now + .seconds(1)
            #expect(try await ledger.commit(Fixture.transaction([.replaceMesh(mesh, revision: 1, at: later)])) == 2)
            #expect(
                try await ledger.load().authority.meshes[name]
                    == AuthorityState.MeshEntry(mesh: mesh, revision: 2, createdAt: Fixture.now, modifiedAt: later))
            _ = try await ledger.commit(Fixture.transaction([.deleteMesh(name, revision: 2, freeAt: later)]))
            _ = try await ledger.commit(Fixture.transaction([.insertMesh(mesh, at: later)]))
            #expect(try await ledger.load().authority.meshes[name]?.revision == 4)
        }
    }

    @Test("gives back doors, and each change a new revision, never one it had before", arguments: LedgerKind.allCases)
    func doors(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var door = try Fixture.door("orders-to-payments", from: "orders", to: "payments", fromServices: ["web", "é \" \\"])
            let other = try Fixture.door("back", from: "payments", to: "orders", toServices: ["api"])
            // The order within a transaction is free: the door before its meshes.
            #expect(
                try await ledger.commit(
                    Fixture.transaction([
                        .insertCrossMeshAccess(door, at: Fixture.now), .insertMesh(Fixture.mesh("orders"), at: Fixture.now),
                        .insertMesh(Fixture.mesh("payments"), at: Fixture.now),
                    ])) == 1)
            #expect(
                try await ledger.load().authority.crossMeshAccesses == [
                    door.name: AuthorityState.CrossMeshAccessEntry(
                        access: door, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
                ])
            _ = try await ledger.commit(Fixture.transaction([.insertCrossMeshAccess(other, at: Fixture.now)]))
            let later = Fixture.now + .seconds(1)
            door.from.services = nil
            (door.from.mesh, door.to.mesh) = (door.to.mesh, door.from.mesh)
            let replacement = try Fixture.transaction([.replaceCrossMeshAccess(door, revision: 1, at: later)])
            #expect(try await ledger.commit(replacement) == 3)
            await #expect(throws: LedgerFailure.conflict(what: "CrossMeshAccess 'orders-to-payments'")) {
                _ = try await ledger.commit(replacement)
            }
            let entries = try await ledger.load().authority.crossMeshAccesses
            #expect(
                entries == [
                    door.name: AuthorityState.CrossMeshAccessEntry(
                        access: door, revision: 3, createdAt: Fixture.now, modifiedAt: later),
                    other.name: AuthorityState.CrossMeshAccessEntry(
                        access: other, revision: 2, createdAt: Fixture.now, modifiedAt: Fixture.now),
                ])
            let deletion = try Fixture.transaction([.deleteCrossMeshAccess(name: door.name, revision: 3)])
            #expect(try await ledger.commit(deletion) == 4)
            #expect(try await ledger.load().authority.crossMeshAccesses == entries.filter { $0.key == other.name })
            await #expect(throws: LedgerFailure.conflict(what: "CrossMeshAccess 'orders-to-payments'")) {
                _ = try await ledger.commit(deletion)
            }
            _ = try await ledger.commit(Fixture.transaction([.insertCrossMeshAccess(door, at: later)]))
            #expect(try await ledger.load().authority.crossMeshAccesses[door.name]?.revision == 5)
        }
    }

    @Test("deletes no mesh that a door names, on either side", arguments: LedgerKind.allCases)
    func meshBehindDoor(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            _ = try await ledger.commit(Fixture.creation("orders", issuer: 1))
            _ = try await ledger.commit(Fixture.creation("payments", issuer: 2))
            let door = try Fixture.door("door", from: "orders", to: "payments")
            _ = try await ledger.commit(Fixture.transaction([.insertCrossMeshAccess(door, at: Fixture.now)]))
            func deletion(_ name: String, revision: Int64) throws -> [LedgerWrite] {
                [
                    .deleteCertificateAuthority(name: "\(name).ca-1", revision: nil),
                    .deleteMesh(try MeshName(name), revision: revision, freeAt: Fixture.now),
                ]
            }
            for (name, revision) in [("orders", Int64(1)), ("payments", 2)] {
                await #expect(throws: LedgerFailure.conflict(what: "a mesh of a CrossMeshAccess")) {
                    _ = try await ledger.commit(Fixture.transaction(deletion(name, revision: revision)))
                }
            }
            #expect(try await ledger.load().authority.meshes.count == 2)
            _ = try await ledger.commit(
                Fixture.transaction(
                    deletion("orders", revision: 1) + [.deleteCrossMeshAccess(name: "door", revision: 3)]))
            #expect(try await ledger.load().authority.crossMeshAccesses.isEmpty)
            _ = try await ledger.commit(Fixture.transaction(deletion("payments", revision: 2)))
            #expect(try await ledger.load().authority.meshes.isEmpty)
        }
    }

    @Test("keeps a trust domain taken until it is free", arguments: LedgerKind.allCases)
    func trustDomains(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let name = try MeshName("payments")
            _ = try await ledger.commit(Fixture.creation("payments"))
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertTokenSigningKey(
                        TokenSigningKey(
                            id: "k", mesh: name, publicKey: [1], sealedKey: Fixture.key(1), createdAt: Fixture.now, endsAt: nil))
                ]))
            try await ledger.record([try Fixture.leaf(1, mesh: "payments")])
            let free = Fixture.now + .seconds(100)
            _ = try await ledger.commit(
                Fixture.transaction([
                    .deleteCertificateAuthority(name: "payments.ca-1", revision: 1),
                    .deleteMesh(name, revision: 1, freeAt: free),
                ]))
            #expect(try await ledger.release(of: TrustDomain("payments")) == free)
            #expect(try await ledger.release(of: TrustDomain("unknown")) == nil)
            let state = try await ledger.load()
            #expect(state.authority.meshes.isEmpty && state.authority.issuers.isEmpty && state.authority.meshIssuers.isEmpty)
            #expect(state.authority.certificateAuthorities.isEmpty && state.issuerKeys.isEmpty && state.tokenSigningKeys.isEmpty)
            #expect(try await ledger.certificate(Fixture.serial(1)) != nil)
            let other = try Fixture.mesh("other", trustDomain: "payments")
            await #expect(throws: LedgerFailure.conflict(what: "trust domain 'payments'")) {
                _ = try await ledger.commit(Fixture.transaction([.insertMesh(other, at: free - .milliseconds(1))]))
            }
            await #expect(throws: LedgerFailure.conflict(what: "trust domain 'payments'")) {
                _ = try await ledger.commit(Fixture.transaction([.insertMesh(Fixture.mesh("payments"), at: Fixture.now)]))
            }
            _ = try await ledger.commit(Fixture.transaction([.insertMesh(other, at: free)]))
            #expect(try await ledger.load().authority.mesh(of: TrustDomain("payments"))?.name == other.name)
        }
    }

    @Test("moves issuers from state to state in one transaction", arguments: LedgerKind.allCases)
    func issuerStates(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let name = try MeshName("m")
            _ = try await ledger.commit(Fixture.creation("m"))
            let (first, second) = (Fixture.issuer(1, of: "m.ca-1"), Fixture.issuer(2, of: "m.ca-1"))
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertIssuer(second, key: Fixture.issuerKey(2)), .insertMeshIssuer(name, second.id, .prepared),
                    .setMeshIssuer(name, first.id, .outgoing, from: .active),
                    .setMeshIssuer(name, second.id, .active, from: .prepared),
                ]))
            #expect(try await ledger.load().authority.meshIssuers[name] == [first.id: .outgoing, second.id: .active])
        }
    }

    @Test("lets exactly one of fifty make the same mesh", arguments: LedgerKind.allCases)
    func insertRace(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let transaction = try Fixture.creation("contested")
            let results = await withTaskGroup(of: Result<Int64, LedgerFailure>.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        do throws(LedgerFailure) {
                            return .success(try await ledger.commit(transaction))
                        } catch {
                            return .failure(error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let lost = Result<Int64, LedgerFailure>.failure(.conflict(what: "mesh 'contested'"))
            #expect(results.filter { $0 == .success(1) }.count == 1)
            #expect(results.filter { $0 == lost }.count == 49)
            #expect(try await ledger.revision() == 1)
            #expect(try await ledger.audit(AuditQuery()).total == 1)
        }
    }

    @Test("lets exactly one of many replace the same revision", arguments: LedgerKind.allCases)
    func replaceRace(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let mesh = try Fixture.mesh("m")
            _ = try await ledger.commit(Fixture.transaction([.insertMesh(mesh, at: Fixture.now)]))
            let wins = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        (try? await ledger.commit(
                            Fixture.transaction([.replaceMesh(mesh, revision: 1, at: Fixture.now)]))) != nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
        }
    }

    @Test("never shows half of a transaction", arguments: LedgerKind.allCases)
    func halfTransactions(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let isWritten = LedgerGate()
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask {
                    for number in 1...UInt8(60) {
                        _ = try await ledger.commit(Fixture.creation("m\(number)", issuer: number))
                    }
                    isWritten.open()
                    return 0
                }
                group.addTask {
                    var reads = 0
                    var last: Int64 = -1
                    while last < 60 {
                        let state = try await ledger.load()
                        let authority = state.authority
                        let count = Int(authority.revision)
                        #expect(authority.revision >= last)
                        #expect(authority.meshes.count == count && authority.issuers.count == count)
                        #expect(authority.certificateAuthorities.count == count && authority.meshIssuers.count == count)
                        #expect(state.issuerKeys.count == count)
                        #expect(authority.meshes.keys.allSatisfy { authority.activeIssuer(of: $0) != nil })
                        last = authority.revision
                        reads += 1
                    }
                    return reads
                }
                let reads = try await group.reduce(0, +)
                #expect(reads > 0)
            }
        }
    }

    @Test("records a batch whole, or nothing of it", arguments: LedgerKind.allCases)
    func batches(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let batch = try (1...100).map { try Fixture.leaf($0, mesh: "m") }
            try await ledger.record(batch)
            try await ledger.record([])
            let page = try await ledger.certificates(CertificateQuery(size: 1000))
            #expect(page.items == batch.reversed())
            #expect(page.total == 100 && page.next == nil)
            let clash = try [Fixture.leaf(101, mesh: "m"), Fixture.leaf(50, mesh: "m")]
            let failure = await #expect(throws: LedgerFailure.self) { try await ledger.record(clash) }
            if case .conflict = failure {} else { Issue.record("expected a conflict, got \(String(describing: failure))") }
            #expect(try await ledger.certificate(Fixture.serial(101)) == nil)
            #expect(try await ledger.revision() == 0)
        }
    }

    @Test("pages newest first, by mesh, kind and identity", arguments: LedgerKind.allCases)
    func certificatePages(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var issuing = try Fixture.leaf(1000, mesh: "a")
            issuing.kind = .issuing
            issuing.identity = nil
            issuing.origin = nil
            try await ledger.record([issuing])
            try await ledger.record(try (1...7).map { try Fixture.leaf($0, mesh: "a", service: $0 % 2 == 0 ? "x" : "y") })
            try await ledger.record(try (8...9).map { try Fixture.leaf($0, mesh: "b") })
            let mesh = try MeshName("a")
            var serials: [SerialNumber] = []
            var query = CertificateQuery(mesh: mesh, kind: .leaf, size: 3)
            repeat {
                let page = try await ledger.certificates(query)
                #expect(page.total == 7)
                serials += page.items.map(\.serial)
                query.cursor = page.next
            } while query.cursor != nil
            #expect(serials == (1...7).reversed().map { Fixture.serial($0) })
            let x = try await ledger.certificates(CertificateQuery(identity: SPIFFEID("spiffe://a/x")))
            #expect(x.items.map(\.serial) == [6, 4, 2].map { Fixture.serial($0) })
            #expect(try await ledger.certificates(CertificateQuery(kind: .issuing)).items == [issuing])
            #expect(try await ledger.certificates(CertificateQuery()).total == 10)
            #expect(try await ledger.certificates(CertificateQuery(mesh: MeshName("c"))).items.isEmpty)
        }
    }

    @Test("pages tokens and audit entries", arguments: LedgerKind.allCases)
    func otherPages(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            _ = try await ledger.commit(
                LedgerTransaction(writes: [.insertMesh(Fixture.mesh("m"), at: Fixture.now)], audit: Fixture.audit("t0")))
            for number in 1...3 {
                _ = try await ledger.commit(
                    LedgerTransaction(
                        writes: [.insertToken(Fixture.token("t\(number)", mesh: number == 2 ? "m" : nil))],
                        audit: Fixture.audit("t\(number)", mesh: number == 2 ? "m" : nil)))
            }
            let first = try await ledger.tokens(TokenQuery(size: 2))
            #expect(first.items.map(\.id) == ["t3", "t2"] && first.total == 3)
            #expect(try await ledger.tokens(TokenQuery(cursor: first.next, size: 2)).items.map(\.id) == ["t1"])
            #expect(try await ledger.tokens(TokenQuery(mesh: MeshName("m"))).items.map(\.id) == ["t2"])
            let audit = try await ledger.audit(AuditQuery(size: 1))
            #expect(audit.items.map(\.object) == ["t3"] && audit.total == 4 && audit.next != nil)
            let ofMesh = try await ledger.audit(AuditQuery(mesh: MeshName("m"))).items
            let previous = try #require(ofMesh.first?.previous)
            #expect(ofMesh == [AuditRow(try Fixture.audit("t2", mesh: "m"), seq: 3, previous: previous)])
        }
    }

    @Test("keeps an audit entry whatever a stranger put into it", arguments: LedgerKind.allCases)
    func strangeAudit(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let entry = try Fixture.audit(
                "a\0b'; DROP TABLE audit; --", details: ["k\u{1}\"\\": "\u{7F}\n\0 {}[] é 🦊", "plain": ""])
            try await ledger.append([entry, try Fixture.audit("second")])
            let items = try await ledger.audit(AuditQuery()).items
            #expect(items.map(\.object) == ["second", "a\u{FFFD}b'; DROP TABLE audit; --"])
            #expect(items.last?.details == ["k\u{1}\"\\": "\u{7F}\n\u{FFFD} {}[] é 🦊", "plain": ""])
            #expect(try await ledger.revision() == 0)
        }
    }

    @Test("records a batch whatever a proxy calls itself", arguments: LedgerKind.allCases)
    func strangeProxies(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            _ = try await ledger.commit(Fixture.creation("m"))
            var strange = try Fixture.leaf(2, mesh: "m")
            strange.origin = CertificateRecord.Origin(
                tokenID: "t\0", proxy: "\0a\u{1}", tags: ["k\0": ["v\0", "'); --"], "kuma.io/service": ["é"]])
            try await ledger.record([Fixture.leaf(1, mesh: "m"), strange, Fixture.leaf(3, mesh: "m")])
            #expect(try await ledger.certificates(CertificateQuery()).total == 3)
            #expect(
                try await ledger.certificate(strange.serial)?.origin
                    == CertificateRecord.Origin(
                        tokenID: "t\u{FFFD}", proxy: "\u{FFFD}a\u{1}",
                        tags: ["k\u{FFFD}": ["v\u{FFFD}", "'); --"], "kuma.io/service": ["é"]]))
            var token = try Fixture.token("t1", mesh: "m")
            (token.name, token.tags, token.roles) = ("n\0", ["\0": ["\0", ""]], ["r\0"])
            _ = try await ledger.commit(Fixture.transaction([.insertToken(token)]))
            let found = try await ledger.token("t1")
            #expect(found?.name == "n\u{FFFD}" && found?.roles == ["r\u{FFFD}"])
            #expect(found?.tags == ["\u{FFFD}": ["\u{FFFD}", ""]])
        }
    }

    @Test("counts a proxy's newest leaf alone", arguments: LedgerKind.allCases)
    func renewedLeaves(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let name = try MeshName("m")
            _ = try await ledger.commit(Fixture.creation("m"))
            func leaf(_ number: UInt64, _ service: String, _ proxy: String, _ lifetime: Int64) throws -> CertificateRecord {
                var record = try Fixture.leaf(number, mesh: "m", service: service, lifetime: .seconds(lifetime))
                record.origin?.proxy = proxy
                return record
            }
            func earliest(_ seconds: Int64) async throws -> Timestamp? {
                try await ledger.earliestLeafExpiry(at: Fixture.now + .seconds(seconds))[name]
            }
            try await ledger.record([leaf(1, "api", "p1", 10), leaf(2, "api", "p2", 60), leaf(3, "web", "p1", 50)])
            #expect(try await earliest(0) == Fixture.now + .seconds(10))
            // Renewed: the one before no longer counts, although it has not ended.
            try await ledger.record([leaf(4, "api", "p1", 40)])
            #expect(try await earliest(0) == Fixture.now + .seconds(40))
            // Renewed for a shorter time: the longer one before does not count once that has ended.
            try await ledger.record([leaf(5, "web", "p1", 20)])
            #expect(try await earliest(0) == Fixture.now + .seconds(20))
            #expect(try await earliest(20) == Fixture.now + .seconds(40))
            #expect(try await earliest(40) == Fixture.now + .seconds(60))
            #expect(try await earliest(60) == nil)
        }
    }

    @Test("knows when certificates end", arguments: LedgerKind.allCases)
    func expiries(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let (a, b) = (try MeshName("a"), try MeshName("b"))
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertMesh(Fixture.mesh("a", trustDomain: "a.example"), at: Fixture.now),
                    .insertMesh(Fixture.mesh("b"), at: Fixture.now),
                ]))
            #expect(try await ledger.earliestLeafExpiry(at: Fixture.now).isEmpty)
            #expect(try await ledger.lastExpiry(of: TrustDomain("a.example"), at: Fixture.now) == nil)
            #expect(try await ledger.lastExpiry(of: TrustDomain("unknown"), at: Fixture.now) == nil)
            var root = try Fixture.leaf(9, mesh: "a", lifetime: .seconds(9999))
            root.kind = .root
            try await ledger.record([
                try Fixture.leaf(1, mesh: "a", service: "x", lifetime: .seconds(10)),
                try Fixture.leaf(2, mesh: "a", service: "y", lifetime: .seconds(20)),
                try Fixture.leaf(3, mesh: "a", service: "z", lifetime: .seconds(300)),
                try Fixture.leaf(4, mesh: "b", lifetime: .seconds(5)),
                try Fixture.leaf(5, mesh: "gone", lifetime: .seconds(30)), root,
            ])
            let earliest = try await ledger.earliestLeafExpiry(at: Fixture.now + .seconds(10))
            #expect(earliest == [a: Fixture.now + .seconds(20)])
            #expect(try await ledger.earliestLeafExpiry(at: Fixture.now)[b] == Fixture.now + .seconds(5))
            #expect(try await ledger.lastExpiry(of: TrustDomain("a.example"), at: Fixture.now) == Fixture.now + .seconds(300))
            #expect(try await ledger.lastExpiry(of: TrustDomain("a.example"), at: Fixture.now + .seconds(300)) == nil)
            var issuing = try Fixture.leaf(10, mesh: "a", lifetime: .seconds(400))
            issuing.kind = .issuing
            try await ledger.record([issuing])
            #expect(
                try await ledger.lastExpiry(of: TrustDomain("a.example"), at: Fixture.now + .seconds(300))
                    == Fixture.now + .seconds(400))
        }
    }

    @Test("remembers a revoked token while a leaf that descends from it may live", arguments: LedgerKind.allCases)
    func revokedTokens(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let now = MemoryLedger.systemTime()
            let day: Int64 = 86_400
            // How long each lives from now on, and when it was revoked.
            let tokens: [(id: String, lifetime: Int64, revoked: Int64)] = [
                ("live", 60, 0), ("ended", -30 * day, -day), ("long ago", -400 * day, -365 * day),
                ("forgotten", -400 * day, -367 * day), ("still valid", day, -400 * day),
            ]
            for token in tokens {
                _ = try await ledger.commit(
                    Fixture.transaction([
                        .insertToken(Fixture.token(token.id, mesh: nil, lifetime: .seconds(token.lifetime))),
                        .revokeToken(id: token.id, at: now + .seconds(token.revoked)),
                    ]))
            }
            _ = try await ledger.commit(Fixture.transaction([.revokeToken(id: "live", at: now + .seconds(9))]))
            #expect(try await ledger.load().authority.revokedTokens == ["live", "ended", "long ago", "still valid"])
            #expect(try await ledger.token("live")?.revokedAt == now)
        }
    }

    @Test("knows a service's identities from its unrevoked tokens", arguments: LedgerKind.allCases)
    func serviceIdentities(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var web = try Fixture.token("t2", mesh: "payments")
            web.tags = ["kuma.io/service": ["web", "front"], "team": ["x"]]
            web.identity = try SPIFFEID("spiffe://payments/web")
            _ = try await ledger.commit(Fixture.creation("payments"))
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertToken(Fixture.token("t1", mesh: "payments")), .insertToken(web),
                    .insertToken(Fixture.token("t3", mesh: nil)),
                ]))
            let mesh = try MeshName("payments")
            let api = try SPIFFEID("spiffe://payments/api")
            let known = try await ledger.load().authority.serviceIdentities
            #expect(known == [mesh: ["api": [api], "web": [web.identity ?? api], "front": [web.identity ?? api]]])
            _ = try await ledger.commit(Fixture.transaction([.revokeToken(id: "t2", at: Fixture.now)]))
            #expect(try await ledger.load().authority.serviceIdentities == [mesh: ["api": [api]]])
        }
    }

    @Test("forgets a service's identity when no leaf can descend from its token any more", arguments: LedgerKind.allCases)
    func endedTokens(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let day: Int64 = 86_400
            let lifetimes = ["live": 60, "ended": -day, "last-year": -365 * day, "forgotten": -367 * day]
            _ = try await ledger.commit(Fixture.creation("m"))
            for (service, lifetime) in lifetimes {
                var token = try Fixture.token(service, mesh: "m", lifetime: .seconds(lifetime))
                token.tags = ["kuma.io/service": [service]]
                token.identity = try SPIFFEID("spiffe://m/\(service)")
                _ = try await ledger.commit(Fixture.transaction([.insertToken(token)]))
            }
            let known = try await ledger.load().authority.serviceIdentities[MeshName("m")] ?? [:]
            #expect(Set(known.keys) == ["live", "ended", "last-year"])
        }
    }

    @Test("gives a new mesh nothing of the tokens of a deleted one of its name", arguments: LedgerKind.allCases)
    func tokensOfADeletedMesh(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let name = try MeshName("m")
            _ = try await ledger.commit(Fixture.transaction([.insertMesh(Fixture.mesh("m"), at: Fixture.now)]))
            let earlier = Fixture.now - .seconds(5)
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertToken(Fixture.token("old", mesh: "m")), .insertToken(Fixture.token("revoked", mesh: "m")),
                    .insertToken(Fixture.token("admin", mesh: nil)), .revokeToken(id: "revoked", at: earlier),
                ]))
            #expect(try await ledger.load().authority.serviceIdentities[name] != nil)
            _ = try await ledger.commit(Fixture.transaction([.deleteMesh(name, revision: 1, freeAt: Fixture.now)]))
            // Issued by a replica that has not heard of the deletion.
            await #expect(throws: LedgerFailure.conflict(what: "the mesh")) {
                _ = try await ledger.commit(Fixture.transaction([.insertToken(Fixture.token("late", mesh: "m"))]))
            }
            // In the same moment, and by a clock that is behind.
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertToken(Fixture.token("new", mesh: "m")), .insertMesh(Fixture.mesh("m"), at: Fixture.now),
                ]))
            let authority = try await ledger.load().authority
            let identity = try SPIFFEID("spiffe://m/api")
            #expect(authority.serviceIdentities == [name: ["api": [identity]]])
            #expect(authority.revokedTokens == ["old", "revoked"])
            #expect(try await ledger.token("old")?.revokedAt == Fixture.now)
            #expect(try await ledger.token("revoked")?.revokedAt == earlier)
            _ = try await ledger.commit(Fixture.transaction([.revokeToken(id: "new", at: Fixture.now)]))
            #expect(try await ledger.load().authority.serviceIdentities.isEmpty)
        }
    }

    @Test("signals a commit", arguments: LedgerKind.allCases)
    func signals(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            // The first signal may be of the connection itself: one that comes after the commit is what counts.
            let signals = ledger.revisionSignals()
            let transaction = try Fixture.creation("m")
            let isSeen = try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    for await _ in signals where try await ledger.revision() == 1 { return true }
                    return false
                }
                group.addTask {
                    try await Task.sleep(for: .seconds(20))
                    return false
                }
                _ = try await ledger.commit(transaction)
                defer { group.cancelAll() }
                return try await group.next() ?? false
            }
            #expect(isSeen)
        }
    }
}
