import AdminWire
import Foundation
import Listeners
import PKI

/// A complete Envoy bootstrap for one service: SDS with TLS and the token, mTLS inbound and outbound, as TCP proxies.
///
/// No session is ever resumed between proxies: a resumed session skips the verification of the peer, and would outlive the
/// decision that it rests on.
struct EnvoyBootstrap {
    let plan: BootstrapPlan

    /// The cluster that leads to the service; end-to-end tests and dashboards know it by this name.
    static let secretsCluster = "signet_sds"

    var yaml: String { document.yaml }

    var document: JSONValue {
        [
            "node": ["id": .string(plan.nodeID), "cluster": .string(plan.service)],
            "admin": ["address": address(plan.admin)],
            "static_resources": [
                "listeners": .array(
                    plan.inbound.enumerated().map { inboundListener($0.offset, $0.element) }
                        + plan.outbound.enumerated().map { outboundListener($0.offset, $0.element) }),
                "clusters": .array(
                    [secretsCluster]
                        + plan.inbound.enumerated().map { applicationCluster($0.offset, $0.element) }
                        + plan.outbound.enumerated().map { peerCluster($0.offset, $0.element) }),
            ],
        ]
    }

    // MARK: - Secrets

    /// One stream for each secret, on one connection; the answer is waited for 15 s before a listener goes up without it and
    /// refuses every handshake until the secret comes.
    private func secret(_ name: String) -> JSONValue {
        [
            "name": .string(name),
            "sds_config": [
                "resource_api_version": "V3",
                "initial_fetch_timeout": "15s",
                "api_config_source": [
                    "api_type": "GRPC",
                    "transport_api_version": "V3",
                    "set_node_on_first_message_only": true,
                    "grpc_services": [["envoy_grpc": ["cluster_name": .string(EnvoyBootstrap.secretsCluster)]]],
                ],
            ],
        ]
    }

    private func meshSecret(_ suffix: String) -> JSONValue { secret("mesh_ca:secret:\(plan.mesh):\(suffix)") }

