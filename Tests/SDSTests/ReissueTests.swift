import Authority
import AuthorityService
import PKI
import SDS
import Testing

/// Leaves whose issuer went out: each is replaced at its turn, in both forms, and nothing is taken away before.
@Suite struct ReissueTests {
    private static let forms = [SecretStream.Form.delta, .stateOfTheWorld]
    private let other = StreamBench.otherIssuer

    /// A stream with an acknowledged `leaf1`, and past the spacing of leaves.
    private func withLeaf(_ form: SecretStream.Form) -> StreamBench {
        var bench = StreamBench(form)
        _ = bench.opens(["default"])
        _ = bench.leafArrives()
        _ = bench.answers()
        _ = bench.waits(.seconds(2))
        return bench
    }

    /// The first issuer goes out; the turn of its leaves comes after `wait`.
    private func goesOut(_ bench: inout StreamBench, turnIn wait: Duration) -> [String] {
        bench.changes { $0.outgoing[StreamBench.issuer] = $0.now + wait }
    }

    @Test(arguments: forms)
    func `A leaf of an outgoing issuer is replaced at its turn, once`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        #expect(goesOut(&bench, turnIn: .seconds(30)) == [])
        #expect(bench.stream.nextWake(after: bench.now) == bench.now + .seconds(30))
        #expect(bench.waits(.milliseconds(29_999)) == [])
        #expect(bench.waits(.milliseconds(1)) == ["issue"])
        #expect(bench.statuses["default"]?.leaf?.issuer == StreamBench.issuer)
        let sent = bench.now
        #expect(bench.leafArrives(issuer: other) == ["send t-2 default@leaf2"])
        #expect(bench.statuses["default"]?.ackedVersion == "leaf1")
        #expect(bench.answers() == [])
        #expect(bench.statuses["default"]?.ackedVersion == "leaf2")
        #expect(bench.statuses["default"]?.leaf?.issuer == other)
        #expect(bench.waits(.seconds(5)) == [])
        #expect(bench.stream.nextWake(after: bench.now) == sent + .seconds(500))
        #expect(bench.waits(.seconds(494)) == [])
    }

    @Test(arguments: forms)
    func `A turn that is past is now`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        #expect(goesOut(&bench, turnIn: .seconds(-1)) == ["issue"])
        #expect(bench.leafArrives(issuer: other) == ["send t-2 default@leaf2"])
    }

    @Test(arguments: forms)
    func `A rejected replacement keeps the old leaf, and is not pushed in a loop`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        let old = bench.statuses["default"]?.leaf
        _ = goesOut(&bench, turnIn: .seconds(0))
        _ = bench.leafArrives(issuer: other)
        #expect(bench.answers(rejection: "no such root") == ["note rejected default: no such root"])
        let status = bench.statuses["default"]
        #expect(status?.leaf == old)
        #expect(status?.ackedVersion == "leaf1")
        #expect(status?.nack?.version == "leaf2")
        #expect(bench.changes { _ in } == [])
        #expect(bench.waits(.seconds(499)) == [])
        #expect(bench.waits(.seconds(1)) == ["issue"])
        #expect(bench.leafArrives(issuer: other) == ["send t-3 default@leaf3"])
        _ = bench.answers()
        #expect(bench.statuses["default"]?.nack == nil)
        #expect(bench.statuses["default"]?.ackedVersion == "leaf3")
    }

    @Test(arguments: forms)
    func `After a rejection, an abort that sends the new issuer out brings a leaf of the old one`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        _ = goesOut(&bench, turnIn: .seconds(0))
        _ = bench.leafArrives(issuer: other)
        _ = bench.answers(rejection: "no such root")
        _ = bench.waits(.seconds(2))
        #expect(bench.changes { $0.outgoing = [StreamBench.otherIssuer: $0.now] } == ["issue"])
        #expect(bench.leafArrives() == ["send t-3 default@leaf3"])
    }

    @Test(arguments: forms)
    func `A leaf in flight whose issuer goes out is answered first, and then replaced`(form: SecretStream.Form) {
        var bench = StreamBench(form)
        _ = bench.opens(["default"])
        _ = bench.leafArrives()
        _ = bench.written()
        _ = bench.waits(.seconds(2))
        #expect(goesOut(&bench, turnIn: .seconds(1)) == [])
        #expect(bench.waits(.seconds(10)) == [])
        let answer = form == .delta ? bench.delta(nonce: "t-1") : bench.ask(["default"], nonce: "t-1")
        #expect(answer == ["issue"])
        #expect(bench.statuses["default"]?.ackedVersion == "leaf1")
        #expect(bench.leafArrives(issuer: other) == ["send t-2 default@leaf2"])
    }

    @Test(arguments: forms)
    func `A leaf that was made while its issuer went out is never delivered`(form: SecretStream.Form) {
        var bench = StreamBench(form)
        _ = bench.opens(["default"])
        _ = goesOut(&bench, turnIn: .seconds(60))
        #expect(bench.leafArrives() == [])
        #expect(bench.sent.isEmpty)
        #expect(bench.stream.nextWake(after: bench.now) == bench.now + .seconds(1))
        #expect(bench.waits(.seconds(1)) == ["issue"])
        #expect(bench.leafArrives(issuer: other) == ["send t-1 default@leaf2"])
    }

    @Test(arguments: forms)
    func `A version that a reconnecting proxy names is taken as held, and replaced at its turn`(form: SecretStream.Form) {
        var bench = StreamBench(form)
        let leaf = bench.leaf(0).held
        bench.held["leaf0"] = leaf
        bench.outgoing[StreamBench.issuer] = bench.now + .seconds(20)
        #expect(bench.opens(["default"], holding: ["default": "leaf0"]) == [])
        #expect(bench.statuses["default"]?.ackedVersion == "leaf0")
        #expect(bench.statuses["default"]?.leaf == leaf)
        #expect(bench.stream.nextWake(after: bench.now) == bench.now + .seconds(20))
        #expect(bench.waits(.seconds(20)) == ["issue"])
        #expect(bench.leafArrives(issuer: other) == ["send t-1 default@leaf1"])
    }

    @Test(arguments: forms)
    func `A proxy that connects anew never waits for a turn`(form: SecretStream.Form) {
        var bench = StreamBench(form)
        bench.outgoing[StreamBench.issuer] = bench.now + .seconds(20)
        #expect(bench.opens(["default"]) == ["issue"])
        #expect(bench.leafArrives(issuer: other) == ["send t-1 default@leaf1"])
    }

    @Test(arguments: forms)
    func `An issuer that is active again before the turn costs nothing`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        _ = goesOut(&bench, turnIn: .seconds(30))
        #expect(bench.changes { $0.outgoing = [:] } == [])
        #expect(bench.waits(.seconds(100)) == [])
        #expect(bench.stream.nextWake(after: bench.now) == bench.now + .seconds(398))
    }

    @Test(arguments: forms)
    func `A renewal that is due before the turn does not wait for it`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        _ = goesOut(&bench, turnIn: .seconds(2000))
        #expect(bench.stream.nextWake(after: bench.now) == bench.now + .seconds(498))
        #expect(bench.waits(.seconds(498)) == ["issue"])
    }

    @Test(arguments: forms)
    func `A replacement that fails is tried again, and the old leaf stays`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        #expect(goesOut(&bench, turnIn: .seconds(0)) == ["issue"])
        #expect(bench.leafFails() == [])
        #expect(bench.statuses["default"]?.ackedVersion == "leaf1")
        #expect(bench.waits(.milliseconds(250)) == ["issue"])
        #expect(bench.leafArrives(issuer: other) == ["send t-2 default@leaf2"])
    }

    @Test(arguments: forms)
    func `A bundle that changes with the issuer does not wait for the turn`(form: SecretStream.Form) {
        var bench = StreamBench(form)
        _ = bench.opens(["ROOTCA", "default"])
        _ = bench.leafArrives()
        while bench.sent.count < (form == .delta ? 2 : 1) { _ = bench.written() }
        for response in bench.sent {
            _ =
                form == .delta
                ? bench.delta(nonce: response.nonce) : bench.ask(["ROOTCA", "default"], nonce: response.nonce)
        }
        _ = bench.written()
        _ = bench.waits(.seconds(2))
        let lines = bench.changes {
            $0.outgoing[StreamBench.issuer] = $0.now + .seconds(30)
            $0.trusts[.meshTrust] = .success("roots2")
        }
        #expect(lines.count == 1 && lines[0].hasSuffix("ROOTCA@roots2"))
    }

    @Test func `Aliases are replaced by one leaf`() {
        var bench = StreamBench(.stateOfTheWorld)
        let names = ["default", "spiffe://payments/api"]
        _ = bench.opens(names)
        _ = bench.leafArrives()
        _ = bench.answers()
        _ = bench.waits(.seconds(2))
        #expect(goesOut(&bench, turnIn: .seconds(0)) == ["issue"])
        #expect(bench.leafArrives(issuer: other) == ["send t-2 default@leaf2 spiffe://payments/api@leaf2"])
    }

    @Test func `An alias that had not been sent the leaf when its issuer went out is sent the next one`() {
        var bench = StreamBench(.delta)
        _ = bench.opens(["default", "spiffe://payments/api"])
        #expect(bench.leafArrives() == ["send t-1 default@leaf1"])
        #expect(goesOut(&bench, turnIn: .seconds(60)) == [])
        #expect(bench.answers() == [])
        #expect(bench.waits(.seconds(1)) == ["issue"])
        // Whoever shares the name's identity moves along, for there is one leaf a stream.
        #expect(bench.leafArrives(issuer: other) == ["send t-2 default@leaf2"])
        #expect(bench.answers() == ["send t-3 spiffe://payments/api@leaf2"])
        #expect(bench.answers() == [])
        #expect(bench.waits(.seconds(120)) == [])
    }

    @Test func `What a name means is part of its status`() {
        var bench = StreamBench(.delta)
        _ = bench.opens(["ALL", "default", "mesh_ca:secret:payments:service:web", "nonsense", "spiffe://payments/web"])
        #expect(bench.statuses["ALL"]?.meaning == .allTrust)
        #expect(bench.statuses["default"]?.meaning == .identity)
        let service = bench.statuses["mesh_ca:secret:payments:service:web"]
        #expect(service?.meaning == .service(mesh: StreamBench.mesh, name: "web") && service?.refusal != nil)
        #expect(bench.statuses["nonsense"]?.meaning == nil)
        #expect(bench.statuses["spiffe://payments/web"]?.meaning == nil)
        #expect(bench.statuses.count == 5)
    }
}
