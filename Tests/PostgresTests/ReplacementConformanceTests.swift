import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// What both ledgers promise of certificate authorities whose roots are replaced or revoked.
@Suite("Every ledger, where a certificate authority's root goes", .timeLimit(.minutes(2)))
struct ReplacementConformanceTests {
    typealias Fixture = LedgerFixture

    @Test("gives back a replacement as it was written, and as each order left it", arguments: LedgerKind.allCases)
    func roundTrip(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var rotation = try Fixture.replacement(1, of: "corp", for: ["a", "b"])
            rotation.trigger = .schedule
            rotation.isManual = true
            rotation.crossCertificate = CrossCertificate(
                certificate: [0x30, 0, 0xFF], notBefore: Fixture.now, notAfter: Fixture.now + .milliseconds(1))
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertMesh(Fixture.mesh("a"), at: Fixture.now), .insertMesh(Fixture.mesh("b"), at: Fixture.now),
                    .insertRotation(rotation),
                ]))
            var entry = AuthorityState.RotationEntry(rotation: rotation, revision: 1)
            func write(_ change: (inout Rotation) -> Void) async throws {
                change(&rotation)
                let write = LedgerWrite.replaceRotation(rotation, revision: entry.revision)
                entry = AuthorityState.RotationEntry(
                    rotation: rotation, revision: try await ledger.commit(Fixture.transaction([write])))
            }
            func isRead() async throws -> Bool {
                let page = try await ledger.rotations(RotationQuery()).items
                let isRunning = try await ledger.load().authority.rotations[rotation.id] == entry
                return try await ledger.rotation(rotation.id) == entry && page == [entry] && isRunning == rotation.phase.isRunning
            }
            #expect(try await isRead())
            try await write { $0.isPaused = true }
            #expect(try await isRead())
            try await write { rotation in
                rotation.isPaused = false
                rotation.isManual = false
                rotation.crossCertificate?.certificate = [UInt8](0...255)
                rotation.crossCertificate?.notAfter = Fixture.now + .seconds(9)
            }
            #expect(try await isRead())
            try await write { $0.crossCertificate = nil }
            #expect(try await isRead())
            try await write { rotation in
                rotation.phase = .aborted
                rotation.endedAt = Fixture.now + .seconds(1)
            }
            #expect(try await isRead())
            // A compromised root may have no successor yet in the row's own words.
            var revoke = try Fixture.replacement(2, of: "corp", for: ["a"], kind: .revoke)
            revoke.to = revoke.from
            _ = try await ledger.commit(Fixture.transaction([.insertRotation(revoke)]))
            #expect(try await ledger.rotation(revoke.id)?.rotation == revoke)
        }
    }

    @Test("lets one replacement or revocation of a certificate authority run at a time", arguments: LedgerKind.allCases)
    func oneAtATime(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var first = try Fixture.replacement(1, of: "corp", for: ["a"])
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertMesh(Fixture.mesh("a"), at: Fixture.now), .insertMesh(Fixture.mesh("b"), at: Fixture.now),
                    .insertRotation(first),
                ]))
            let taken = LedgerFailure.conflict(what: "the rotation of certificate authority 'corp'")
            let refused = try [
                Fixture.replacement(2, of: "corp"), Fixture.replacement(2, of: "corp", for: ["a"]),
                Fixture.replacement(2, of: "corp", for: ["b"]), Fixture.replacement(2, of: "corp", for: ["b"], kind: .revoke),
            ]
            for rotation in refused {
                let beginning = try Fixture.transaction([.insertRotation(rotation)])
                await #expect(throws: taken) { _ = try await ledger.commit(beginning) }
            }
            // Of its mesh none may run, whatever the certificate authority.
            await #expect(throws: LedgerFailure.conflict(what: "the rotation of mesh 'a'")) {
                _ = try await ledger.commit(Fixture.transaction([.insertRotation(Fixture.replacement(2, of: "x", for: ["a"]))]))
            }
            // A move of another mesh is no replacement; another certificate authority's is another matter.
            let move = try Fixture.move(3, of: "b", to: "corp")
            _ = try await ledger.commit(
                Fixture.transaction([.insertRotation(move), .insertRotation(Fixture.replacement(4, of: "other"))]))
            #expect(try await ledger.load().authority.rotations.keys.sorted() == ["rot-1", "rot-3", "rot-4"])
            // Superseded: the one ends and the next begins in one transaction.
            first.phase = .aborted
            first.endedAt = Fixture.now
            let next = try Fixture.replacement(5, of: "corp", for: ["a"], kind: .revoke)
            _ = try await ledger.commit(
                Fixture.transaction([.replaceRotation(first, revision: 1), .insertRotation(next)]))
            // An ended one cannot run again beside another.
            first.phase = .distributing
            first.endedAt = nil
            let revived = try Fixture.transaction([.replaceRotation(first, revision: 3)])
            await #expect(throws: taken) { _ = try await ledger.commit(revived) }
            #expect(try await ledger.load().authority.rotations.keys.sorted() == ["rot-3", "rot-4", "rot-5"])
        }
    }

    @Test("lets exactly one of fifty begin, used or not", arguments: LedgerKind.allCases, [[], ["m"]])
    func race(_ kind: LedgerKind, _ meshes: [String]) async throws {
        try await kind.withLedger { ledger in
            _ = try await ledger.commit(Fixture.transaction([.insertMesh(Fixture.mesh("m"), at: Fixture.now)]))
            let results = await withTaskGroup(of: Result<Int64, LedgerFailure>.self) { group in
                for number in 1...UInt8(50) {
                    group.addTask {
                        do {
                            let rotation = try Fixture.replacement(number, of: "corp", for: meshes)
                            return .success(try await ledger.commit(Fixture.transaction([.insertRotation(rotation)])))
                        } catch {
                            return .failure(error as? LedgerFailure ?? .rejected(detail: "\(error)"))
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let lost = Result<Int64, LedgerFailure>.failure(
                .conflict(what: "the rotation of certificate authority 'corp'"))
            #expect(results.filter { $0 == .success(2) }.count == 1 && results.filter { $0 == lost }.count == 49)
            #expect(try await ledger.load().authority.rotations.count == 1)
        }
    }

    @Test("refuses a rotation that makes no sense", arguments: LedgerKind.allCases)
    func nonsense(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let sane = try Fixture.replacement(1, of: "corp")
            let cross = CrossCertificate(certificate: [1], notBefore: Fixture.now, notAfter: Fixture.now + .seconds(1))
            let mistakes: [(inout Rotation) -> Void] = [
                { $0.phase = .completed }, { $0.endedAt = Fixture.now }, { $0.to = $0.from },
                { rotation in
                    rotation.kind = .move
                    rotation.crossCertificate = cross
                },
                { rotation in
                    rotation.crossCertificate = cross
                    rotation.crossCertificate?.notAfter = cross.notBefore
                },
                { rotation in
                    rotation.crossCertificate = cross
                    rotation.crossCertificate?.certificate = []
                },
            ]
            func isRejected(_ write: LedgerWrite) async throws -> Bool {
                do {
                    _ = try await ledger.commit(Fixture.transaction([write]))
                    return false
                } catch LedgerFailure.rejected {
                    return true
                }
            }
            for mistake in mistakes {
                var rotation = sane
                mistake(&rotation)
                #expect(try await isRejected(.insertRotation(rotation)), "\(rotation)")
            }
            let revision = try await ledger.commit(Fixture.transaction([.insertRotation(sane)]))
            for mistake in mistakes {
                var rotation = sane
                mistake(&rotation)
                #expect(try await isRejected(.replaceRotation(rotation, revision: revision)), "\(rotation)")
            }
            #expect(try await ledger.rotation(sane.id)?.rotation == sane)
        }
    }

    @Test("keeps what happened to a rotation in order", arguments: LedgerKind.allCases)
    func events(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let (rotation, other) = (try Fixture.replacement(1, of: "corp"), try Fixture.replacement(2, of: "other"))
            func event(_ name: String, _ detail: String = "") -> RotationEvent {
                // All at the same moment: the order is the transactions'.
                RotationEvent(event: name, at: Fixture.now, actor: "user:é", detail: detail)
            }
            // The order within a transaction is free: the event before its rotation.
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertRotationEvent(rotation: rotation.id, event("distributing")), .insertRotation(rotation),
                    .insertRotation(other), .insertRotationEvent(rotation: other.id, event("distributing", "other")),
                ]))
            #expect(try await ledger.rotationEvents(of: rotation.id) == [event("distributing")])
            var expected = [event("distributing")]
            for number in 0..<20 {
                let pair = [event("paused", "\(number)"), event("resumed", "a \"reason\"\nof \\ \(number)")]
                _ = try await ledger.commit(
                    Fixture.transaction(pair.map { .insertRotationEvent(rotation: rotation.id, $0) }))
                expected += pair
            }
            let odd = event("forced", "a\0b")
            _ = try await ledger.commit(Fixture.transaction([.insertRotationEvent(rotation: rotation.id, odd)]))
            expected.append(event("forced", "a\u{FFFD}b"))
            #expect(try await ledger.rotationEvents(of: rotation.id) == expected)
            #expect(try await ledger.rotationEvents(of: other.id) == [event("distributing", "other")])
            for unknown in ["rot-3", "rot-1\0", ""] {
                let before = try await ledger.revision()
                await #expect(throws: LedgerFailure.conflict(what: "the rotation of an event")) {
                    _ = try await ledger.commit(
                        Fixture.transaction([.insertRotationEvent(rotation: unknown, event("issuing"))]))
                }
                #expect(try await ledger.rotationEvents(of: unknown).isEmpty)
                #expect(try await ledger.revision() == before)
            }
        }
    }

    @Test("remembers when an issuer was revoked, and that a certificate authority is held", arguments: LedgerKind.allCases)
    func revocation(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var authority = try Fixture.authority("corp", owner: nil)
            authority.isAutomaticHeld = true
            let (issuer, other) = (Fixture.issuer(1, of: "corp"), Fixture.issuer(2, of: "corp"))
            var born = Fixture.issuer(3, of: "corp")
            born.revokedAt = Fixture.now
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertCertificateAuthority(authority, at: Fixture.now), .insertIssuer(issuer, key: Fixture.issuerKey(1)),
                    .insertIssuer(other, key: Fixture.issuerKey(2)), .insertIssuer(born, key: Fixture.issuerKey(3)),
                ]))
            let loaded = try await ledger.load().authority
            #expect(loaded.certificateAuthorities["corp"]?.authority == authority)
            #expect(loaded.issuers == [issuer.id: issuer, other.id: other, born.id: born])
            let later = Fixture.now + .seconds(5)
            for at in [later, later + .seconds(1)] {
                _ = try await ledger.commit(Fixture.transaction([.revokeIssuer(issuer.id, at: at)]))
                #expect(try await ledger.load().authority.issuers[issuer.id]?.revokedAt == later)
            }
            #expect(try await ledger.load().authority.issuers[other.id] == other)
            #expect(try await ledger.load().issuerKeys.count == 3)
            let unknown = Fixture.issuer(9, of: "corp").id
            await #expect(throws: LedgerFailure.conflict(what: "issuer '\(unknown)'")) {
                _ = try await ledger.commit(
                    Fixture.transaction([.revokeIssuer(other.id, at: later), .revokeIssuer(unknown, at: later)]))
            }
            #expect(try await ledger.load().authority.issuers[other.id] == other)
            authority.isAutomaticHeld = false
            _ = try await ledger.commit(
                Fixture.transaction([.replaceCertificateAuthority(authority, revision: 1, at: later)]))
            #expect(try await ledger.load().authority.certificateAuthorities["corp"]?.authority == authority)
        }
    }
}
