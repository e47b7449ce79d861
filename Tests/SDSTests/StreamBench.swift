import Authority
import AuthorityService
import PKI
import PKICrypto
import SDS

/// A stream with a world around it that a test can change; what the stream does reads as lines of a trace.
struct StreamBench {
    var stream: SecretStream
    var now = Timestamp(seconds: 1_000_000)
    var revision: Int64 = 1
    var refusal: Refusal?
    var trusts: [SecretName: Result<String, Refusal>]
    var held: [String: HeldLeaf] = [:]
    /// Issuers whose leaves must be replaced, and when it is their turn.
    var outgoing: [IssuerID: Timestamp] = [:]
    /// What was reported last, by name.
    var statuses: [String: SubscriptionStatus] = [:]
    /// Every response, in order.
    var sent: [SecretResponse] = []
    /// Why each leaf was asked for.
    private(set) var occasions: [LeafOccasion] = []
    private var leaves = 0
    private var asked: [String] = []

    static let mesh = constant { try MeshName("payments") }
    static let identity = constant { try SPIFFEID("spiffe://payments/api") }
    static let issuer = IssuerID(random: Array(repeating: 7, count: 8))
    static let otherIssuer = IssuerID(random: Array(repeating: 8, count: 8))
    static let leafLife: Duration = .seconds(1000)
    static let caller = Caller(
        mesh: mesh, identity: identity, proxy: "api-1", tags: ["kuma.io/service": ["api"]], tokenID: "token-1")

    init(_ form: SecretStream.Form, limits: StreamLimits = StreamLimits(), caller: Caller = StreamBench.caller) {
        stream = SecretStream(form: form, caller: caller, nonceTag: "t", limits: limits)
        trusts = [
            .meshTrust: .success("roots1"), .allTrust: .success("all1"), .peers: .success("peers1"),
            .destinations: .success("destinations1"),
        ]
    }

    var outlook: Outlook {
        let (trusts, held, outgoing) = (trusts, held, outgoing)
        return Outlook(
            now: now, revision: revision, refusal: refusal,
            trust: { name in
                switch trusts[name] {
                case .success(let version):
                    .success(
                        ServedTrust(
                            context: ValidationContext(
                                trustDomains: [StreamBench.identity.trustDomain: [[1]]], trustedCA: nil, subjectAltNames: nil),
                            version: version))
                case .failure(let refusal): .failure(refusal)
                case nil: .failure(.secretEmpty(name: "\(name)"))
                }
            },
            held: { held[$0] }, replacement: { outgoing[$0.issuer] })
    }

    // MARK: What happens

    /// A state-of-the-world request; an answer when it has a nonce.
    mutating func ask(
        _ names: [String], version: String = "", nonce: String = "", rejection: String? = nil,
        type: String = SecretStream.typeURL
    ) -> [String] {
        trace(
            stream.requested(
                SecretRequest(
                    typeURL: type, nonce: nonce, rejection: rejection, names: .stateOfTheWorld(names, version: version)),
                in: outlook))
    }

    mutating func delta(
        _ subscribe: [String] = [], without unsubscribe: [String] = [], holding versions: [String: String] = [:],
        nonce: String = "", rejection: String? = nil, type: String = SecretStream.typeURL
    ) -> [String] {
        trace(
            stream.requested(
                SecretRequest(
                    typeURL: type, nonce: nonce, rejection: rejection,
                    names: .delta(subscribe: subscribe, unsubscribe: unsubscribe, held: versions)),
                in: outlook))
    }

    /// The stream's first request, in its own form; `versions` are what the proxy still has.
    mutating func opens(_ names: [String], holding versions: [String: String] = [:]) -> [String] {
        asked = names
        return stream.form == .delta
            ? delta(names, holding: versions) : ask(names, version: StreamVersions(versions).text)
    }

    /// The last response is written, and then answered; `rejection`: with a NACK.
    mutating func answers(rejection: String? = nil) -> [String] {
        guard let nonce = sent.last?.nonce else { return [] }
        let lines = written()
        return lines
            + (stream.form == .delta
                ? delta(nonce: nonce, rejection: rejection) : ask(asked, nonce: nonce, rejection: rejection))
    }

    mutating func written() -> [String] { trace(stream.written(in: outlook)) }

    mutating func waits(_ duration: Duration) -> [String] {
        now = now + duration
        return trace(stream.noticed(outlook))
    }

    /// The ledger's state changed: `change` says how.
    mutating func changes(_ change: (inout StreamBench) -> Void) -> [String] {
        revision += 1
        change(&self)
        return trace(stream.noticed(outlook))
    }

    /// The leaf that was asked for arrives: `leaf1`, `leaf2`, …
    mutating func leafArrives(issuer: IssuerID = StreamBench.issuer) -> [String] {
        leaves += 1
        return trace(stream.leafIssued(leaf(leaves, issuer: issuer), in: outlook))
    }

    mutating func leafFails() -> [String] { trace(stream.leafFailed(jitter: 1, in: outlook)) }

    mutating func leafIsRefused(_ refusal: Refusal) -> [String] { trace(stream.leafRefused(refusal, in: outlook)) }

    // MARK: What it does

    mutating func trace(_ directives: [StreamDirective]) -> [String] {
        var lines: [String] = []
        for directive in directives {
            switch directive {
            case .end(let end): lines.append("end \(StreamBench.word(end))")
            case .forget(let name):
                statuses.removeValue(forKey: name)
                lines.append("forget \(name)")
            case .issueLeaf(let occasion):
                occasions.append(occasion)
                lines.append("issue")
            case .note(let note): lines.append("note \(StreamBench.word(note))")
            case .report(let status): statuses[status.resource] = status
            case .send(let response):
                sent.append(response)
                let parts = response.resources.map { "\($0.name)@\($0.version)" } + response.removed.map { "-\($0)" }
                lines.append("send \(response.nonce) \(parts.joined(separator: " "))")
            }
        }
        return lines
    }

    func leaf(_ number: Int, issuer: IssuerID = StreamBench.issuer) -> DeliveredLeaf {
        DeliveredLeaf(
            serial: SerialNumber(bytes: [UInt8(truncatingIfNeeded: number % 127 + 1)]), issuer: issuer, notBefore: now,
            notAfter: now + StreamBench.leafLife, renewAt: now + StreamBench.leafLife / 2, version: "leaf\(number)",
            chainPEM: Array("CHAIN \(number)".utf8), privateKeyPEM: SecretBytes(Array("KEY \(number)".utf8)))
    }

    private static func word(_ end: StreamEnd) -> String {
        switch end {
        case .nameTooLong: "name too long"
        case .refused(let refusal): refusal.reason
        case .tooManyNames: "too many names"
        case .tooManyUnanswered: "too many unanswered"
        }
    }

    private static func word(_ note: StreamNote) -> String {
        switch note {
        case .ignoredType(let url): "ignored \(url)"
        case .nameRefused(let name, let refusal): "refused \(name): \(refusal.reason)"
        case .rejected(let names, let message): "rejected \(names.joined(separator: " ")): \(message)"
        case .silent(let name): "silent \(name)"
        case .staleNonce(let nonce): "stale \(nonce)"
        }
    }
}

/// A value that is right by construction.
func constant<Value>(_ make: () throws -> Value) -> Value {
    do {
        return try make()
    } catch {
        preconditionFailure("a constant of the tests is wrong: \(error)")
    }
}
