import Authority
import AuthorityService
import PKI
import SDS
import Testing

/// The identity on a stream: one leaf for all its names, renewed in time, its key gone when it is no longer needed.
@Suite struct LeafTests {
    private func withLeaf(_ names: [String] = ["default"]) -> StreamBench {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask(names)
        _ = bench.leafArrives()
        _ = bench.written()
        _ = bench.ask(names, nonce: "t-1")
        return bench
    }

    @Test func `Aliases share one leaf, each under the name that was asked`() {
        var bench = StreamBench(.stateOfTheWorld)
        let names = ["default", "identity_cert:secret:payments", "spiffe://payments/api"]
        #expect(bench.ask(names) == ["issue"])
        #expect(bench.leafArrives() == ["send t-1 " + names.map { "\($0)@leaf1" }.joined(separator: " ")])
    }

    @Test func `An alias that comes later moves all of them to one new leaf`() {
        var bench = withLeaf()
        bench.now = bench.now + .seconds(2)
        #expect(bench.ask(["default", "spiffe://payments/api"], nonce: "t-1") == ["issue"])
        #expect(bench.leafArrives() == ["send t-2 default@leaf2 spiffe://payments/api@leaf2"])
    }

    @Test func `Another's identity is forbidden`() {
        var bench = StreamBench(.stateOfTheWorld)
        #expect(
            bench.ask(["spiffe://payments/web"]) == ["note refused spiffe://payments/web: secret-forbidden"])
    }

    @Test func `A leaf is renewed when it is due, and the old one is named until then`() {
        var bench = withLeaf()
        let due = bench.stream.nextWake(after: bench.now + .seconds(2))
        #expect(due == bench.now + .seconds(500))
        #expect(bench.waits(.seconds(499)) == [])
        #expect(bench.waits(.seconds(1)) == ["issue"])
        #expect(bench.leafArrives() == ["send t-2 default@leaf2"])
        #expect(bench.statuses["default"]?.leaf == bench.leaf(2).held)
        #expect(bench.statuses["default"]?.ackedVersion == "leaf1")
    }

    @Test func `A leaf named after a reconnect is renewed at its own time`() {
        var bench = StreamBench(.delta)
        bench.held["leaf0"] = bench.leaf(0).held
        _ = bench.delta(["default"], holding: ["default": "leaf0"])
        #expect(bench.waits(.seconds(500)) == ["issue"])
    }

    @Test func `Failures are tried again after waits that double up to the ceiling, and the bundle does not wait`() {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask(["default", "ROOTCA"])
        #expect(bench.leafFails() == ["send t-1 ROOTCA@roots1"])
        _ = bench.written()
        _ = bench.ask(["default", "ROOTCA"], nonce: "t-1")
        for wait in [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000] {
            #expect(bench.waits(.milliseconds(wait - 1)) == [])
            #expect(bench.waits(.milliseconds(1)) == ["issue"])
            _ = bench.leafFails()
        }
        #expect(bench.waits(.seconds(10)) == ["issue"])
        #expect(bench.leafArrives() == ["send t-2 default@leaf1"])
    }

    @Test func `A failing renewal keeps the old leaf`() {
        var bench = withLeaf()
        #expect(bench.waits(.seconds(500)) == ["issue"])
        #expect(bench.leafFails() == [])
        #expect(bench.statuses["default"]?.ackedVersion == "leaf1")
        #expect(bench.waits(.milliseconds(250)) == ["issue"])
    }

    @Test func `A refused leaf is asked for again when the state has changed, and not before`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["default"])
        #expect(
            bench.leafIsRefused(.meshWithoutMTLS(StreamBench.mesh))
                == ["note refused default: mesh-without-mtls", "send t-1 -default"])
        _ = bench.written()
        _ = bench.delta(nonce: "t-1")
        #expect(bench.waits(.seconds(600)) == [])
        #expect(bench.changes { _ in } == ["issue"])
        #expect(bench.leafArrives() == ["send t-2 default@leaf1"])
        #expect(bench.statuses["default"]?.refusal == nil)
    }

    @Test func `A refused renewal takes nothing away`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["default"])
        _ = bench.leafArrives()
        _ = bench.written()
        _ = bench.delta(nonce: "t-1")
        _ = bench.waits(.seconds(500))
        #expect(bench.leafIsRefused(.meshWithoutMTLS(StreamBench.mesh)) == ["note refused default: mesh-without-mtls"])
    }

    @Test func `A refusal that is older than the state is not the last word`() {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask(["default"])
        _ = bench.changes { _ in }
        _ = bench.leafIsRefused(.meshWithoutMTLS(StreamBench.mesh))
        #expect(bench.waits(.seconds(1)) == ["issue"])
    }

    @Test func `A rejected leaf is followed by another only at its own renewal`() {
        var bench = withLeaf()
        let old = bench.statuses["default"]?.leaf
        _ = bench.waits(.seconds(500))
        _ = bench.leafArrives()
        _ = bench.written()
        #expect(bench.ask(["default"], nonce: "t-2", rejection: "bad key") == ["note rejected default: bad key"])
        #expect(bench.statuses["default"]?.leaf == old)
        #expect(bench.waits(.seconds(499)) == [])
        #expect(bench.waits(.seconds(1)) == ["issue"])
        #expect(bench.leafArrives() == ["send t-3 default@leaf3"])
    }

    @Test func `Subscribing in a loop costs one leaf a second`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["default"])
        _ = bench.leafArrives()
        _ = bench.written()
        _ = bench.delta(without: ["default"], nonce: "t-1")
        #expect(bench.delta(["default"]) == [])
        #expect(bench.waits(.milliseconds(999)) == [])
        #expect(bench.waits(.milliseconds(1)) == ["issue"])
    }

    @Test func `A leaf that nobody wants any more is dropped with its key`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["default"])
        _ = bench.delta(without: ["default"])
        #expect(bench.leafArrives() == [])
        #expect(bench.sent.isEmpty)
    }

    @Test func `The key is gone once every name has answered`() {
        var bench = StreamBench(.stateOfTheWorld)
        weak var key: AnyObject?
        do {
            _ = bench.ask(["default"])
            _ = bench.leafArrives()
            guard case .identity(let leaf) = bench.sent[0].resources[0].content else {
                Issue.record("no identity was sent")
                return
            }
            key = leaf.privateKeyPEM
            bench.sent = []
        }
        _ = bench.written()
        #expect(key != nil)
        _ = bench.ask(["default"], nonce: "t-1")
        #expect(key == nil)
    }
}
