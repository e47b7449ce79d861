import Authority
import Foundation
import PKI
import PKICrypto
import TestSupport
import Testing

@testable import AuthorityService

/// What each act leaves in the audit trail, and who signs it.
@Suite("The audit trail", .timeLimit(.minutes(1)))
struct AuditTests {
    /// The members of what an act found and left, by kind and name.
    private struct Act {
        var before: [String: Any] = [:]
        var after: [String: Any] = [:]

        init(_ entry: AuditEntry?) throws {
            let entry = try #require(entry)
            before = try Self.members(entry.before)
            after = try Self.members(entry.after)
        }

        private static func members(_ text: String?) throws -> [String: Any] {
            guard let text else { return [:] }
            return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        func kinds(_ members: [String: Any]) -> Set<String> {
            Set(members.keys.map { String($0.prefix { $0 != " " }) })
        }
    }

    private static func last(_ action: String, in service: Service) -> AuditEntry? {
        service.ledger.disk.store.audit.last { $0.action == action }
    }

    private static func act(_ action: String, in service: Service) throws -> Act { try Act(last(action, in: service)) }

    private static func text(_ members: [String: Any], _ name: String, _ field: String) -> String? {
        (members[name] as? [String: Any])?[field] as? String
    }

    @Test func `a mesh is in the trail as it was and as it is, with all that was made and taken away with it`() async throws {
        let service = try await Service.started()
        let founded = try Self.act("service-founded", in: service)
        #expect(
            founded.before.isEmpty
                && founded.kinds(founded.after) == [
                    "certificate", "certificate-authority", "issuer", "issuer-key", "mesh", "mesh-issuer", "service-key",
                    "token-signing-key",
                ])
        try await service.makeMesh("payments")
        let created = try Self.act("mesh-created", in: service)
        #expect(created.before.isEmpty && created.after["mesh payments"] != nil)
        #expect(Self.text(created.after, "certificate-authority payments.ca-1", "keyAlgorithm") == "EC-P256")
        let root = try #require(service.authority.state.activeIssuer(of: MeshName("payments")))
        #expect(Self.text(created.after, "issuer \(root.id)", "certificateSHA256") == root.fingerprint.description)
        #expect(created.after["mesh-issuer payments \(root.id)"] as? String == "active")
        #expect(
            Self.text(created.after, "issuer-key \(root.id)", "keyEncryptionKey") == service.keyEncryptionKey.id)

        try await service.makeMesh("payments", leafLifetime: .seconds(3600))
        let replaced = try Self.act("mesh-replaced", in: service)
        #expect(Array(replaced.before.keys) == ["mesh payments"] && Array(replaced.after.keys) == ["mesh payments"])
        let text = try #require(Self.last("mesh-replaced", in: service))
        #expect(text.before?.contains("3600s") == false && text.after?.contains(#""leafLifetime":"3600s""#) == true)

