import Foundation
import TestSupport
import Testing

/// The examples in the documentation of Kuma and Kong Mesh, as they stand there.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SeedDocumentTests {
    private struct Example {
        let name: String
        let document: String
        /// Where it is read back.
        var path = "/meshes/default"
        /// What must be in there, JSON.
        let holds: String
        /// The fields that are kept without effect, each with one warning.
        var warnings: [String] = []
    }

    @Test func `the documented examples apply as they stand, are read back without loss, and warn once for each field`()
        async throws
    {
        try await World.open("examples") { world in
            for example in Self.examples {
                let applied = try await world.signet.commandLine.run(["apply", "-f", "-"], input: example.document)
                #expect(applied.status == 0, "\(example.name): \(applied)")
                let notes = applied.errors.split(separator: "\n").map(String.init)
                #expect(notes.count == example.warnings.count, "\(example.name): \(applied)")
                for field in example.warnings {
                    #expect(notes.count { $0.contains(" \(field): kept") } == 1, "\(example.name): \(applied)")
                }

                let back = try await world.adminRequest("GET", example.path)
                let (given, kept) = (try json(example.holds), try json(back))
                #expect(isIncluded(given, in: kept), "\(example.name): \(given) is not whole in \(back)")
                let again = try await world.signet.commandLine.run(["apply", "--dry-run", "-f", "-"], input: back)
                #expect(again.status == 0 && again.output.hasSuffix(" unchanged\n"), "\(example.name): \(again)")
            }
            let file =
                Self.examples.filter { $0.path == "/meshes/default" }.suffix(1)
                + Self.examples.filter { $0.path != "/meshes/default" }
            let together = try world.workspace.write(file.map(\.document).joined(separator: "\n---\n"), to: "all.yaml")
            try await world.signet.command("apply", "-f", together)
            try await world.signet.command("token", "dataplane", "--mesh", "default", "--tag", "kuma.io/service=web")
        }
    }

    private func json(_ text: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text.utf8))
    }

    /// Whether all of `part` stands in `whole`, lists of the same length.
    private func isIncluded(_ part: Any, in whole: Any) -> Bool {
        switch (part, whole) {
        case (let part as [String: Any], let whole as [String: Any]):
            part.allSatisfy { key, value in whole[key].map { isIncluded(value, in: $0) } ?? false }
        case (let part as [Any], let whole as [Any]):
            part.count == whole.count && zip(part, whole).allSatisfy { isIncluded($0, in: $1) }
        case (let part as NSObject, let whole as NSObject): part == whole
        default: false
        }
    }

    private static func meshServices(_ mode: String) -> Example {
        Example(
            name: "meshServices.mode \(mode)",
            document: """
                apiVersion: kuma.io/v1alpha1
                kind: Mesh
                metadata:
                  name: default
                spec:
                  meshServices:
                    mode: \(mode) # or Disabled, Everywhere, ReachableBackends, Exclusive
                """, holds: #"{"name": "default", "meshServices": {"mode": "\#(mode)"}}"#, warnings: ["meshServices"])
    }

    private static let examples: [Example] =
        [
            Example(
                name: "Universal, by its name alone",
                document: """
                    type: Mesh
                    name: default
                    """, holds: #"{"type": "Mesh", "name": "default"}"#),
            Example(
                name: "Kubernetes, by its name alone",
                document: """
                    apiVersion: kuma.io/v1alpha1
                    kind: Mesh
                    metadata:
                      name: default
                    """, holds: #"{"name": "default"}"#),
            Example(
                name: "Kubernetes without passthrough",
                document: """
                    apiVersion: kuma.io/v1alpha1
                    kind: Mesh
                    metadata:
                      name: default
                    spec:
                      networking:
                        outbound:
                          passthrough: false
                    """, holds: #"{"name": "default", "networking": {"outbound": {"passthrough": false}}}"#,
                warnings: ["networking"]),
            Example(
                name: "Universal without passthrough",
                document: """
                    type: Mesh
                    name: default
                    networking:
                      outbound:
                        passthrough: false
                    """, holds: #"{"name": "default", "networking": {"outbound": {"passthrough": false}}}"#,
                warnings: ["networking"]),
            Example(
                name: "MeshService of Kubernetes",
                document: """
                    apiVersion: kuma.io/v1alpha1
                    kind: MeshService
                    metadata:
                      name: redis
                      namespace: kuma-demo
                      labels:
                        team: db-operators
                        kuma.io/mesh: default
                    spec:
                      selector:
                        dataplaneTags:
                          app: redis
                          k8s.kuma.io/namespace: kuma-demo
                      ports:
                      - port: 6739
                        targetPort: 6739
                        appProtocol: tcp
                      - name: some-port
                        port: 16739
                        targetPort: target-port-from-container
                        appProtocol: tcp
                    """, path: "/meshes/default/meshservices/redis",
                holds: """
                    {"name": "redis", "spec": {"selector": {"dataplaneTags": {"app": "redis", "k8s.kuma.io/namespace": "kuma-demo"}},
                    "ports": [{"port": 6739, "targetPort": 6739, "appProtocol": "tcp"}, {"name": "some-port", "port": 16739,
                    "targetPort": "target-port-from-container", "appProtocol": "tcp"}]}}
                    """),
            Example(
                name: "MeshService of a Universal zone",
                document: """
                    type: MeshService
                    name: test-server
                    spec:
                      ports:
                      - port: 80
                        targetPort: 80
                        name: main
                      selector:
                        dataplaneTags:
                          kuma.io/service: test-server
                    """, path: "/meshes/default/meshservices/test-server",
                holds: """
                    {"name": "test-server", "spec": {"ports": [{"port": 80, "targetPort": 80, "name": "main"}],
                    "selector": {"dataplaneTags": {"kuma.io/service": "test-server"}}}}
                    """),
        ] + ["Disabled", "Everywhere", "ReachableBackends", "Exclusive"].map(meshServices) + [
            Example(
                name: "every field of mtls",
                document: """
                    type: Mesh
                    name: default
                    mtls:
                      enabledBackend: ca-1
                      backends:
                      - name: ca-1
                        type: builtin
                        mode: STRICT
                        dpCert:
                          rotation:
                            expiration: 1d
                          requestTimeout: 5s
                        rootChain:
                          requestTimeout: 10s
                        conf:
                          caCert:
                            RSAbits: 2048
                            expiration: 10y
                      - name: ca-2
                        type: builtin
                        mode: PERMISSIVE
                    networking:
                      outbound:
                        passthrough: false
                    meshServices:
                      mode: Disabled
                    """,
                holds: """
                    {"name": "default", "mtls": {"enabledBackend": "ca-1", "backends": [{"name": "ca-1", "type": "builtin",
                    "mode": "STRICT", "dpCert": {"rotation": {"expiration": "1d"}, "requestTimeout": "5s"},
                    "rootChain": {"requestTimeout": "10s"}, "conf": {"caCert": {"RSAbits": 2048, "expiration": "10y"}}},
                    {"name": "ca-2", "type": "builtin", "mode": "PERMISSIVE"}]},
                    "networking": {"outbound": {"passthrough": false}}, "meshServices": {"mode": "Disabled"}}
                    """, warnings: ["meshServices", "networking"])
        ]
}
