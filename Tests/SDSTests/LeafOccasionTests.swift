import Authority
import AuthorityService
import PKI
import SDS
import Testing

/// What of a stream's leaves is asked for, and has a rate, and what is owed, and has none.
@Suite struct LeafOccasionTests {
    private static let forms: [SecretStream.Form] = [.stateOfTheWorld, .delta]
    private static let other = StreamBench.otherIssuer

    private func withLeaf(_ form: SecretStream.Form) -> StreamBench {
        var bench = StreamBench(form)
        _ = bench.opens(["default"])
        _ = bench.leafArrives()
        _ = bench.answers()
        return bench
    }

    @Test(arguments: forms)
    func `The first leaf is asked for, every renewal is owed`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        for _ in 0..<50 {
            #expect(bench.waits(.seconds(500)) == ["issue"])
            _ = bench.leafArrives()
            _ = bench.answers()
        }
        #expect(bench.occasions == [.asked] + Array(repeating: .owed, count: 50))
    }

    @Test(arguments: forms)
    func `The re-issue after an issuer went out is owed, also to who came with its leaf before`(form: SecretStream.Form) {
        var bench = withLeaf(form)
        _ = bench.waits(.seconds(2))
        _ = bench.changes { $0.outgoing[StreamBench.issuer] = $0.now + .seconds(5) }
        #expect(bench.waits(.seconds(5)) == ["issue"])
        #expect(bench.occasions == [.asked, .owed])

        var back = StreamBench(form)
        back.held["leaf0"] = back.leaf(0).held
        #expect(back.opens(["default"], holding: ["default": "leaf0"]) == [])
        #expect(back.changes { $0.outgoing[StreamBench.issuer] = $0.now } == ["issue"])
        #expect(back.occasions == [.owed])
    }

    @Test(arguments: forms)
    func `Who names a leaf that is past its time asks for the next, each time that it comes`(form: SecretStream.Form) {
        var bench = StreamBench(form)
        bench.held["leaf0"] = bench.leaf(0).held
        bench.now = bench.now + .seconds(600)
        #expect(bench.opens(["default"], holding: ["default": "leaf0"]) == ["issue"])
        #expect(bench.occasions == [.asked])
    }

    @Test(arguments: forms)
    func `Who names a leaf whose issuer went out asks for the next, each time that it comes`(form: SecretStream.Form) {
        var bench = StreamBench(form)
        bench.held["leaf0"] = bench.leaf(0).held
        bench.outgoing[StreamBench.issuer] = bench.now
        #expect(bench.opens(["default"], holding: ["default": "leaf0"]) == ["issue"])
        #expect(bench.occasions == [.asked])
    }

    @Test(arguments: forms)
    func `A leaf that could not be issued is asked for once`(form: SecretStream.Form) {
        var bench = StreamBench(form)
        _ = bench.opens(["default"])
        for _ in 0..<10 {
            _ = bench.leafFails()
            _ = bench.waits(.seconds(10))
        }
        _ = bench.leafArrives()
        #expect(bench.occasions == [.asked] + Array(repeating: .owed, count: 10))
    }

    @Test func `Who forgets its leaf and subscribes anew asks for each`() {
        var bench = withLeaf(.delta)
        for _ in 0..<5 {
            _ = bench.waits(.seconds(2))
            _ = bench.delta(["default"])
            _ = bench.leafArrives()
            _ = bench.answers()
        }
        #expect(bench.occasions == Array(repeating: .asked, count: 6))
    }
}
