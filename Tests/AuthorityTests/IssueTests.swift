import Authority
import PKI
import Testing

@Suite struct IssueTests {
    let now = Fixture.now

    @Test func `a leaf lives as long as the mesh says, in whole seconds, and begins before its issue`() throws {
        var fixture = try Fixture()
        try fixture.add(mesh: "payments") { $0.mtls?.backends[0].leafLifetime = .seconds(20) }
        let grant = try fixture.state.grantLeaf(
            to: Fixture.caller(), issuingNotAfter: now + .seconds(3600), backdate: .seconds(10), at: now + .milliseconds(900))
        #expect(grant.notBefore == now - .seconds(10) || grant.notBefore == now - .seconds(9))
        #expect(grant.notAfter == now + .seconds(20))
        #expect(grant.notAfter.milliseconds % 1000 == 0)
    }

    @Test func `a leaf never outlives its issuing certificate`() throws {
        let state = try Fixture("payments").state
        let grant = try state.grantLeaf(
            to: Fixture.caller(), issuingNotAfter: now + .seconds(60), backdate: .seconds(10), at: now)
        #expect(grant.notAfter == now + .seconds(60))
    }

    @Test func `a mesh without mTLS grants nothing`() throws {
        var fixture = try Fixture()
        try fixture.add(mesh: "payments") { $0.mtls?.enabledBackend = nil }
        #expect(throws: Refusal.meshWithoutMTLS(try MeshName("payments"))) {
            try fixture.state.grantLeaf(
                to: Fixture.caller(), issuingNotAfter: now + .seconds(60), backdate: .zero, at: now)
        }
    }

    @Test func `the issuer refuses an identity of another trust domain, whatever the policy granted`() throws {
        let state = try Fixture("payments", "orders").state
        var caller = try Fixture.caller()
        caller.identity = try SPIFFEID("spiffe://orders/api")
        #expect(throws: Refusal.identityNotGranted(caller.identity)) {
            try state.grantLeaf(to: caller, issuingNotAfter: now + .seconds(60), backdate: .zero, at: now)
        }
    }

    @Test func `a held leaf is right while its issuer signs or its re-issue is pending, and more than half of its life is left`()
        throws
    {
        var fixture = try Fixture("payments")
        let caller = try Fixture.caller()
        let issuer = try #require(fixture.state.activeIssuer(of: caller.mesh)?.id)
        let end = now + .seconds(100)
        func isRight(at time: Timestamp) -> Bool {
            fixture.state.isRightful(issuer: issuer, notBefore: now, notAfter: end, for: caller, at: time)
        }
        #expect(isRight(at: now))
        #expect(isRight(at: now + .milliseconds(49_999)))
        #expect(!isRight(at: now + .seconds(50)))
        for (state, isRightful) in [
            (IssuerState.outgoing, true), (.active, true), (.prepared, false), (.retired, false), (.revoked, false),
        ] {
            fixture.state.meshIssuers[caller.mesh] = [issuer: state]
            #expect(isRight(at: now) == isRightful, "\(state)")
        }
        fixture.state.meshIssuers[caller.mesh] = nil
        #expect(!isRight(at: now))
    }

    @Test func `renewal falls between half and four fifths of a life, spread evenly by the serial`() {
        let end = now + .seconds(86_400)
        var fractions: [Double] = []
        for number in stride(from: 0, through: 65_535, by: 257) {
            let serial = SerialNumber(bytes: [1, UInt8(number >> 8), UInt8(number & 255)])
            let time = LeafRenewal.time(serial: serial, notBefore: now, notAfter: end)
            fractions.append(Double((time - now).wholeMilliseconds) / 86_400_000)
        }
        #expect(fractions.allSatisfy { (0.5...0.8).contains($0) })
        let mean = fractions.reduce(0, +) / Double(fractions.count)
        #expect(abs(mean - 0.65) < 0.01)
    }

    @Test func `the turns of a re-issue spread evenly over its time, and have nothing to do with the renewals'`() {
        let spread = Duration.seconds(100)
        var fractions: [Double] = []
        for number in stride(from: 0, through: 65_535, by: 257) {
            let serial = SerialNumber(bytes: [1, UInt8(number >> 8), UInt8(number & 255), 7, 7])
            fractions.append(
                Double((LeafRenewal.reissue(serial: serial, from: now, spread: spread) - now).wholeMilliseconds) / 100_000)
        }
        #expect(fractions.allSatisfy { (0..<1).contains($0) })
        #expect(abs(fractions.reduce(0, +) / Double(fractions.count) - 0.5) < 0.01)
        #expect(LeafRenewal.reissue(serial: SerialNumber(bytes: [1, 2, 3, 4, 5]), from: now, spread: .zero) == now)
        let same = [[UInt8]]([[1, 9, 9, 0, 0], [1, 9, 9, 255, 255]]).map {
            LeafRenewal.reissue(serial: SerialNumber(bytes: $0), from: now, spread: spread)
        }
        #expect(same[0] == same[1])
    }

    @Test func `an issuing certificate is due at half of its life`() {
        let end = now + .seconds(7 * 86_400)
        let root = now + .seconds(3650 * 86_400)
        func isDue(at time: Timestamp, leaf: Duration = .seconds(86_400)) -> Bool {
            IssuingCertificateTerms.isDue(
                notBefore: now, notAfter: end, leafLifetime: leaf, rootNotAfter: root, at: time)
        }
        #expect(!isDue(at: now))
        #expect(!isDue(at: now + .seconds(3 * 86_400)))
        #expect(isDue(at: now + .seconds(7 * 43_200)))
        #expect(isDue(at: now, leaf: .seconds(8 * 86_400)))
    }

    @Test func `an issuing certificate that ends with its root is not renewed over and over`() {
        let root = now + .seconds(100)
        #expect(
            !IssuingCertificateTerms.isDue(
                notBefore: now, notAfter: root, leafLifetime: .seconds(86_400), rootNotAfter: root, at: now + .seconds(99)))
        #expect(
            IssuingCertificateTerms.notAfter(lifetime: .seconds(7 * 86_400), rootNotAfter: root, at: now) == root)
    }
}
