import Authority
import PKI
import Testing

@testable import AuthorityService

@Suite struct RecentCertificatesTests {
    private static func record(_ number: UInt8) throws -> CertificateRecord {
        CertificateRecord(
            serial: SerialNumber(bytes: [1, number]), kind: .leaf, mesh: try MeshName("a"), certificateAuthority: "a.ca-1",
            issuer: IssuerID(random: [UInt8](repeating: 1, count: 8)), signedBy: SerialNumber(bytes: [1]),
            identity: try SPIFFEID("spiffe://a/api"), notBefore: Timestamp(seconds: 1), notAfter: Timestamp(seconds: 2),
            digest: Fingerprint(sha256: [UInt8](repeating: number, count: 32)), issuedAt: Timestamp(seconds: 1), origin: nil)
    }

    private static func records(_ numbers: ClosedRange<UInt8>) throws -> [CertificateRecord] {
        try numbers.map { try record($0) }
    }

    @Test func `what is older than asked for goes, and the rest stays in order`() throws {
        let recent = RecentCertificates()
        for number in 1...9 { recent.add([try Self.record(UInt8(number))], in: "x", at: .seconds(number)) }
        recent.forget(before: .seconds(4))
        #expect(try recent.all(in: "x") == Self.records(4...9))
        // Written again, they are as new as that.
        recent.renew(at: .seconds(60))
        recent.forget(before: .seconds(60))
        #expect(try recent.all(in: "x") == Self.records(4...9))
        recent.forget(before: .seconds(61))
        #expect(recent.all(in: "x").isEmpty)
    }

    @Test func `the oldest go where there are too many, and the newest batch stays however large`() throws {
        let recent = RecentCertificates(most: 3)
        recent.add(try Self.records(1...2), in: "x", at: .zero)
        recent.add(try Self.records(3...4), in: "x", at: .zero)
        #expect(try recent.all(in: "x") == Self.records(3...4))
        recent.add(try Self.records(5...9), in: "x", at: .zero)
        #expect(try recent.all(in: "x") == Self.records(5...9))
        let steady = RecentCertificates(most: 5)
        let record = try Self.record(7)
        for _ in 0..<10_000 { steady.add([record], in: "x", at: .zero) }
        #expect(steady.all(in: "x").count == 5)
    }

    @Test func `what was put into one ledger is for no other`() throws {
        let recent = RecentCertificates()
        recent.add(try Self.records(1...2), in: "x", at: .zero)
        #expect(recent.all(in: "y").isEmpty)
        recent.add(try Self.records(3...3), in: "y", at: .zero)
        #expect(try recent.all(in: "x").isEmpty && recent.all(in: "y") == Self.records(3...3))
    }
}
