import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// What both ledgers promise of keys: where they are, sealed anew, and which replica opens what.
@Suite("Every ledger, of keys", .timeLimit(.minutes(1)))
struct KeyCustodyConformanceTests {
    typealias Fixture = LedgerFixture

    private static let location = TokenLocation(
        module: "/usr/lib/module \"quoted\".so", token: "röots", pinFile: "/etc/pin\\file")

    @Test("gives back where the keys of a certificate authority are, and each issuer's own", arguments: LedgerKind.allCases)
    func keysInTokens(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var authority = try Fixture.authority("corp", owner: nil)
            authority.keyStore = .pkcs11(Self.location)
            let (inToken, sealed) = (Fixture.issuer(1, of: "corp"), Fixture.issuer(2, of: "corp"))
            let reference = TokenKeyReference(location: Self.location, id: inToken.id.text)
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertCertificateAuthority(authority, at: Fixture.now), .insertIssuer(inToken, key: .token(reference)),
                    .insertIssuer(sealed, key: Fixture.issuerKey(2)),
                ]))
            var state = try await ledger.load()
            #expect(state.authority.certificateAuthorities["corp"]?.authority == authority)
            #expect(state.issuerKeys == [inToken.id: .token(reference), sealed.id: Fixture.issuerKey(2)])
            authority.keyStore = .database
            _ = try await ledger.commit(
                Fixture.transaction([.replaceCertificateAuthority(authority, revision: 1, at: Fixture.now)]))
            state = try await ledger.load()
            #expect(state.authority.certificateAuthorities["corp"]?.authority.keyStore == .database)
        }
    }

    @Test("seals a row anew only over what was read", arguments: LedgerKind.allCases)
    func resealing(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let mesh = try MeshName("payments")
            let issuer = Fixture.issuer(1, of: "payments.ca-1")
            _ = try await ledger.commit(Fixture.creation("payments"))
            let signing = TokenSigningKey(
                id: "k1", mesh: mesh, publicKey: [1], sealedKey: Fixture.key(7), createdAt: Fixture.now, endsAt: nil)
            _ = try await ledger.commit(
                Fixture.transaction([.insertTokenSigningKey(signing), .insertServiceKey(name: "s", Fixture.key(8))]))
            let rows: [(row: SealedKeyRow, from: SealedKey, what: String)] = [
                (.issuer(issuer.id), Fixture.key(1), "the key of issuer '\(issuer.id)'"),
                (.tokenSigning(id: "k1"), Fixture.key(7), "the token signing key 'k1'"),
                (.service(name: "s"), Fixture.key(8), "the service key 's'"),
            ]
            for (row, from, what) in rows {
                var other = from
                other.ciphertext[0] ^= 1
                let stale = try Fixture.transaction([.resealKey(row, Fixture.key(99), from: other)])
                await #expect(throws: LedgerFailure.conflict(what: what)) { try await ledger.commit(stale) }
            }
            _ = try await ledger.commit(Fixture.transaction(rows.map { .resealKey($0.row, Fixture.key(99), from: $0.from) }))
            let state = try await ledger.load()
            #expect(state.issuerKeys == [issuer.id: Fixture.issuerKey(99)])
            #expect(state.tokenSigningKeys.map(\.sealedKey) == [Fixture.key(99)])
            #expect(state.serviceKeys == ["s": Fixture.key(99)])
        }
    }

    @Test("knows which keys the living replicas open with", arguments: LedgerKind.allCases)
    func announcedKeys(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            try await ledger.report(nil, of: "one")
            try await ledger.announce(keyEncryptionKeys: ["b", "a"], of: "one")
            try await ledger.announce(keyEncryptionKeys: [], of: "two")
            #expect(try await ledger.keyEncryptionKeys(within: .seconds(60)) == ["one": ["b", "a"], "two": []])
            // A report leaves it as it is; whoever goes is counted no more.
            try await ledger.report(ReplicaReport(replica: "one", revision: 1, rotations: [:]), of: "one")
            #expect(try await ledger.keyEncryptionKeys(within: .seconds(60))["one"] == ["b", "a"])
            try await ledger.withdrawReport(of: "one")
            #expect(try await ledger.keyEncryptionKeys(within: .seconds(60)) == ["two": []])
        }
    }
}