    private var secretsCluster: JSONValue {
        let isName = !SocketTarget.isAddress(plan.sds.host, AF_INET) && !SocketTarget.isAddress(plan.sds.host, AF_INET6)
        var tls: [JSONValue.Member] = [
            .init("@type", "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext")
        ]
        if isName { tls.append(.init("sni", .string(plan.sds.host))) }
        tls += [
            .init("max_session_keys", 0),
            .init(
                "common_tls_context",
                [
                    "tls_params": tls13, "alpn_protocols": ["h2"],
                    "validation_context": [
                        "trusted_ca": ["inline_string": .string(plan.authorityPEM)],
                        "match_typed_subject_alt_names": [
                            ["san_type": isName ? "DNS" : "IP_ADDRESS", "matcher": ["exact": .string(plan.sds.host)]]
                        ],
                    ],
                ]),
        ]
        return [
            "name": .string(EnvoyBootstrap.secretsCluster),
            "type": isName ? "STRICT_DNS" : "STATIC",
            "connect_timeout": "5s",
            "typed_extension_protocol_options": ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2WithToken],
            "transport_socket": ["name": "envoy.transport_sockets.tls", "typed_config": .object(tls)],
            "load_assignment": endpoints(EnvoyBootstrap.secretsCluster, plan.sds.host, plan.sds.port),
        ]
    }

    /// HTTP/2 whose requests carry the token, read from its file again whenever that is replaced.
    private var http2WithToken: JSONValue {
        let directory = (plan.tokenSecretFile as NSString).deletingLastPathComponent
        return [
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": [
                "http2_protocol_options": ["connection_keepalive": ["interval": "30s", "timeout": "10s"]]
            ],
            "http_filters": [
                [
                    "name": "envoy.filters.http.credential_injector",
                    "typed_config": [
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
                        "overwrite": true,
                        "credential": [
                            "name": "envoy.http.injected_credentials.generic",
                            "typed_config": [
                                "@type": "type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic",
                                "credential": [
                                    "name": .string(TokenSecretFile.secretName),
                                    "sds_config": [
                                        "resource_api_version": "V3",
                                        "path_config_source": [
                                            "path": .string(plan.tokenSecretFile),
                                            "watched_directory": ["path": .string(directory)],
                                        ],
                                    ],
                                ],
                            ],
                        ],
                    ],
                ],
                [
                    "name": "envoy.filters.http.upstream_codec",
                    "typed_config": [
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
                    ],
                ],
            ],
        ]
    }

    // MARK: - Inbound

    private func inboundListener(_ index: Int, _ inbound: BootstrapPlan.Inbound) -> JSONValue {
        let name = "inbound_\(index)"
        let proxy = tcpProxy(name, cluster: "application_\(index)")
        let secured: JSONValue = [
            "name": "envoy.transport_sockets.tls",
            "typed_config": [
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": true,
                "disable_stateless_session_resumption": true,
                "disable_stateful_session_resumption": true,
                "common_tls_context": [
                    "tls_params": tls13,
                    "tls_certificate_sds_secret_configs": [secret("default")],
                    "validation_context_sds_secret_config": meshSecret("peers"),
                ],
            ],
        ]
        guard plan.isPermissive else {
            return [
                "name": .string(name), "address": address(inbound.listen),
                "filter_chains": [["filters": [proxy], "transport_socket": secured]],
            ]
        }
        return [
            "name": .string(name), "address": address(inbound.listen),
            "listener_filters": [
                [
                    "name": "envoy.filters.listener.tls_inspector",
                    "typed_config": [
                        "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
                    ],
                ]
            ],
            "filter_chains": [
                [
                    "name": "mtls", "filter_chain_match": ["transport_protocol": "tls"], "filters": [proxy],
                    "transport_socket": secured,
                ],
                ["name": "plaintext", "filter_chain_match": ["transport_protocol": "raw_buffer"], "filters": [proxy]],
            ],
        ]
    }

    private func applicationCluster(_ index: Int, _ inbound: BootstrapPlan.Inbound) -> JSONValue {
        let name = "application_\(index)"
        return [
            "name": .string(name), "type": "STATIC", "connect_timeout": "5s",
            "load_assignment": endpoints(name, inbound.application.ip, inbound.application.port),
        ]
    }

    // MARK: - Outbound

    private func outboundListener(_ index: Int, _ outbound: BootstrapPlan.Outbound) -> JSONValue {
        let name = "outbound_\(index)"
        return [
            "name": .string(name), "address": address(outbound.listen),
            "filter_chains": [["filters": [tcpProxy(name, cluster: name)]]],
        ]
    }

    private func peerCluster(_ index: Int, _ outbound: BootstrapPlan.Outbound) -> JSONValue {
        let name = "outbound_\(index)"
        return [
            "name": .string(name), "type": "STATIC", "connect_timeout": "5s",
            "transport_socket": [
                "name": "envoy.transport_sockets.tls",
                "typed_config": [
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                    "max_session_keys": 0,
                    "common_tls_context": [
                        "tls_params": tls13,
                        "tls_certificate_sds_secret_configs": [secret("default")],
                        "combined_validation_context": [
                            "default_validation_context": [
                                "match_typed_subject_alt_names": [
                                    ["san_type": "URI", "matcher": ["exact": .string(outbound.identity.uri)]]
                                ]
                            ],
                            "validation_context_sds_secret_config": meshSecret("destinations"),
                        ],
                    ],
                ],
            ],
            "load_assignment": endpoints(name, outbound.peer.ip, outbound.peer.port),
        ]
    }

    // MARK: - Parts

    /// Envoy's upstream maximum is TLS 1.2 unless said otherwise.
    private var tls13: JSONValue {
        ["tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"]
    }

    private func tcpProxy(_ statistics: String, cluster: String) -> JSONValue {
        [
            "name": "envoy.filters.network.tcp_proxy",
            "typed_config": [
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": .string(statistics), "cluster": .string(cluster),
            ],
        ]
    }

    private func address(_ target: SocketTarget) -> JSONValue { socketAddress(target.ip, target.port) }

    private func socketAddress(_ host: String, _ port: Int) -> JSONValue {
        ["socket_address": ["address": .string(host), "port_value": .number("\(port)")]]
    }

    private func endpoints(_ cluster: String, _ host: String, _ port: Int) -> JSONValue {
        [
            "cluster_name": .string(cluster),
            "endpoints": [["lb_endpoints": [["endpoint": ["address": socketAddress(host, port)]]]]],
        ]
    }
}