        try await service.authority.delete(mesh: MeshName("payments"), ifMatch: nil, by: Service.administrator)
        let deleted = try Self.act("mesh-deleted", in: service)
        #expect(
            deleted.kinds(deleted.before) == ["certificate-authority", "issuer", "mesh", "mesh-issuer"]
                && deleted.kinds(deleted.after) == ["trust-domain"])
    }

    @Test func `doors, services, tokens and identities are in the trail as they were and as they are`() async throws {
        let service = try await Service.started()
        for mesh in ["orders", "payments"] { try await service.makeMesh(mesh) }
        func door(_ services: [String]?) throws -> CrossMeshAccess {
            CrossMeshAccess(
                name: "door", from: .init(mesh: try MeshName("orders"), services: services),
                to: .init(mesh: try MeshName("payments"), services: nil))
        }
        _ = try await service.authority.put(door(nil), ifMatch: nil, by: Service.administrator)
        _ = try await service.authority.put(door(["web"]), ifMatch: nil, by: Service.administrator)
        try await service.authority.delete(crossMeshAccess: "door", ifMatch: nil, by: Service.administrator)
        let wide = #"{"cross-mesh-access door":{"from":{"mesh":"orders"},"name":"door","to":{"mesh":"payments"}}}"#
        let narrow = wide.replacing(#"{"mesh":"orders"}"#, with: #"{"mesh":"orders","services":["web"]}"#)
        let doors = service.ledger.disk.store.audit.filter { $0.object == "door" }
        #expect(doors.map(\.before) == [nil, wide, narrow] && doors.map(\.after) == [wide, narrow, nil])

        func front(_ team: String) throws -> MeshService {
            MeshService(mesh: try MeshName("orders"), name: "front", selector: ["team": team], document: "{}")
        }
        _ = try await service.authority.put(front("a"), ifMatch: nil, by: Service.administrator)
        _ = try await service.authority.put(front("b"), ifMatch: nil, by: Service.administrator)
        try await service.authority.delete(
            meshService: "front", in: MeshName("orders"), ifMatch: nil, by: Service.administrator)
        let services = service.ledger.disk.store.audit.filter { $0.object == "front" }
        #expect(services.map { $0.before?.contains(#""team":"a""#) } == [nil, true, false])
        #expect(services.map { $0.after?.contains(#""team":"b""#) } == [false, true, nil])

        _ = try await service.token(mesh: "orders")
        let record = try #require(service.ledger.disk.store.tokens.last)
        try await service.authority.revokeToken(record.id, by: Service.administrator)
        let issued = try Self.act("dataplane-token-issued", in: service)
        #expect(Self.text(issued.after, "token \(record.id)", "identity") == "spiffe://orders/api" && issued.before.isEmpty)
        let revoked = try Self.act("token-revoked", in: service)
        #expect(Self.text(revoked.before, "token \(record.id)", "revokedAt") == nil && revoked.before.count == 1)
        #expect(Self.text(revoked.after, "token \(record.id)", "revokedAt") == service.clock.now.iso8601)
        let identity = try SPIFFEID("spiffe://orders/api")
        try await service.authority.revokeIdentity(identity, by: Service.administrator)
        #expect(try Self.act("identity-revoked", in: service).after.keys.contains("revoked-identity \(identity)"))
    }

    @Test func `a rotation and a revocation are in the trail as they were and as they are`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments")
        let mesh = try MeshName("payments")
        let old = try #require(service.authority.state.activeIssuer(of: mesh)).id
        let rotation = try await service.authority.rotate(
            RotationRequest(certificateAuthority: "payments.ca-1"), by: Service.administrator
        ).rotation
        let name = "rotation \(rotation.id)"
        let started = try Self.act("rotation-started", in: service)
        #expect(Self.text(started.after, name, "phase") == "distributing" && started.before[name] == nil)
        #expect(started.after["mesh-issuer payments \(rotation.to)"] as? String == "prepared")
        #expect(started.kinds(started.after).contains("issuer"))
        _ = try await service.authority.steer(rotation.id, .pause, reason: "night", by: Service.administrator)
        let paused = try Self.act("rotation-paused", in: service)
        #expect((paused.before[name] as? [String: Any])?["isPaused"] as? Bool == false)
        #expect((paused.after[name] as? [String: Any])?["isPaused"] as? Bool == true)
        _ = try await service.authority.revoke(
            issuer: old, of: "payments.ca-1", reason: "found", by: Service.administrator)
        let revoked = try Self.act("issuer-revoked", in: service)
        #expect(revoked.before["mesh-issuer payments \(old)"] as? String == "active")
        #expect(revoked.after["mesh-issuer payments \(old)"] as? String == "revoked")
        #expect(Self.text(revoked.after, "issuer \(old)", "revokedAt") == service.clock.now.iso8601)
    }

    @Test func `keys that are sealed anew are in the trail by the keys that they were and are sealed under`() async throws {
        let service = try await Service.started()
        let new = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        // It has not the new key, and would hold the exchange up as long as it lives.
        try await service.ledger.withdrawReport(of: service.authority.instance)
        _ = try await KeyRewrap(
            ledger: service.ledger, ring: KeyRing(new, others: [service.keyEncryptionKey]), actor: "local:test",
            now: MemoryLedger.systemTime
        ).run { _, _ in }
        let act = try Self.act("keys-rewrapped", in: service)
        #expect(act.kinds(act.before) == ["issuer-key", "service-key", "token-signing-key"])
        #expect(act.before.keys.allSatisfy { Self.text(act.before, $0, "keyEncryptionKey") == service.keyEncryptionKey.id })
        #expect(Set(act.before.keys) == Set(act.after.keys))
        #expect(act.after.keys.allSatisfy { Self.text(act.after, $0, "keyEncryptionKey") == new.id })
    }

    @Test func `a document of nearly a megabyte is in the trail by its size and its digest, and what changed shows`() async throws
    {
        let service = try await Service.started()
        let large = "{\"text\":\"" + String(repeating: "x", count: 900_000) + "\"}"
        var mesh = try Service.mesh("payments")
        mesh.otherFields = large
        _ = try await service.authority.put(mesh, ifMatch: nil, by: Service.administrator)
        mesh.isolated.toggle()
        _ = try await service.authority.put(mesh, ifMatch: nil, by: Service.administrator)
        mesh.otherFields = large + " "
        _ = try await service.authority.put(mesh, ifMatch: nil, by: Service.administrator)
        let acts = service.ledger.disk.store.audit.filter { $0.action == "mesh-replaced" }
        #expect(acts.count == 2)
        for entry in acts {
            #expect((entry.before?.utf8.count ?? 0) + (entry.after?.utf8.count ?? 0) < 2 * AuditValue.mostOctets)
            let act = try Act(entry)
            let before = try #require(act.before["mesh payments"] as? [String: Any])
            let after = try #require(act.after["mesh payments"] as? [String: Any])
            let digest = try #require(before["otherFields"] as? [String: String])
            #expect(digest == ["octets": "\(large.utf8.count)", "sha256": Hex.encode(Digest.sha256(Array(large.utf8)))])
            // Whatever is small stays whole, and one look tells what changed.
            #expect(NSDictionary(dictionary: before["mtls"] as? [String: Any] ?? [:]) == after["mtls"] as? NSDictionary)
            let changed = Set(before.keys.filter { (before[$0] as? NSObject) != (after[$0] as? NSObject) })
            #expect(changed == [entry == acts[0] ? "isolated" : "otherFields"])
        }
        // What is stored is what is chained, signed and verified.
        try await service.authority.sealAudit()
        var verification = try AuditVerification(head: try await service.authority.auditHead())
        for row in try await service.authority.auditChain(after: 0, size: 1000) { try verification.follow(row) }
        #expect(try verification.finish().seq == Int64(service.ledger.disk.store.audit.count))
    }

    @Test func `whatever is large is abridged to its bound, and what is within it stays as it is`() throws {
        let most = AuditValue.mostOctets
        func text(_ octets: Int) -> AuditValue { .text(String(repeating: "x", count: octets - 2)) }
        #expect(text(most).abridged(to: most) == text(most))
        #expect(text(most + 1).abridged(to: most) != text(most + 1))
        let many = AuditValue.texts((0..<5000).map { "service-\($0)" })
        let values: [AuditValue] = [
            text(most + 1), text(1 << 20), many, .members(["name": .text("a"), "services": many, "mesh": .text("m")]),
            .object(Dictionary(uniqueKeysWithValues: (0..<5000).map { ("key \($0)", .text("\($0)")) })),
            .list([.members(["document": text(900_000)]), .members(["document": text(5000)])]),
        ]
        for value in values {
            let short = value.abridged(to: most)
            #expect(short.json.utf8.count <= most && short != value && short.json.contains("sha256"))
            #expect(short == value.abridged(to: most))
        }
        guard case .object(let members) = values[3].abridged(to: most) else {
            Issue.record("no object")
            return
        }
        #expect(
            members["name"] == .text("a") && members["mesh"] == .text("m") && members["services"]?.json.contains("sha256") == true
        )
        // A thousand services of seven kilobytes each are no row of seven megabytes.
        let services = Dictionary(
            uniqueKeysWithValues: (0..<1000).map {
                ("mesh-service m s\($0)", AuditValue.members(["name": .text("s"), "document": text(7000)]))
            })
        let all = AuditValue.abridged(services).json
        #expect(all.utf8.count < 300_000 && all.contains(#""mesh-service m s999""#) && all.contains(#""name":"s""#))
        let few = services.filter { $0.key.hasSuffix("99") }.prefix(5)
        let whole = AuditValue.object(Dictionary(uniqueKeysWithValues: few.map { ($0.key, $0.value) }))
        #expect(AuditValue.abridged(Dictionary(uniqueKeysWithValues: few.map { ($0.key, $0.value) })) == whole)
    }

    /// A property that somebody adds to a document has to be shown, or the test says so.
    @Test func `every property of what can be changed has a member`() throws {
        func labels(_ value: Any) -> Set<String> { Set(Mirror(reflecting: value).children.compactMap(\.label)) }
        func keys(_ value: AuditValue) -> Set<String> {
            if case .object(let members) = value { Set(members.keys) } else { [] }
        }
        let state = try Self.everything()
        let mesh = try #require(state.mesh)
        #expect(labels(mesh) == keys(AuditValue(mesh)))
        let authority = state.authority
        #expect(labels(authority) == keys(AuditValue(authority)))
        #expect(labels(state.rotation) == keys(AuditValue(state.rotation)))
        #expect(labels(state.access) == keys(AuditValue(state.access)))
        #expect(labels(state.service) == keys(AuditValue(state.service)))
        // A token's digest opens nothing, and tells nothing either.
        #expect(labels(state.token).subtracting(["digest"]) == keys(AuditValue(state.token)))
    }

    private static func everything() throws -> (
        mesh: Mesh?, authority: CertificateAuthority, rotation: Rotation, access: CrossMeshAccess, service: MeshService,
        token: TokenRecord
    ) {
        let name = try MeshName("m")
        var mesh = try Service.mesh("m")
        mesh.otherFields = "{}"
        let issuer = IssuerID(random: [UInt8](repeating: 1, count: 8))
        let now = Timestamp(seconds: 1)
        var rotation = Rotation(
            id: "r", kind: .replace, meshes: [name], certificateAuthority: "a", previousAuthority: "a", from: issuer, to: issuer,
            retireAfter: .expired, crossCertificate: CrossCertificate(certificate: [0], notBefore: now, notAfter: now),
            startedAt: now)
        rotation.endedAt = now
        return (
            mesh, CertificateAuthority(name: "m.a", keyAlgorithm: .ecP256, expiration: .seconds(1), owner: name), rotation,
            CrossMeshAccess(name: "d", from: .init(mesh: name, services: nil), to: .init(mesh: name, services: nil)),
            MeshService(mesh: name, name: "s", selector: [:], document: "{}"),
            TokenRecord(
                id: "t", kind: .user, mesh: name, name: "n", tags: [:], roles: [], identity: try SPIFFEID("spiffe://m/x"),
                digest: Fingerprint(sha256: [UInt8](repeating: 0, count: 32)), issuedAt: now, expiresAt: now, revokedAt: now,
                meshes: [name])
        )
    }

    @Test func `no token and no key is in the trail, in no encoding`() async throws {
        let service = try await Service.started()
        let token = try await service.token()
        let admin = try await service.authority.issueUserToken(
            UserTokenRequest(name: "bob", roles: [.viewer], validFor: nil), by: Service.administrator)
        _ = try? await service.authority.authenticate(Service.credentials(token: token + "x"))
        _ = try? await service.authority.administrator(token: admin + "x", source: "test:1", requestID: "r")
        try await service.authority.auditQueue.flush(to: service.ledger, after: nil)
        let store = service.ledger.disk.store
        let trail = store.auditRows.map { "\($0)" }.joined(separator: "\n")
        #expect(trail.contains("credential-refused") && trail.contains("user-token-issued"))
        for text in [token, admin] {
            for part in text.split(separator: ".") where part.count > 20 { #expect(!trail.contains(part)) }
        }
        let secrets =
            store.state.issuerKeys.values.compactMap { key in
                if case .sealed(let sealed) = key { sealed } else { nil }
            } + Array(store.state.serviceKeys.values) + store.state.tokenSigningKeys.map(\.sealedKey)
        #expect(secrets.count > 3)
        for sealed in secrets {
            for bytes in [sealed.ciphertext, sealed.wrappedDataKey] {
                #expect(!trail.contains(Hex.encode(bytes)) && !trail.contains(Data(bytes).base64EncodedString()))
            }
        }
    }

    // MARK: - The signed head

    @Test func `a replica signs what was appended, another one goes on from there, and the whole verifies`() async throws {
        let service = try await Service.started()
        try await service.authority.sealAudit()
        let first = try #require(service.ledger.disk.store.auditSeal)
        #expect(first.seq == Int64(service.ledger.disk.store.audit.count))
        let other = try Service(
            ledger: MemoryLedger(disk: service.ledger.disk), clock: service.clock, keyEncryptionKey: service.keyEncryptionKey)
        try await other.authority.start()
        try await other.makeMesh("payments")
        try await other.authority.sealAudit()
        try await service.authority.sealAudit()
        let last = try #require(service.ledger.disk.store.auditSeal)
        #expect(last.seq > first.seq && last.publicKey == first.publicKey)
        let head = try await service.authority.auditHead()
        var verification = try AuditVerification(head: head)
        for row in try await service.authority.auditChain(after: 0, size: 1000) { try verification.follow(row) }
        #expect(try verification.finish() == .init(count: last.seq, seq: last.seq, sealedSeq: last.seq))
    }

    @Test func `a kept head at the beginning of a part is held against it, and one before it is said to be`() async throws {
        let service = try await Service.started()
        try await service.authority.sealAudit()
        let kept = try await service.authority.auditHead()
        try await service.makeMesh("payments")
        try await service.authority.sealAudit()
        let head = try await service.authority.auditHead()
        let rows = try await service.authority.auditChain(after: 0, size: 1000)
        func outcome(after start: (seq: Int64, hash: [UInt8])) throws -> AuditVerification.Outcome {
            var verification = try AuditVerification(head: head, kept: kept, start: start)
            for row in rows where row.seq > start.seq { try verification.follow(row) }
            return try verification.finish()
        }
        let keptSeal = try #require(kept.seal)
        #expect(keptSeal.seq < head.seq)
        #expect(try outcome(after: (keptSeal.seq, keptSeal.hash)).seq == head.seq)
        #expect(throws: AuditFault.sealDiffers(seq: keptSeal.seq)) { try outcome(after: (keptSeal.seq, head.hash)) }
        #expect(throws: AuditFault.keptBeforeStart(kept: keptSeal.seq, start: head.seq)) {
            try outcome(after: (head.seq, head.hash))
        }
    }

    @Test func `the service signs by itself`() async throws {
        let service = try await Service.started()
        let running = Task { try await service.authority.run() }
        defer { running.cancel() }
        let deadline = ContinuousClock.now + Cluster.patience
        while service.ledger.disk.store.auditSeal == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(service.ledger.disk.store.auditSeal?.seq == Int64(service.ledger.disk.store.audit.count))
    }

    @Test func `what was changed since it was known here is not signed, by this replica and by a new one`() async throws {
        let service = try await Service.started()
        try await service.authority.sealAudit()
        let signed = service.ledger.disk.store.auditSeal
        try await service.makeMesh("payments")
        var store = service.ledger.disk.store
        store.audit[store.audit.count - 1].actor = "user:mallory"
        service.ledger.disk.restore(store)
        try await service.authority.sealAudit()
        #expect(service.ledger.disk.store.auditSeal == signed)
        let other = try Service(
            ledger: MemoryLedger(disk: service.ledger.disk), clock: service.clock, keyEncryptionKey: service.keyEncryptionKey)
        try await other.authority.start()
        try await other.authority.sealAudit()
        #expect(service.ledger.disk.store.auditSeal == signed)
    }

    @Test func `a past that was written anew is not signed by whoever knew it`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments")
        try await service.authority.sealAudit()
        let signed = try #require(service.ledger.disk.store.auditSeal)
        var store = service.ledger.disk.store
        var entries = store.audit
        entries[0].actor = "user:mallory"
        (store.audit, store.auditHashes, store.auditSeal) = ([], [], nil)
        store.append(entries)
        service.ledger.disk.restore(store)
        try await service.authority.sealAudit()
        try await service.makeMesh("orders")
        try await service.authority.sealAudit()
        #expect(service.ledger.disk.store.auditSeal == nil)
        // Nor does anybody take the old signature for one of it.
        store = service.ledger.disk.store
        store.auditSeal = signed
        var verification = try AuditVerification(head: store.auditHead)
        #expect(throws: AuditFault.sealDiffers(seq: signed.seq)) {
            for row in store.auditRows { try verification.follow(row) }
        }
    }

    @Test func `a ledger from before there was a key gets one, of two replicas at once`() async throws {
        let service = try await Service.started()
        var store = service.ledger.disk.store
        store.state.serviceKeys[ServiceKeys.auditHead] = nil
        service.ledger.disk.restore(store)
        let replicas = try (0..<2).map { _ in
            try Service(
                ledger: MemoryLedger(disk: service.ledger.disk), clock: service.clock, keyEncryptionKey: service.keyEncryptionKey)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for replica in replicas { group.addTask { try await replica.authority.start() } }
            try await group.waitForAll()
        }
        #expect(service.ledger.disk.store.audit.filter { $0.action == "audit-key-made" }.count == 1)
        for replica in replicas { try await replica.authority.sealAudit() }
        #expect(service.ledger.disk.store.auditSeal?.seq == Int64(service.ledger.disk.store.audit.count))
    }
}
