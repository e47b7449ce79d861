import Authority
import AuthorityService
import PKI
import SDS
import Testing

/// `DeltaSecrets` and `DeltaAggregatedResources` as traces.
@Suite struct DeltaStreamTests {
    @Test func `Nothing asked is nothing sent`() {
        var bench = StreamBench(.delta)
        #expect(bench.delta() == [])
        #expect(bench.sent.isEmpty)
    }

    @Test func `Each resource has a response of its own`() {
        var bench = StreamBench(.delta)
        #expect(bench.delta(["ALL", "ROOTCA"]) == ["send t-1 ALL@all1"])
        #expect(bench.written() == ["send t-2 ROOTCA@roots1"])
        #expect(bench.written() == [])
        #expect(bench.delta(nonce: "t-2") == [])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == "roots1")
        #expect(bench.statuses["ALL"]?.ackedVersion == nil)
        #expect(bench.delta(nonce: "t-1") == [])
        #expect(bench.statuses["ALL"]?.ackedVersion == "all1")
    }

    @Test func `The wildcard is the own identity and ROOTCA`() {
        var bench = StreamBench(.delta)
        #expect(bench.delta(["*"]) == ["issue", "send t-1 ROOTCA@roots1"])
        #expect(bench.leafArrives() == [])
        #expect(bench.written() == ["send t-2 default@leaf1"])
    }

    @Test func `Leaving the wildcard leaves what was asked for by name`() {
        var bench = StreamBench(.delta)
        bench.held["leaf0"] = bench.leaf(0).held
        #expect(bench.delta(["*", "ROOTCA"], holding: ["ROOTCA": "roots1", "default": "leaf0"]) == [])
        #expect(bench.delta(without: ["*"]) == ["forget default"])
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots2") } == ["send t-1 ROOTCA@roots2"])
    }

    @Test func `A name that the wildcard still covers is sent when it is unsubscribed`() {
        var bench = StreamBench(.delta)
        bench.held["leaf0"] = bench.leaf(0).held
        _ = bench.delta(["*", "ROOTCA"], holding: ["ROOTCA": "roots1", "default": "leaf0"])
        #expect(bench.delta(without: ["ROOTCA"]) == ["send t-1 ROOTCA@roots1"])
    }

    @Test func `Names without a resource are told as removed, once`() {
        var bench = StreamBench(.delta)
        #expect(
            bench.delta(["nonsense", "identity_cert:secret:orders"]) == [
                "note refused identity_cert:secret:orders: secret-forbidden", "note refused nonsense: secret-unknown",
                "send t-1 -identity_cert:secret:orders -nonsense",
            ])
        #expect(bench.written() == [])
        #expect(bench.delta(nonce: "t-1") == [])
        #expect(bench.waits(.seconds(60)) == [])
        #expect(bench.statuses["nonsense"]?.ackedVersion == nil)
    }

    @Test func `A resource that goes is told as removed, and sent when it comes back`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["ALL"])
        _ = bench.written()
        _ = bench.delta(nonce: "t-1")
        #expect(
            bench.changes { $0.trusts[.allTrust] = .failure(.meshWithoutMTLS(StreamBench.mesh)) }
                == ["note refused ALL: mesh-without-mtls", "send t-2 -ALL"])
        _ = bench.written()
        _ = bench.delta(nonce: "t-2")
        #expect(bench.changes { $0.trusts[.allTrust] = .success("all1") } == ["send t-3 ALL@all1"])
    }

    @Test func `Unsubscribing ends it, and an unknown one is ignored`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["ROOTCA"])
        _ = bench.written()
        #expect(bench.delta(without: ["ROOTCA", "never"], nonce: "t-1") == ["forget ROOTCA"])
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots2") } == [])
    }

    @Test func `A name that comes back while its old response is unanswered waits for that answer, which says nothing of it`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["ROOTCA"])
        _ = bench.written()
        #expect(bench.delta(without: ["ROOTCA"]) == ["forget ROOTCA"])
        #expect(bench.delta(["ROOTCA"]) == [])
        #expect(bench.delta(nonce: "t-1") == ["send t-2 ROOTCA@roots1"])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == nil)
    }

    @Test func `A name that comes back keeps the rejection of its old response`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["ROOTCA"])
        _ = bench.written()
        _ = bench.delta(without: ["ROOTCA"])
        _ = bench.delta(["ROOTCA"])
        #expect(bench.delta(nonce: "t-1", rejection: "no") == ["note rejected ROOTCA: no"])
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots2") } == ["send t-2 ROOTCA@roots2"])
    }

    @Test func `Subscribing again sends again`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["ROOTCA"])
        _ = bench.written()
        _ = bench.delta(nonce: "t-1")
        #expect(bench.delta(["ROOTCA"]) == ["send t-2 ROOTCA@roots1"])
    }

    @Test func `Subscribing again does not send what was rejected`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["ROOTCA"])
        _ = bench.written()
        #expect(bench.delta(nonce: "t-1", rejection: "no") == ["note rejected ROOTCA: no"])
        #expect(bench.delta(["ROOTCA"]) == [])
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots2") } == ["send t-2 ROOTCA@roots2"])
    }

    @Test func `A stale nonce answers nothing, and the names beside it count`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["ROOTCA"])
        _ = bench.written()
        #expect(bench.delta(["ALL"], nonce: "t-9") == ["note stale t-9", "send t-2 ALL@all1"])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == nil)
    }

    @Test func `A reconnect that names the current versions is met with silence`() {
        var bench = StreamBench(.delta)
        bench.held["leaf0"] = bench.leaf(0).held
        #expect(bench.delta(["default", "ROOTCA"], holding: ["default": "leaf0", "ROOTCA": "roots1"]) == [])
        #expect(bench.statuses["default"]?.leaf == bench.held["leaf0"])
    }

    @Test func `A reconnect with a forged version gets a new leaf`() {
        var bench = StreamBench(.delta)
        #expect(bench.delta(["default"], holding: ["default": "forged"]) == ["issue"])
        #expect(bench.leafArrives() == ["send t-1 default@leaf1"])
    }

    @Test func `A bundle is sent whether or not there is a leaf`() {
        var bench = StreamBench(.delta)
        #expect(bench.delta(["default", "ROOTCA"]) == ["issue", "send t-1 ROOTCA@roots1"])
    }

    @Test func `Latest value wins for a name in flight, and other names go on`() {
        var bench = StreamBench(.delta)
        _ = bench.delta(["ALL", "ROOTCA"])
        _ = bench.written()
        _ = bench.written()
        _ = bench.delta(nonce: "t-2")
        #expect(
            bench.changes {
                $0.trusts[.meshTrust] = .success("roots2")
                $0.trusts[.allTrust] = .success("all2")
            } == ["send t-3 ROOTCA@roots2"])
        _ = bench.written()
        _ = bench.changes { $0.trusts[.allTrust] = .success("all3") }
        #expect(bench.delta(nonce: "t-1") == ["send t-4 ALL@all3"])
    }

    @Test func `A proxy that never answers cannot make the stream grow`() {
        var bench = StreamBench(.delta)
        var last: [String] = []
        for number in 0..<200 where last.last?.hasPrefix("end") != true {
            last = bench.delta(["n\(number)"], without: ["n\(number - 1)"])
            if last.contains(where: { $0.hasPrefix("send") }) { _ = bench.written() }
        }
        #expect(last.last == "end too many unanswered")
    }
}
