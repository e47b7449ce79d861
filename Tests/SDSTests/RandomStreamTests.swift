import Authority
import AuthorityService
import PKI
import SDS
import TestSupport
import Testing

/// Thousands of random events, whatever their order: laws that no trace may break.
///
/// The seed stands in every failure; set it in `seeds` to see the same run again.
@Suite struct RandomStreamTests {
    private static let seeds: [UInt64] = (1...60).map { $0 &* $0 &* 0xD134_2543_DE82_EF95 } + [.random(in: .min ... .max)]

    @Test(arguments: [SecretStream.Form.delta, .stateOfTheWorld], seeds)
    func `No order of events breaks a law`(form: SecretStream.Form, seed: UInt64) {
        var run = RandomRun(form: form, seed: seed)
        for step in 0..<400 where !run.hasEnded {
            run.step()
            for broken in run.broken { Issue.record("\(broken), at step \(step) of seed \(seed)") }
            guard run.broken.isEmpty else { return }
        }
        #expect(run.bench.sent.count > 3, "the run of seed \(seed) sent next to nothing")
        guard !run.hasEnded else { return }
        run.comeToRest()
        for broken in run.broken { Issue.record("\(broken), at the rest of seed \(seed)") }
    }
}

/// A proxy that does anything, and a ledger of what a right stream may do to it.
private struct RandomRun {
    var bench: StreamBench
    var broken: [String] = []
    var hasEnded = false
    private let form: SecretStream.Form
    private var random: SeededNumbers
    private var isWriting = false
    private var isIssuing = false
    private var subscribed: Set<String> = []
    /// Responses the proxy has not answered, by nonce.
    private var unanswered: [String: SecretResponse] = [:]
    /// By name: what was rejected last, since the name was last subscribed and no other version was accepted.
    private var rejected: [String: String] = [:]
    private var acknowledged: [String: Set<String>] = [:]
    private var content = 1
    /// By identity name: what was sent last since it was subscribed.
    private var delivered: [String: HeldLeaf] = [:]
    /// Signs what is asked for now; the other one is not in use, or on its way out.
    private var active = StreamBench.issuer
    /// Of the leaf that is being made: the active one when it was asked for.
    private var issuingFrom = StreamBench.issuer

    private static let names = [
        "default", "spiffe://payments/api", "identity_cert:secret:payments", "ROOTCA", "ALL", "mesh_ca:secret:all",
        "mesh_ca:secret:payments:peers", "mesh_ca:secret:orders", "spiffe://payments/web", "nonsense", "a,b=c%d é",
    ]
    private static let identities: Set<String> = ["default", "spiffe://payments/api", "identity_cert:secret:payments"]

    init(form: SecretStream.Form, seed: UInt64) {
        self.form = form
        var limits = StreamLimits()
        limits.mostNames = 1000
        bench = StreamBench(form, limits: limits)
        random = SeededNumbers(seed: seed)
    }

