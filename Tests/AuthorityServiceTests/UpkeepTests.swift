import PKI
import TestSupport
import Testing

@testable import AuthorityService

@Suite struct UpkeepTests {
    @Test func `room is made for the longest leaf of any mesh, and four weeks more`() async throws {
        let service = try await Service.started()
        let life = Duration.seconds(300 * 86_400)
        try await service.makeMesh("long", leafLifetime: life)
        try await service.authority.keepLedger()
        let weeks = service.ledger.disk.store.weeks
        #expect(weeks.min() == LedgerWeek(containing: service.clock.now))
        #expect(weeks.max() == LedgerWeek(containing: service.clock.now + life + LedgerWeek.length * 4))
        let leaf = try await service.authority.issueLeaf(for: service.caller(mesh: "long"), node: nil)
        #expect(weeks.contains(LedgerWeek(containing: leaf.notAfter)))
        let made = weeks.count
        try await service.authority.keepLedger()
        #expect(service.ledger.disk.store.weeks.count == made)
    }

    @Test func `what ended longer ago than the setting says is forgotten, and the audit trail says so`() async throws {
        var settings = AuthoritySettings()
        settings.ledgerRetention = .seconds(10 * 86_400)
        // The database's clock goes with the service's.
        let clock = TestClock()
        let service = try Service(ledger: MemoryLedger(now: { clock.now }), clock: clock, settings: settings)
        try await service.authority.start()
        try await service.authority.keepLedger()
        let leaf = try await service.authority.issueLeaf(for: service.caller(), node: nil)
        service.clock.advance(by: .seconds(9 * 86_400))
        try await service.authority.keepLedger()
        #expect(try await service.ledger.certificate(leaf.serial) != nil)
        service.clock.advance(by: .seconds(9 * 86_400))
        try await service.authority.keepLedger()
        #expect(try await service.ledger.certificate(leaf.serial) == nil)
        let trail = try await service.ledger.audit(AuditQuery()).items.filter { $0.action == "ledger-partition-dropped" }
        #expect(trail.map(\.object).contains("certificate_leaf_\(LedgerWeek(containing: leaf.notAfter).name)"))
        // The root of an issuer that signs is not a certificate like others.
        #expect(try await service.ledger.certificates(CertificateQuery(kind: .root)).items.isEmpty == false)
    }

    @Test func `a failure of the upkeep is told, and does no harm`() async throws {
        let service = try await Service.started()
        service.ledger.inject(.unavailable, into: .upkeep)
        await #expect(throws: LedgerFailure.self) { try await service.authority.keepLedger() }
        _ = try await service.authority.issueLeaf(for: service.caller(), node: nil)
        try await service.authority.keepLedger()
        #expect(service.ledger.disk.store.weeks.isEmpty == false)
    }

    @Test func `a question that takes long is asked again after a hundred times as long`() {
        var survey = LeafSurvey()
        let start = ContinuousClock.now
        #expect(survey.answer(at: start) == nil)
        survey.answered([:], from: start, to: start + .milliseconds(499))
        #expect(survey.answer(at: start + .milliseconds(500)) == nil)
        survey.answered([:], from: start, to: start + .seconds(2))
        #expect(survey.answer(at: start + .seconds(201)) == [:])
        #expect(survey.answer(at: start + .seconds(202)) == nil)
    }
}
