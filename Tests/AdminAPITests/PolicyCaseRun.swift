import AdminAPI
import AdminWire
import Authority
import AuthorityService
import Foundation
import Hummingbird
import PKI
import PKICrypto
import Synchronization
import TestSupport

/// A table held against a real authority: its documents sent to the admin API, its identities issued, every row asked.
struct PolicyCaseRun: Sendable {
    private struct Proxy: Sendable {
        var caller: Caller
        var chain: [[UInt8]]
    }

    private let table: PolicyCase
    private let bench: AdminBench
    private var proxies: [String: Proxy] = [:]
    private var findings: [String] = []

    /// Everything in which the authority differs from the table, each naming the file and the row.
    static func findings(of table: PolicyCase) async throws -> [String] {
        let found = Mutex<[String]>([])
        try await AdminBench.run { bench in
            var run = PolicyCaseRun(table: table, bench: bench)
            try await run.apply()
            try await run.issue()
            for row in table.rows { try run.judge(row) }
            for pin in table.pins { try run.judge(pin) }
            let findings = run.findings
            found.withLock { $0 = findings }
        }
        return found.withLock { $0 }
    }

    private init(table: PolicyCase, bench: AdminBench) {
        self.table = table
        self.bench = bench
    }

    private mutating func apply() async throws {
        for policy in table.policies {
            for document in try await PolicyCaseRun.documents(of: policy, bench) { try await apply(document, of: policy) }
        }
        for document in table.documents { try await apply(document, of: "documents") }
    }

    /// What `signet apply` makes of the file. The root that a document brings is made now: none belongs in the repository.
    private static func documents(of policy: String, _ bench: AdminBench) async throws -> [PolicyDocument] {
        let path = Repository.path("policies/\(policy)")
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        guard policy.contains("/") else { return try DocumentFile.documents(in: bytes, format: .yaml) }
        return try await Workspace.open("case") { workspace in
            let bash = Tool("bash", install: "apt-get install bash openssl")
            try await bash.output([Repository.path("pki/throw-away/make.sh"), workspace.path])
            for kind in ["pem", "key"] {
                try FileManager.default.moveItem(
                    atPath: workspace.file("ec-p256.\(kind)"), toPath: workspace.file("root.\(kind)"))
            }
            // Its validity began by the clock of this machine, which may be ahead of the bench's.
            let ahead = Timestamp(seconds: Int64(Date().timeIntervalSince1970) + 1) - bench.clock.now
            if ahead > .zero { bench.clock.advance(by: ahead) }
            let files = DataFiles(directory: workspace.path) { path, _ in [UInt8](try Data(contentsOf: URL(filePath: path))) }
            return try DocumentFile.documents(in: bytes, format: .yaml, files: files)
        }
    }

    private mutating func apply(_ document: PolicyDocument, of source: String) async throws {
        let path =
            switch document {
            case .certificateAuthority(let document): "/certificate-authorities/\(document.name)"
            case .crossMeshAccess(let document): "/cross-mesh-accesses/\(document.name)"
            case .mesh(let document): "/meshes/\(document.name)" + (table.leave ? "?leave=true" : "")
            case .meshService(let document): "/meshes/\(document.mesh)/meshservices/\(document.name)"
            }
        let answer = try await bench.send(.put, path, type: "application/json", body: document.requestJSON.json)
        guard [200, 201].contains(answer.status) else {
            throw PolicyCaseFault("\(table.file), \(source): \(document.label) is refused: \(answer.text)")
        }
    }

    private mutating func issue() async throws {
        for identity in table.identities {
            let place = "\(table.file), identity '\(identity.uri)' (line \(identity.line))"
            let id = try SPIFFEID(identity.uri)
            guard let mesh = bench.authority.state.mesh(of: id.trustDomain) else {
                throw PolicyCaseFault("\(place): its trust domain belongs to no mesh")
            }
            do {
                let token = try await bench.authority.issueDataplaneToken(
                    DataplaneTokenRequest(
                        mesh: mesh.name, name: "proxy-\(proxies.count)", tags: identity.tags.mapValues { [$0] }, validFor: nil),
                    by: .system)
                guard identity.refused == nil else {
                    findings.append("\(place): it was to be refused with '\(identity.refused ?? "")', and was issued")
                    continue
                }
                let caller = try await bench.authority.authenticate(
                    ProxyCredentials(
                        token: token, peerChain: nil, requiresCertificate: false, nodeID: "node", source: "test", requestID: "r"))
                guard caller.identity == id else { throw PolicyCaseFault("\(place): its tags grant '\(caller.identity)'") }
                let leaf = try await bench.authority.issueLeaf(for: caller, node: "node")
                let chain = try PEM.decode(String(decoding: leaf.chainPEM, as: UTF8.self), label: "CERTIFICATE")
                proxies[identity.uri] = Proxy(caller: caller, chain: chain)
            } catch AuthorityError.refused(let refusal) {
                guard refusal.reason != identity.refused else { continue }
                findings.append(
                    "\(place): refused with '\(refusal.reason)', where \(identity.refused.map { "'\($0)' was" } ?? "nothing was") due"
                )
            }
        }
        // The next poll of the ledger would do it: the new identities become known.
        try await bench.authority.start()
    }

