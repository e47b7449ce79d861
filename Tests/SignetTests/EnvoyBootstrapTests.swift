import AdminWire
import Foundation
import Listeners
import PKI
import TestSupport
import Testing

@testable import signet

@Suite struct EnvoyBootstrapTests {
    private func plan(_ workspace: Workspace) throws -> BootstrapPlan {
        _ = try ServingAuthority.open(
            directory: workspace.path, at: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
        return BootstrapPlan(
            mesh: try MeshName("default"), service: "web", nodeID: "web-1", sds: ListenAddress(host: "127.0.0.1", port: 5678),
            authorityPEM: try String(contentsOfFile: workspace.file("ca.pem"), encoding: .utf8),
            tokenSecretFile: TokenSecretFile.path(for: workspace.file("web.token")),
            admin: try #require(SocketTarget("127.0.0.1:0", allowsPortZero: true)), isPermissive: false,
            inbound: [try BootstrapPlan.Inbound("127.0.0.1:10080=127.0.0.1:8080")],
            outbound: [try BootstrapPlan.Outbound("127.0.0.1:9001=[::1]:10081=spiffe://default/api")])
    }

    private func validate(_ plan: BootstrapPlan, in workspace: Workspace) async throws -> Tool.Result {
        let token = try workspace.write("token", to: "web.token")
        try TokenSecretFile.write(for: token)
        let file = try workspace.write(EnvoyBootstrap(plan: plan).yaml, to: "envoy.yaml")
        return try await Tool.python("envoy").run(["--mode", "validate", "-c", file])
    }

    @Test func `Envoy accepts the bootstrap as it is, in either mode and with a name or an address for SDS`() async throws {
        try await Workspace.open("envoy") { workspace in
            for isPermissive in [false, true] {
                for host in ["127.0.0.1", "signet.example", "::1"] {
                    var plan = try plan(workspace)
                    plan.isPermissive = isPermissive
                    plan.sds.host = host
                    let result = try await validate(plan, in: workspace)
                    #expect(result.status == 0 && (result.output + result.errors).contains("OK"), "\(result)")
                }
            }
        }
    }

    @Test func `A service without ports has a bootstrap too`() async throws {
        try await Workspace.open("envoy") { workspace in
            var plan = try plan(workspace)
            plan.inbound = []
            plan.outbound = []
            #expect(try await validate(plan, in: workspace).status == 0)
        }
    }

    @Test func `Inbound demands a client certificate that the peers' context vouches for, by TLS 1_3 without resumption`()
        async throws
    {
        try await Workspace.open("envoy") { workspace in
            let document = EnvoyBootstrap(plan: try plan(workspace)).document
            let listener = try #require(document["static_resources"]?["listeners"]?.elements?.first)
            let chains = try #require(listener["filter_chains"]?.elements)
            #expect(chains.count == 1)
            let tls = try #require(chains[0]["transport_socket"]?["typed_config"])
            #expect(tls["require_client_certificate"] == true)
            #expect(tls["disable_stateless_session_resumption"] == true)
            #expect(tls["disable_stateful_session_resumption"] == true)
            let common = try #require(tls["common_tls_context"])
            #expect(common["tls_params"]?["tls_minimum_protocol_version"] == "TLSv1_3")
            #expect(common["tls_params"]?["tls_maximum_protocol_version"] == "TLSv1_3")
            #expect(common["validation_context_sds_secret_config"]?["name"] == "mesh_ca:secret:default:peers")
            #expect(common["tls_certificate_sds_secret_configs"]?.elements?.first?["name"] == "default")
        }
    }

    @Test func `Outbound pins the exact identity beside the destinations' context and keeps no session`() async throws {
        try await Workspace.open("envoy") { workspace in
            let document = EnvoyBootstrap(plan: try plan(workspace)).document
            let clusters = try #require(document["static_resources"]?["clusters"]?.elements)
            let peer = try #require(clusters.first { $0["name"] == "outbound_0" })
            let tls = try #require(peer["transport_socket"]?["typed_config"])
            #expect(tls["max_session_keys"] == 0)
            let combined = try #require(tls["common_tls_context"]?["combined_validation_context"])
            #expect(combined["validation_context_sds_secret_config"]?["name"] == "mesh_ca:secret:default:destinations")
            let expected: JSONValue = [["san_type": "URI", "matcher": ["exact": "spiffe://default/api"]]]
            #expect(combined["default_validation_context"]?["match_typed_subject_alt_names"] == expected)
        }
    }

    @Test func `A permissive mesh takes plain text beside mTLS, a strict one does not`() async throws {
        try await Workspace.open("envoy") { workspace in
            var plan = try plan(workspace)
            #expect(!EnvoyBootstrap(plan: plan).yaml.contains("raw_buffer"))
            plan.isPermissive = true
            let listener = try #require(EnvoyBootstrap(plan: plan).document["static_resources"]?["listeners"]?.elements?.first)
            let protocols = listener["filter_chains"]?.elements?.compactMap {
                $0["filter_chain_match"]?["transport_protocol"]?.text
            }
            #expect(protocols == ["tls", "raw_buffer"])
        }
    }

    @Test func `Neither the bootstrap nor the file beside the token holds the token`() async throws {
        try await Workspace.open("envoy") { workspace in
            let token = try workspace.write("eyJ-secret-token", to: "web.token")
            try TokenSecretFile.write(for: token)
            #expect(try !String(contentsOfFile: token + ".sds.yaml", encoding: .utf8).contains("eyJ-secret"))
            #expect(try !EnvoyBootstrap(plan: plan(workspace)).yaml.contains("eyJ-secret"))
        }
    }

    @Test(arguments: [
        (#"{"mesh":"other","tags":{"kuma.io/service":["web"]}}"#, "is for mesh 'other', not 'default'"),
        (#"{"mesh":"default","tags":{"kuma.io/service":["api"]}}"#, "is for service 'api', not 'web'"),
    ])
    func `A token of another mesh or service is refused with both names`(claims: String, words: String) async throws {
        try await Workspace.open("envoy") { workspace in
            let payload = Data(claims.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            let token = try workspace.write("e30.\(payload.replacing("=", with: "")).c2ln\n", to: "a.token")
            let result = try await SignetLine().run(
                "envoy", "bootstrap", "--mesh", "default", "--service", "web", "--token-file", token)
            #expect(result.status == 2 && result.errors.contains(words), "\(result)")
        }
    }

    @Test func `Two listeners on one address are refused`() async throws {
        try await Workspace.open("envoy") { workspace in
            let token = try workspace.write("token", to: "a.token")
            for more in [
                ["--outbound", "127.0.0.1:9001=127.0.0.1:1=spiffe://default/api"], ["--admin-address", "127.0.0.1:9001"],
            ] {
                let result = try await SignetLine().run(
                    ["envoy", "bootstrap", "--mesh", "default", "--service", "web", "--token-file", token]
                        + ["--inbound", "127.0.0.1:9001=127.0.0.1:8080"] + more)
                #expect(result.status == 2, "\(result)")
                #expect(result.errors.contains("two listeners have the address 127.0.0.1:9001"), "\(result)")
            }
        }
    }

    @Test(arguments: ["127.0.0.1:1=127.0.0.1:2", "[::1]:1=[fe80::1]:2"])
    func `An inbound port is two addresses`(text: String) throws {
        _ = try BootstrapPlan.Inbound(text)
    }

    @Test(arguments: [
        "", "127.0.0.1:1", "localhost:1=127.0.0.1:2", "127.0.0.1:1=127.0.0.1:2=x", "127.0.0.1:0=127.0.0.1:2", "::1:1=127.0.0.1:2",
        "127.0.0.1:1=127.0.0.1:99999", "[127.0.0.1]:1=127.0.0.1:2",
    ])
    func `Anything else is refused`(text: String) {
        #expect(throws: InvalidName.self) { _ = try BootstrapPlan.Inbound(text) }
    }

    @Test(arguments: ["127.0.0.1:1=127.0.0.1:2=web", "127.0.0.1:1=127.0.0.1:2", "127.0.0.1:1=127.0.0.1:2=spiffe://A/b"])
    func `An outbound port needs a SPIFFE ID`(text: String) {
        #expect(throws: InvalidName.self) { _ = try BootstrapPlan.Outbound(text) }
    }
}
