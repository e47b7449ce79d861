import Foundation
import TestSupport
import Testing

/// A proxy that was not there when a rotation began, and is back in the middle of it with what it had before.
@Suite(.serialized, .timeLimit(.minutes(4))) struct AwayTests {
    /// What chains carry while the new issuer signs.
    enum Chains: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case withCrossCertificate
        /// A debug build leaves it out of the chains: what the cross certificate is for.
        case withoutCrossCertificate

        var failpoint: String? { self == .withoutCrossCertificate ? "no-cross-certificate" : nil }
        var testDescription: String { rawValue }
    }

    @Test(arguments: Chains.allCases)
    func `a proxy that comes back with its old certificate and bundle talks both ways, thanks to the cross certificate alone`(
        _ chains: Chains
    ) async throws {
        try await World.open("away", failpoint: chains.failpoint) { world in
            try await world.makeMesh("red")
            var web = try Proxy.Plan(mesh: "red", service: "web")
            let api = try Proxy.Plan(mesh: "red", service: "api")
            let away = try Proxy.Plan(mesh: "red", service: "away")
            try web.call(api)
            let toAway = try web.call(away)
            let here = [try await world.start(web), try await world.start(api)]
            let files = try await world.fetchIdentity(
                token: try await world.makeToken("away.token", mesh: "red", service: "away"), named: "away")
            let app = try await EchoApp.start(away.name)
            let fromAway = try Ports.free()
            let bootstrap = try Self.bootstrap(
                files, inbound: away.inbound, app: app.port, outbound: fromAway, peer: api.inbound, identity: api.identity)

            // It talks, goes, and knows nothing of the rotation.
            let earlier = try await EnvoyProcess.start("away", bootstrap: bootstrap, in: world.workspace)
            #expect(try await Self.answer(at: toAway) == away.name)
            #expect(try await Self.answer(at: fromAway) == api.name)
            earlier.process.send(SIGTERM)
            try await earlier.process.waitForEnd(within: .seconds(10))

            let (_, report) = try await Traffic.run(to: [here[0].target(answer: api.name)]) { traffic in
                try await world.signet.command("ca", "rotate", "--mesh", "red", "--manual", "--retire-after", "reissued")
                let rotation = try await world.runningRotation()
                try await world.waitForOpenGate(of: rotation.id, in: "distributing")
                try await world.signet.command("rotation", "advance", rotation.id)
                try await eventually(within: .seconds(30), "new leaves for who is connected", every: .milliseconds(200)) {
                    let blockers = try await world.rotation(rotation.id).gate?.blockers ?? []
                    return !blockers.isEmpty && blockers.allSatisfy { $0.identity == away.identity }
                }
                let shown = try await WireCertificate.served(at: api.inbound)
                #expect(shown.count == (chains == .withCrossCertificate ? 3 : 2), "\(shown)")

                let back = try await EnvoyProcess.start("away.back", bootstrap: bootstrap, in: world.workspace)
                let before = try await Self.refusals(of: back)
                switch chains {
                case .withCrossCertificate:
                    for _ in 0..<10 {
                        #expect(try await Self.answer(at: toAway) == away.name)
                        #expect(try await Self.answer(at: fromAway) == api.name)
                    }
                    #expect(try await Self.refusals(of: back) == before)
                case .withoutCrossCertificate:
                    #expect(try await Self.answer(at: toAway) == nil)
                    #expect(try await Self.answer(at: fromAway) == nil)
                    try await eventually(within: .seconds(5), "both refusals in its statistics") {
                        let after = try await Self.refusals(of: back)
                        return after.inbound > before.inbound && after.outbound > before.outbound
                    }
                }
                #expect(try await world.rotation(rotation.id).phase == "issuing")
                try await traffic.waitForSuccesses(20)
            }
            #expect(report.failed == 0, "who has both roots needs no cross certificate: \(report)")
        }
    }

    /// Nil: no answer came through.
    private static func answer(at port: Int) async throws -> String? {
        let result = try await Tool("curl", install: "apt-get install curl").run([
            "--silent", "--no-keepalive", "--max-time", "10", "http://127.0.0.1:\(port)/",
        ])
        // 28 is the time limit: an answer that never comes is neither given nor refused.
        #expect(result.status != 28, "\(result)")
        return result.status == 0 ? result.output.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }

    private static func refusals(of envoy: EnvoyProcess) async throws -> (inbound: Int, outbound: Int) {
        let statistics = try await envoy.statistics()
        func sum(_ prefix: String) -> Int {
            statistics.filter { $0.key.hasPrefix(prefix) && $0.key.hasSuffix("ssl.fail_verify_error") }.values.reduce(0, +)
        }
        return (sum("listener."), sum("cluster."))
    }

    /// An Envoy that has its certificate and its bundle in files, and asks nobody for others.
    private static func bootstrap(
        _ files: FetchedIdentity, inbound: Int, app: Int, outbound: Int, peer: Int, identity: String
    ) throws -> String {
        let extensions = "type.googleapis.com/envoy.extensions"
        func address(_ port: Int) -> [String: Any] { ["socket_address": ["address": "127.0.0.1", "port_value": port]] }
        func cluster(_ name: String, _ port: Int) -> [String: Any] {
            [
                "name": name, "type": "STATIC", "connect_timeout": "5s",
                "load_assignment": [
                    "cluster_name": name, "endpoints": [["lb_endpoints": [["endpoint": ["address": address(port)]]]]],
                ],
            ]
        }
        func listener(_ name: String, _ port: Int, _ cluster: String) -> [String: Any] {
            [
                "name": name, "address": address(port),
                "filter_chains": [
                    [
                        "filters": [
                            [
                                "name": "envoy.filters.network.tcp_proxy",
                                "typed_config": [
                                    "@type": "\(extensions).filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": name,
                                    "cluster": cluster,
                                ],
                            ]
                        ]
                    ]
                ],
            ]
        }
        func socket(_ kind: String, _ context: [String: Any], _ more: [String: Any]) -> [String: Any] {
            var common = context
            common["tls_params"] = ["tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"]
            common["tls_certificate_sds_secret_configs"] = [["name": "identity"]]
            let typed: [String: Any] = ["@type": "\(extensions).transport_sockets.tls.v3.\(kind)", "common_tls_context": common]
            return [
                "name": "envoy.transport_sockets.tls",
                "typed_config": typed.merging(more) { _, new in new },
            ]
        }
        var server = listener("inbound", inbound, "app")
        if var chains = server["filter_chains"] as? [[String: Any]] {
            chains[0]["transport_socket"] = socket(
                "DownstreamTlsContext", ["validation_context_sds_secret_config": ["name": "roots"]],
                [
                    "require_client_certificate": true, "disable_stateless_session_resumption": true,
                    "disable_stateful_session_resumption": true,
                ])
            server["filter_chains"] = chains
        }
        var client = cluster("peer", peer)
        client["transport_socket"] = socket(
            "UpstreamTlsContext",
            [
                "combined_validation_context": [
                    "default_validation_context": [
                        "match_typed_subject_alt_names": [["san_type": "URI", "matcher": ["exact": identity]]]
                    ],
                    "validation_context_sds_secret_config": ["name": "roots"],
                ]
            ], ["max_session_keys": 0])
        let validator: [String: Any] = [
            "name": "envoy.tls.cert_validator.spiffe",
            "typed_config": [
                "@type": "\(extensions).transport_sockets.tls.v3.SPIFFECertValidatorConfig",
                "trust_domains": [["name": "red", "trust_bundle": ["filename": files.roots]]],
            ],
        ]
        let document: [String: Any] = [
            "node": ["id": "away", "cluster": "away"],
            "admin": ["address": address(0)],
            "static_resources": [
                "secrets": [
                    [
                        "name": "identity",
                        "tls_certificate": [
                            "certificate_chain": ["filename": files.chain], "private_key": ["filename": files.key],
                        ],
                    ],
                    ["name": "roots", "validation_context": ["custom_validator_config": validator]],
                ],
                "listeners": [server, listener("outbound", outbound, "peer")],
                "clusters": [cluster("app", app), client],
            ],
        ]
        return String(decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
    }
}