    mutating func step() {
        let before = bench.sent.count
        let lines: [String]
        switch Int.random(in: 0..<13, using: &random) {
        case 0...2: lines = answer(rejecting: false)
        case 3: lines = answer(rejecting: true)
        case 4, 5: lines = changeNames(nonce: "")
        case 6: lines = changeNames(nonce: "t-\(Int.random(in: 0...3, using: &random))")
        case 7:
            lines = bench.changes { bench in
                content += 1
                let name = [SecretName.meshTrust, .allTrust, .peers].randomElement(using: &random) ?? .meshTrust
                bench.trusts[name] =
                    Bool.random(using: &random) ? .success("v\(content)") : .failure(.secretEmpty(name: "x"))
            }
        case 8: lines = bench.waits(.milliseconds(Int.random(in: 1...400_000, using: &random)))
        case 9 where isIssuing:
            isIssuing = false
            lines =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bench.leafFails()
                case 1: bench.leafIsRefused(.meshWithoutMTLS(StreamBench.mesh))
                default: bench.leafArrives(issuer: issuingFrom)
                }
        case 10: lines = exchangeIssuers()
        default:
            guard isWriting else { return }
            isWriting = false
            lines = bench.written()
        }
        judge(lines, bench.sent[before...])
    }

    /// The active issuer goes out, and the other one signs: a rotation, or its abort.
    private mutating func exchangeIssuers() -> [String] {
        let old = active
        active = old == StreamBench.issuer ? StreamBench.otherIssuer : StreamBench.issuer
        let turn = bench.now + .milliseconds(Int.random(in: -1000...600_000, using: &random))
        return bench.changes { $0.outgoing = [old: turn] }
    }

    /// Whether some identity on the stream was sent none, or one that is due for renewal or at its turn.
    private var isLeafWanted: Bool {
        subscribed.intersection(RandomRun.identities).contains { name in
            guard let leaf = delivered[name] else { return true }
            return bench.now >= min(leaf.renewAt, bench.outgoing[leaf.issuer] ?? leaf.renewAt)
        }
    }

    /// The proxy accepts all it is sent, leaves arrive, and time goes from one wake to the next: then every name has what it
    /// should have.
    mutating func comeToRest() {
        let end = bench.now + StreamBench.leafLife * 3
        let judged = bench.sent.count
        // New content, for what was rejected is not sent again.
        let lines = bench.changes { bench in
            for name in [SecretName.meshTrust, .allTrust, .peers] { bench.trusts[name] = .success("last") }
        }
        judge(lines, bench.sent[judged...])
        while broken.isEmpty {
            let judged = bench.sent.count
            let lines: [String]
            if isWriting {
                isWriting = false
                lines = bench.written()
            } else if !unanswered.isEmpty {
                lines = answer(rejecting: false)
            } else if isIssuing {
                isIssuing = false
                lines = bench.leafArrives(issuer: issuingFrom)
            } else if let wake = bench.stream.nextWake(after: bench.now), wake <= end {
                lines = bench.waits(wake - bench.now)
            } else {
                break
            }
            judge(lines, bench.sent[judged...])
        }
        for (name, status) in bench.statuses {
            if status.isSilent { broken.append("\(name) is silent") }
            guard status.meaning != nil, status.refusal == nil else { continue }
            if status.ackedVersion == nil || status.ackedVersion != status.sentVersion {
                broken.append("\(name) was sent \(status.sentVersion ?? "nothing") and has \(status.ackedVersion ?? "nothing")")
            }
            if status.meaning == .identity, status.leaf?.issuer != active {
                broken.append("\(name) holds a leaf of an issuer that is not the active one")
            }
            if case .success(let version)? = status.meaning.flatMap({ bench.trusts[$0] }), status.ackedVersion != version {
                broken.append("\(name) has not the trust of now")
            }
        }
    }

    private mutating func answer(rejecting: Bool) -> [String] {
        guard let nonce = unanswered.keys.sorted().randomElement(using: &random),
            let response = unanswered.removeValue(forKey: nonce)
        else { return [] }
        for resource in response.resources {
            if rejecting {
                // Whoever rejects what it no longer wants, and then asks for it, asks anew.
                if subscribed.contains(resource.name) { rejected[resource.name] = resource.version }
            } else {
                acknowledged[resource.name, default: []].insert(resource.version)
                rejected.removeValue(forKey: resource.name)
            }
        }
        let rejection = rejecting ? "no" : nil
        return form == .delta
            ? bench.delta(nonce: nonce, rejection: rejection)
            : bench.ask(subscribed.sorted(), nonce: nonce, rejection: rejection)
    }

    private mutating func changeNames(nonce: String) -> [String] {
        // A nonce that happens to be in flight would be an answer, which `answer` makes.
        let nonce = unanswered[nonce] == nil ? nonce : ""
        let chosen = RandomRun.names.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
        if form == .delta {
            let gone = RandomRun.names.filter { !chosen.contains($0) && Int.random(in: 0..<4, using: &random) == 0 }
            for name in gone where subscribed.contains(name) { rejected.removeValue(forKey: name) }
            for name in gone + chosen { delivered.removeValue(forKey: name) }
            subscribed = subscribed.subtracting(gone).union(chosen)
            return bench.delta(chosen, without: gone, nonce: nonce)
        }
        let isIgnored = !nonce.isEmpty && !bench.sent.isEmpty && nonce != bench.sent.last?.nonce
        if !isIgnored {
            for name in subscribed.subtracting(chosen) {
                rejected.removeValue(forKey: name)
                delivered.removeValue(forKey: name)
            }
            subscribed = Set(chosen)
        }
        return bench.ask(chosen, nonce: nonce)
    }

    private mutating func judge(_ lines: [String], _ responses: ArraySlice<SecretResponse>) {
        for line in lines {
            if line == "issue" {
                if isIssuing { broken.append("two leaves were asked for at once") }
                isIssuing = true
                issuingFrom = active
                if !isLeafWanted { broken.append("a leaf was asked for that no name needs yet") }
            }
            if line.hasPrefix("end") { hasEnded = true }
        }
        for response in responses {
            if isWriting { broken.append("\(response.nonce) was written over another") }
            isWriting = true
            if unanswered[response.nonce] != nil { broken.append("the nonce \(response.nonce) was used twice") }
            if response.resources.isEmpty, response.removed.isEmpty { broken.append("\(response.nonce) says nothing") }
            if form == .delta, response.resources.count > 1 { broken.append("\(response.nonce) has several resources") }
            if form == .stateOfTheWorld, !response.removed.isEmpty { broken.append("\(response.nonce) removes") }
            let flying = Set(unanswered.values.flatMap { $0.resources.map(\.name) + $0.removed })
            for name in response.resources.map(\.name) + response.removed {
                if flying.contains(name) { broken.append("\(name) was sent in \(response.nonce) while in flight") }
                if !subscribed.contains(name) { broken.append("\(name) was sent and not asked for") }
            }
            for resource in response.resources {
                switch resource.content {
                case .identity(let leaf):
                    if bench.outgoing[leaf.issuer] != nil {
                        broken.append("\(resource.name) was sent a leaf of an outgoing issuer")
                    }
                    delivered[resource.name] = leaf.held
                    if !RandomRun.identities.contains(resource.name) { broken.append("\(resource.name) carried a key") }
                case .trust:
                    if RandomRun.identities.contains(resource.name) { broken.append("\(resource.name) carried a bundle") }
                }
                if rejected[resource.name] == resource.version {
                    broken.append("\(resource.name)@\(resource.version) was sent again after its rejection")
                }
            }
            if form == .stateOfTheWorld {
                let versions = StreamVersions(parsing: response.version).versions
                for resource in response.resources where versions[resource.name] != resource.version {
                    broken.append("\(response.nonce) does not list \(resource.name)@\(resource.version)")
                }
                if !Set(versions.keys).isSubset(of: subscribed) { broken.append("\(response.nonce) lists a name not asked for") }
            }
            unanswered[response.nonce] = response
        }
        for (name, status) in bench.statuses {
            if let version = status.ackedVersion, acknowledged[name]?.contains(version) != true {
                broken.append("\(name)@\(version) counts as acknowledged and was not")
            }
        }
        if form == .stateOfTheWorld, unanswered.count > 1 { broken.append("two responses are in flight") }
        if Set(bench.statuses.keys) != subscribed, !hasEnded { broken.append("shown are other names than those asked for") }
    }
}
