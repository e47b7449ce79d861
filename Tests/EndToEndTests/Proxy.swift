import TestSupport

/// A service: its app, and the Envoy before it that `signet envoy bootstrap` configured.
struct Proxy: Sendable {
    /// Where the service listens for other proxies, and whom it calls.
    struct Plan: Sendable {
        let mesh: String
        let service: String
        /// The port for mTLS from other proxies.
        let inbound: Int
        private(set) var calls: [Call] = []

        /// A local port that leads to a peer, which must have this identity.
        struct Call: Sendable {
            let listen: Int
            let peer: Int
            let identity: String
        }

        init(mesh: String, service: String) throws {
            self.mesh = mesh
            self.service = service
            inbound = try Ports.free()
        }

        var name: String { "\(mesh)-\(service)" }

        var identity: String { "spiffe://\(mesh)/\(service)" }

        /// Adds a call and returns the local port to it.
        @discardableResult mutating func call(_ peer: Plan) throws -> Int {
            try call(port: peer.inbound, identity: peer.identity)
        }

        @discardableResult mutating func call(port: Int, identity: String) throws -> Int {
            let listen = try Ports.free()
            calls.append(Call(listen: listen, peer: port, identity: identity))
            return listen
        }
    }

    let plan: Plan
    let app: EchoApp
    let envoy: EnvoyProcess
    let bootstrap: String

    /// The name of the cluster in the bootstrap that leads to Signet.
    static let secretsCluster = "signet_sds"

    var tokenFile: String { "\(plan.name).token" }

    /// Starts the app and the Envoy of a plan, with the bootstrap that the command line prints.
    static func start(
        _ plan: Plan, tokenFile: String, by commandLine: Tool, _ more: [String] = [], in workspace: Workspace
    ) async throws -> Proxy {
        let app = try await EchoApp.start(plan.name)
        var arguments = [
            "envoy", "bootstrap", "--mesh", plan.mesh, "--service", plan.service, "--token-file", tokenFile,
            "--inbound", "127.0.0.1:\(plan.inbound)=127.0.0.1:\(app.port)",
        ]
        for call in plan.calls {
            arguments += ["--outbound", "127.0.0.1:\(call.listen)=127.0.0.1:\(call.peer)=\(call.identity)"]
        }
        let bootstrap = try await commandLine.output(arguments + more)
        let envoy = try await EnvoyProcess.start(plan.name, bootstrap: bootstrap, in: workspace)
        return Proxy(plan: plan, app: app, envoy: envoy, bootstrap: bootstrap)
    }

    /// What a request through a call of this proxy must answer.
    func target(_ call: Int = 0, answer: String) -> Traffic.Target { .init(port: plan.calls[call].listen, answer: answer) }

    /// How many connections this proxy has accepted and opened over mTLS.
    func handshakes() async throws -> (inbound: Int, outbound: Int) {
        (
            try await envoy.inbound("ssl.handshake"),
            try await envoy.outbound("ssl.handshake", excluding: Self.secretsCluster)
        )
    }
}

extension World {
    /// Starts the app and the Envoy of a plan, with a new token.
    func start(_ plan: Proxy.Plan, tokenValidFor: String = "1h") async throws -> Proxy {
        let token = "\(plan.name).token"
        try await makeToken(token, mesh: plan.mesh, service: plan.service, proxy: plan.name, validFor: tokenValidFor)
        return try await Proxy.start(plan, tokenFile: workspace.file(token), by: signet.commandLine, in: workspace)
    }

    /// Two services of a mesh that call each other: `web` and `api`.
    func startPair(in mesh: String, tokenValidFor: String = "1h") async throws -> (web: Proxy, api: Proxy) {
        var web = try Proxy.Plan(mesh: mesh, service: "web")
        var api = try Proxy.Plan(mesh: mesh, service: "api")
        try web.call(api)
        try api.call(web)
        return (
            try await start(web, tokenValidFor: tokenValidFor),
            try await start(api, tokenValidFor: tokenValidFor)
        )
    }

    /// The calls of a pair, in both directions.
    func targets(_ pair: (web: Proxy, api: Proxy)) -> [Traffic.Target] {
        [pair.web.target(answer: pair.api.plan.name), pair.api.target(answer: pair.web.plan.name)]
    }
}
