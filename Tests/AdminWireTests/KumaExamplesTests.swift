import AdminWire
import Testing

/// The shapes of Kuma's and Kong Mesh's own examples: each applies as it stands.
@Suite struct KumaExamplesTests {
    struct Example: CustomTestStringConvertible, Sendable {
        var name: String
        var text: String
        var warnings: [String] = []

        var testDescription: String { name }
    }

    @Test(arguments: examples) func `an example is read, kept and given back`(example: Example) throws {
        let read = try documents(example.text)
        #expect(read.count == 1)
        for document in read {
            #expect(
                document.warnings
                    == example.warnings.map { "\($0): kept and given back, but a certificate authority does not act on it" })
            for form in DocumentForm.allCases {
                #expect(try documents(document.json(form).yaml) == read)
            }
        }
    }

    static let examples: [Example] = [
        Example(name: "Universal, by name alone", text: "type: Mesh\nname: default\n"),
        Example(
            name: "Kubernetes, by name alone", text: "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata:\n  name: default\n"),
        Example(
            name: "Universal without passthrough",
            text: "type: Mesh\nname: default\nnetworking:\n  outbound:\n    passthrough: false\n", warnings: ["networking"]),
        Example(
            name: "Kubernetes without passthrough",
            text: """
                apiVersion: kuma.io/v1alpha1
                kind: Mesh
                metadata:
                  name: default
                spec:
                  networking:
                    outbound:
                      passthrough: false
                """, warnings: ["networking"]),
        Example(
            name: "mutual TLS in full",
            text: """
                type: Mesh
                name: default
                mtls:
                  enabledBackend: ca-1
                  skipValidation: false
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
                """),
        Example(
            name: "the mode of MeshServices",
            text: """
                apiVersion: kuma.io/v1alpha1
                kind: Mesh
                metadata:
                  name: default
                spec:
                  meshServices:
                    mode: Disabled # or Everywhere, ReachableBackends, Exclusive
                """, warnings: ["meshServices"]),
        Example(
            name: "every other field of a mesh",
            text: """
                type: Mesh
                name: default
                logging: {defaultBackend: f, backends: [{name: f, type: file, conf: {path: /tmp/a.log}, format: '%START_TIME%'}]}
                metrics: {enabledBackend: p, backends: [{name: p, type: prometheus, conf: {port: 5670, path: /metrics, skipMTLS: true}}]}
                routing: {localityAwareLoadBalancing: true, zoneEgress: true, defaultForbidMeshExternalServiceAccess: false}
                skipCreatingInitialPolicies: ["*"]
                tracing: {defaultBackend: j, backends: [{name: j, type: zipkin, sampling: 100.0, conf: {url: "http://j:9411/api/v2/spans"}}]}
                constraints: {dataplaneProxy: {requirements: [{tags: {kuma.io/zone: east}}], restrictions: [{tags: {legacy: "*"}}]}}
                """, warnings: ["logging", "metrics", "routing", "skipCreatingInitialPolicies", "tracing"]),
        Example(
            name: "a MeshService of Kubernetes",
            text: """
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
                """),
        Example(
            name: "a MeshService of a Universal zone",
            text: """
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
                """),
    ]
}