    private mutating func judge(_ row: PolicyCase.Row) throws {
        let authority = bench.authority
        let (from, to) = (try SPIFFEID(row.from), try SPIFFEID(row.to))
        let place = "\(table.file), row \(row.number) (line \(row.line)), \(row.from) → \(row.to)"
        let due = row.accept ? "accept" : "refuse"
        let verdict = authority.state.trustVerdict(from: from, to: to)
        if verdict.isAccepted != row.accept || verdict.reason != row.reason {
            let said = "\(verdict.isAccepted ? "accept" : "refuse"), \(verdict.reason)"
            findings.append("\(place): the table says '\(due), \(row.reason)', the trust check says '\(said)': \(verdict.detail)")
        }
        if row.verify == "none" {
            guard proxies[row.from] == nil || proxies[row.to] == nil else {
                throw PolicyCaseFault("\(place): both identities were issued: leave 'verify: none' out")
            }
            return
        }
        guard let caller = proxies[row.from], let called = proxies[row.to] else {
            throw PolicyCaseFault("\(place): one of the two is not among the identities: add it, or say 'verify: none'")
        }

        let outcome = try authority.verify(chain: caller.chain, mesh: called.caller.mesh, service: nil)
        let isAsDue = row.verify.map { outcome.reason == $0 } ?? (outcome.isAccepted == row.accept)
        if !isAsDue {
            findings.append(
                "\(place): the table says '\(row.verify ?? due)', 'signet verify' says '\(outcome.reason)': \(outcome.detail)")
        }

        // What Envoy has of it: the context that SDS serves to the one who is called, for the chain of the one who calls …
        let inbound = accepts(caller, .peers, at: called)
        if inbound != row.accept {
            findings.append(
                "\(place): the table says '\(due)', the context served for inbound \(inbound ? "accepts" : "refuses")")
        }
        // … and without the other half there is no mTLS: the caller must accept whom it calls.
        if row.accept, !accepts(called, .destinations, at: caller) {
            findings.append("\(place): the table says 'accept', the context served for outbound refuses the one who is called")
        }

        let cell = authority.state.trustMatrix().first { $0.from == caller.caller.mesh && $0.to == called.caller.mesh }
        if row.accept ? cell?.extent ?? TrustCell.Extent.none == .none : cell?.extent == .all {
            findings.append("\(place): the table says '\(due)', the trust matrix says '\(cell?.extent.rawValue ?? "no mesh")'")
        }
    }

    private mutating func judge(_ pin: PolicyCase.Pin) throws {
        let place = "\(table.file), service \(pin.number) (line \(pin.line)), \(pin.mesh)/\(pin.service), \(pin.peer)"
        guard let peer = proxies[pin.peer] else { throw PolicyCaseFault("\(place): the peer is not among the identities") }
        let outcome = try bench.authority.verify(chain: peer.chain, mesh: try MeshName(pin.mesh), service: pin.service)
        if outcome.isAccepted != pin.accept {
            findings.append(
                "\(place): the table says '\(pin.accept ? "accept" : "refuse")', 'signet verify' says '\(outcome.reason)': "
                    + outcome.detail)
        }
    }

    /// Whether the context that SDS serves to `proxy` under this name takes the peer's chain.
    private func accepts(_ peer: Proxy, _ name: SecretName, at proxy: Proxy) -> Bool {
        guard let context = try? bench.authority.state.validationContext(name, for: proxy.caller),
            let verifier = try? ChainVerifier(roots: context.trustDomains),
            let verified = try? verifier.verify(chain: peer.chain, at: bench.clock.now)
        else { return false }
        return context.admits(verified.identity)
    }
}
