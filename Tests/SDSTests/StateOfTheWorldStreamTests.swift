import Authority
import AuthorityService
import PKI
import SDS
import Testing

/// `StreamSecrets` and `StreamAggregatedResources` as traces.
@Suite struct StateOfTheWorldStreamTests {
    @Test func `Nothing asked is nothing sent`() {
        var bench = StreamBench(.stateOfTheWorld)
        #expect(bench.ask([]) == [])
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots2") } == [])
        #expect(bench.sent.isEmpty)
    }

    @Test func `Identity and bundle asked together are sent together`() {
        var bench = StreamBench(.stateOfTheWorld)
        #expect(bench.ask(["default", "ROOTCA"]) == ["issue"])
        #expect(bench.leafArrives() == ["send t-1 ROOTCA@roots1 default@leaf1"])
        #expect(bench.sent[0].version == "ROOTCA=roots1,default=leaf1")
        #expect(bench.written() == [])
        #expect(bench.ask(["default", "ROOTCA"], version: bench.sent[0].version, nonce: "t-1") == [])
        #expect(bench.statuses["default"]?.ackedVersion == "leaf1")
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == "roots1")
    }

    @Test func `A bundle does not wait for a leaf longer than the patience`() {
        var bench = StreamBench(.stateOfTheWorld)
        #expect(bench.ask(["default", "ROOTCA"]) == ["issue"])
        #expect(bench.waits(.milliseconds(500)) == [])
        #expect(bench.waits(.milliseconds(500)) == ["send t-1 ROOTCA@roots1"])
        #expect(bench.leafArrives() == [])
        #expect(bench.written() == [])
        #expect(bench.ask(["default", "ROOTCA"], version: "ROOTCA=roots1", nonce: "t-1") == ["send t-2 default@leaf1"])
    }

    @Test func `Only what changed is sent, and the version lists every name`() {
        var bench = StreamBench.acknowledged(["ROOTCA", "ALL"])
        #expect(bench.changes { $0.trusts[.allTrust] = .success("all2") } == ["send t-2 ALL@all2"])
        #expect(bench.sent[1].version == "ALL=all2,ROOTCA=roots1")
    }

    @Test func `A change that leaves the content as it was sends nothing`() {
        var bench = StreamBench.acknowledged(["ROOTCA"])
        #expect(bench.changes { _ in } == [])
    }

    @Test func `While a response is unanswered the latest value waits, and only it is sent`() {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask(["ROOTCA"])
        _ = bench.written()
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots2") } == [])
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots3") } == [])
        #expect(bench.ask(["ROOTCA"], version: "ROOTCA=roots1", nonce: "t-1") == ["send t-2 ROOTCA@roots3"])
    }

    @Test func `While a write is under way nothing else is written`() {
        var bench = StreamBench(.stateOfTheWorld)
        #expect(bench.ask(["ROOTCA"]) == ["send t-1 ROOTCA@roots1"])
        // The acknowledgement can overtake the end of the write.
        #expect(bench.ask(["ROOTCA"], nonce: "t-1") == [])
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots2") } == [])
        #expect(bench.written() == ["send t-2 ROOTCA@roots2"])
    }

    @Test func `A request with a stale nonce is no answer and changes nothing`() {
        var bench = StreamBench.acknowledged(["ROOTCA"])
        _ = bench.changes { $0.trusts[.meshTrust] = .success("roots2") }
        _ = bench.written()
        #expect(bench.ask(["ROOTCA", "ALL"], nonce: "t-1") == ["note stale t-1"])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == "roots1")
        #expect(bench.statuses["ALL"] == nil)
        #expect(bench.ask(["ROOTCA", "ALL"], nonce: "t-2") == ["send t-3 ALL@all1"])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == "roots2")
    }

    @Test func `A forged nonce acknowledges nothing`() {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask(["ROOTCA"])
        _ = bench.written()
        #expect(bench.ask(["ROOTCA"], nonce: "other-1") == ["note stale other-1"])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == nil)
    }

    @Test func `Names can be added without a nonce, which answers nothing`() {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask(["ROOTCA"])
        _ = bench.written()
        #expect(bench.ask(["ROOTCA", "ALL"]) == [])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == nil)
        #expect(bench.ask(["ROOTCA", "ALL"], nonce: "t-1") == ["send t-2 ALL@all1"])
    }

    @Test func `An acknowledgement counts only for the names that the response carried`() {
        var bench = StreamBench.acknowledged(["ROOTCA"])
        #expect(bench.ask(["ROOTCA", "ALL"], nonce: "t-1") == ["send t-2 ALL@all1"])
        _ = bench.written()
        bench.now = bench.now + .seconds(9)
        _ = bench.ask(["ROOTCA", "ALL"], nonce: "t-2")
        #expect(bench.statuses["ALL"]?.ackedAt == bench.now)
        #expect(bench.statuses["ROOTCA"]?.ackedAt == bench.now - .seconds(9))
    }

    @Test func `A name that drops out is forgotten, and sent again when it is asked for again`() {
        var bench = StreamBench.acknowledged(["ROOTCA", "ALL"])
        #expect(bench.ask(["ROOTCA"], nonce: "t-1") == ["forget ALL"])
        #expect(bench.changes { $0.trusts[.allTrust] = .success("all2") } == [])
        #expect(bench.ask(["ROOTCA", "ALL"], nonce: "t-1") == ["send t-2 ALL@all2"])
    }

    @Test func `An unknown or forbidden name is left out, shown and noted, and the stream lives`() {
        var bench = StreamBench(.stateOfTheWorld)
        let lines = bench.ask(["ROOTCA", "mesh_ca:secret:orders", "nonsense"])
        #expect(
            lines == [
                "note refused mesh_ca:secret:orders: secret-forbidden", "note refused nonsense: secret-unknown",
                "send t-1 ROOTCA@roots1",
            ])
        #expect(bench.statuses["mesh_ca:secret:orders"]?.refusal?.hasPrefix("secret-forbidden: ") == true)
        #expect(bench.statuses["nonsense"]?.refusal?.hasPrefix("secret-unknown: ") == true)
        #expect(bench.sent[0].version == "ROOTCA=roots1")
    }

    @Test func `A name without content gets it once there is some`() {
        var bench = StreamBench(.stateOfTheWorld)
        let name = "mesh_ca:secret:payments:service:db"
        #expect(bench.ask([name]) == ["note refused \(name): secret-empty"])
        let secret = SecretName.service(mesh: StreamBench.mesh, name: "db")
        #expect(bench.changes { $0.trusts[secret] = .success("db1") } == ["send t-1 \(name)@db1"])
        #expect(bench.statuses[name]?.refusal == nil)
    }

    @Test func `A rejected version is shown and not sent again until the content changes`() {
        var bench = StreamBench.acknowledged(["ROOTCA"])
        _ = bench.changes { $0.trusts[.meshTrust] = .success("roots2") }
        _ = bench.written()
        #expect(
            bench.ask(["ROOTCA"], version: "ROOTCA=roots1", nonce: "t-2", rejection: "no such\nthing")
                == ["note rejected ROOTCA: no such\\u{a}thing"])
        #expect(bench.statuses["ROOTCA"]?.nack?.version == "roots2")
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == "roots1")
        #expect(bench.waits(.seconds(60)) == [])
        #expect(bench.changes { _ in } == [])
        #expect(bench.ask(["ROOTCA"], version: "ROOTCA=roots1", nonce: "t-2") == [])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == "roots1")
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots3") } == ["send t-3 ROOTCA@roots3"])
        _ = bench.written()
        _ = bench.ask(["ROOTCA"], nonce: "t-3")
        #expect(bench.statuses["ROOTCA"]?.nack == nil)
    }

    @Test func `After a rejection, a return to the accepted content sends nothing`() {
        var bench = StreamBench.acknowledged(["ROOTCA"])
        _ = bench.changes { $0.trusts[.meshTrust] = .success("roots2") }
        _ = bench.written()
        _ = bench.ask(["ROOTCA"], nonce: "t-2", rejection: "no")
        #expect(bench.changes { $0.trusts[.meshTrust] = .success("roots1") } == [])
    }

    @Test func `A version that lists a rejected name names what the proxy has of it`() {
        var bench = StreamBench.acknowledged(["ROOTCA", "ALL"])
        _ = bench.changes { $0.trusts[.meshTrust] = .success("roots2") }
        _ = bench.written()
        _ = bench.ask(["ROOTCA", "ALL"], nonce: "t-2", rejection: "no")
        _ = bench.changes { $0.trusts[.allTrust] = .success("all2") }
        #expect(bench.sent.last?.version == "ALL=all2,ROOTCA=roots1")
    }

    @Test func `Silence past the time-out is shown, and ends with the acknowledgement`() {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask(["ROOTCA"])
        _ = bench.written()
        #expect(bench.stream.nextWake(after: bench.now) == bench.now + .seconds(30))
        #expect(bench.waits(.seconds(29)) == [])
        #expect(bench.waits(.seconds(1)) == ["note silent ROOTCA"])
        #expect(bench.statuses["ROOTCA"]?.isSilent == true)
        #expect(bench.waits(.seconds(1)) == [])
        #expect(bench.ask(["ROOTCA"], nonce: "t-1") == [])
        #expect(bench.statuses["ROOTCA"]?.isSilent == false)
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == "roots1")
    }

    @Test func `A reconnect that names the current versions is met with silence`() {
        var bench = StreamBench(.stateOfTheWorld)
        bench.held["leaf0"] = bench.leaf(0).held
        #expect(bench.ask(["default", "ROOTCA"], version: "ROOTCA=roots1,default=leaf0") == [])
        #expect(bench.statuses["default"]?.ackedVersion == "leaf0")
        #expect(bench.statuses["default"]?.leaf == bench.held["leaf0"])
        #expect(bench.statuses["ROOTCA"]?.ackedVersion == "roots1")
        #expect(bench.stream.nextWake(after: bench.now) == bench.held["leaf0"]?.renewAt)
    }

    @Test func `A reconnect is sent only what changed while it was away`() {
        var bench = StreamBench(.stateOfTheWorld)
        bench.held["leaf0"] = bench.leaf(0).held
        #expect(bench.ask(["default", "ROOTCA"], version: "ROOTCA=roots0,default=leaf0") == ["send t-1 ROOTCA@roots1"])
        #expect(bench.sent[0].version == "ROOTCA=roots1,default=leaf0")
    }

    @Test func `A forged identity version gets a new leaf`() {
        var bench = StreamBench(.stateOfTheWorld)
        #expect(bench.ask(["default"], version: "default=forged") == ["issue"])
        #expect(bench.leafArrives() == ["send t-1 default@leaf1"])
    }

    @Test func `Versions count in the first request alone`() {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask([])
        #expect(bench.ask(["ROOTCA"], version: "ROOTCA=roots1") == ["send t-1 ROOTCA@roots1"])
    }

    @Test func `Another type is never answered, noted once, and hurts nothing`() {
        var bench = StreamBench(.stateOfTheWorld)
        let cluster = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        #expect(bench.ask([], type: cluster) == ["note ignored \(cluster)"])
        #expect(bench.ask(["a"], type: cluster) == [])
        #expect(bench.ask(["ROOTCA"]) == ["send t-1 ROOTCA@roots1"])
    }

    @Test func `A proxy that may no longer be here is shown out`() {
        var bench = StreamBench.acknowledged(["ROOTCA"])
        #expect(bench.changes { $0.refusal = .tokenRevoked(id: "token-1") } == ["end token-revoked"])
        #expect(bench.ask(["ALL"], nonce: "t-1") == [])
        #expect(bench.waits(.seconds(5)) == [])
    }

    @Test func `The stream looks again when the proxy's certificate ends`() {
        var caller = StreamBench.caller
        let end = Timestamp(seconds: 1_000_007)
        caller.certificate = .init(serial: SerialNumber(bytes: [1]), issuer: StreamBench.issuer, notAfter: end)
        let bench = StreamBench(.stateOfTheWorld, caller: caller)
        #expect(bench.stream.nextWake(after: bench.now) == end)
    }

    @Test func `Too many names, or one too long, end the stream`() {
        var many = StreamBench(.stateOfTheWorld)
        #expect(many.ask((0...100).map { "n\($0)" }).last == "end too many names")
        var long = StreamBench(.stateOfTheWorld)
        #expect(long.ask([String(repeating: "x", count: 2305)]).last == "end name too long")
    }
}

extension StreamBench {
    /// A state-of-the-world stream on which these names, none an identity, were sent as `t-1` and acknowledged.
    static func acknowledged(_ names: [String]) -> StreamBench {
        var bench = StreamBench(.stateOfTheWorld)
        _ = bench.ask(names)
        _ = bench.written()
        _ = bench.ask(names, version: bench.sent[0].version, nonce: "t-1")
        return bench
    }
}
