import AdminWire
import PKI
import Testing

/// What a Mesh document says, in both of Kuma's forms.
@Suite struct MeshDocumentTests {
    @Test func `a Universal document gives all its fields`() throws {
        let mesh = try #require(try meshes(fullUniversal).first)
        #expect(mesh.name.name == "payments")
        #expect(mesh.trustDomain.name == "payments.example.org")
        #expect(mesh.mtls?.enabledBackend == "ca-1")
        #expect(mesh.mtls?.backends.map(\.name) == ["ca-1", "ca-2", "ca-3"])
        let first = try #require(mesh.mtls?.backends.first)
        #expect(first.mode == .permissive)
        #expect(first.leafLifetime?.duration == .seconds(86_400))
        let tenYears = try WireDuration("10y")
        #expect(
            mesh.mtls?.backends.map(\.kind) == [
                .builtin(keyAlgorithm: .rsa2048, caExpiration: tenYears), .builtin(keyAlgorithm: .ecP384, caExpiration: tenYears),
                .builtin(keyAlgorithm: .ecP256, caExpiration: tenYears),
            ])
        #expect(mesh.mtls?.backends[2].mode == .strict)
        #expect(mesh.identityPath == "/ns/{k8s.kuma.io/namespace}/{kuma.io/service}")
        #expect(mesh.isolated)
        #expect(!mesh.nameConstraints)
        #expect(mesh.constraints.requirements == [["team": "pay", "kuma.io/zone": "*"]])
        #expect(mesh.constraints.restrictions == [["legacy": "true"]])
        #expect(
            mesh.warnings == [
                "metrics: kept and given back, but a certificate authority does not act on it",
                "networking: kept and given back, but a certificate authority does not act on it",
                "mtls.skipValidation: kept and given back, but every document is validated",
            ])
    }

    @Test func `the Kubernetes form means the same as the Universal one`() throws {
        let universal = try #require(try meshes(fullUniversal).first)
        let kubernetes = try #require(try meshes(fullKubernetes).first)
        #expect(universal == kubernetes)
    }

    @Test(arguments: DocumentForm.allCases) func `a document survives the way through JSON and YAML`(form: DocumentForm)
        throws
    {
        let mesh = try #require(try meshes(fullUniversal).first)
        let written = mesh.json(form)
        #expect(try meshes(written.json, .json) == [mesh])
        #expect(try meshes(written.yaml) == [mesh])
    }

    @Test func `a backend is given back as it was written`() throws {
        let mesh = try #require(try meshes(fullUniversal).first)
        let backend = try #require(mesh.json()["mtls"]?["backends"]?.elements?.first)
        #expect(
            backend.json
                == #"{"name":"ca-1","type":"builtin","mode":"PERMISSIVE","dpCert":{"rotation":{"expiration":"1d"},"requestTimeout":"10s"},"#
                + #""rootChain":{"requestTimeout":"10s"},"conf":{"caCert":{"RSAbits":2048,"expiration":"10y"}}}"#)
    }

    @Test func `numbers and texts of fields that are only kept come back as they were written`() throws {
        let text = """
            type: Mesh
            name: m
            logging: {a: 1.50, b: "1.50", c: 1e3, d: 12345678901234567890, e: [true, null, "null"], f: 'yes', g: "x: y # z", h: ""}
            """
        let mesh = try #require(try meshes(text).first)
        let expected =
            #"{"a":1.50,"b":"1.50","c":1e3,"d":12345678901234567890,"e":[true,null,"null"],"f":"yes","g":"x: y # z","h":""}"#
        #expect(mesh.json()["logging"]?.json == expected)
        let again = try #require(try meshes(mesh.json().yaml).first)
        #expect(again == mesh)
    }

    @Test func `a mesh of a name alone has its name as trust domain and no mTLS`() throws {
        let mesh = try #require(try meshes("type: Mesh\nname: default").first)
        #expect(mesh == MeshDocument(name: try MeshName("default"), trustDomain: try TrustDomain("default")))
        #expect(mesh.warnings.isEmpty)
    }

    @Test func `what the server writes into a document is taken back and ignored`() throws {
        var mesh = try #require(try meshes("type: Mesh\nname: m").first)
        mesh.creationTime = "2026-01-02T03:04:05Z"
        mesh.modificationTime = "2026-01-02T03:04:05Z"
        #expect(mesh.json().json.contains(#""creationTime":"2026-01-02T03:04:05Z""#))
        let again = try #require(try meshes(mesh.json().json, .json).first)
        #expect(again.creationTime == nil && again.modificationTime == nil)
        #expect(again.name == mesh.name)
    }

    @Test func `several documents are read in their order and empty ones are left out`() throws {
        let text =
            "---\ntype: Mesh\nname: a\n---\n---\n# nothing\n---\napiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: b}\n"
        #expect(try meshes(text).map(\.name.name) == ["a", "b"])
    }

    @Test func `an empty enabledBackend is Kuma's way to switch mTLS off`() throws {
        let mesh = try #require(
            try meshes("type: Mesh\nname: m\nmtls: {enabledBackend: '', backends: [{name: a, type: builtin}]}").first)
        #expect(mesh.mtls?.enabledBackend == nil)
        #expect(mesh.mtls?.backends.count == 1)
    }

    @Test func `a CA may be short-lived where the leaves are shorter`() throws {
        let conf = "conf: {caCert: {expiration: 1h}}, dpCert: {rotation: {expiration: 10m}}"
        let mesh = try #require(try meshes("type: Mesh\nname: m\nmtls: {backends: [{name: a, type: builtin, \(conf)}]}").first)
        #expect(
            mesh.mtls?.backends.first?.kind == .builtin(keyAlgorithm: .ecP256, caExpiration: try WireDuration("1h")))
    }

    @Test(arguments: [DocumentText.Format.yaml, .json]) func `a byte order mark is passed over`(format: DocumentText.Format)
        throws
    {
        let text = format == .yaml ? "type: Mesh\nname: m\n" : #"{"type":"Mesh","name":"m"}"#
        #expect(try meshes("\u{FEFF}" + text, format).map(\.name.name) == ["m"])
        #expect(DocumentFile.format(of: Array("\u{FEFF}{".utf8), fileName: "-") == .json)
    }

    @Test func `the format of a file is told by its ending or its first character`() {
        #expect(DocumentFile.format(of: Array("{".utf8), fileName: "mesh.yaml") == .yaml)
        #expect(DocumentFile.format(of: Array("type: Mesh".utf8), fileName: "mesh.json") == .json)
        #expect(DocumentFile.format(of: Array(" \n{".utf8), fileName: "-") == .json)
        #expect(DocumentFile.format(of: Array("type: Mesh".utf8), fileName: "-") == .yaml)
    }
}

/// The documents of a text.
func documents(_ text: String, _ format: DocumentText.Format = .yaml) throws(DocumentError) -> [PolicyDocument] {
    try DocumentFile.documents(in: Array(text.utf8), format: format)
}

/// The meshes among the documents of a text.
func meshes(_ text: String, _ format: DocumentText.Format = .yaml) throws(DocumentError) -> [MeshDocument] {
    try documents(text, format).compactMap { if case .mesh(let mesh) = $0 { mesh } else { nil } }
}

private let fullUniversal = """
    type: Mesh
    name: payments
    labels: {team: pay}
    trustDomain: payments.example.org
    mtls:
      enabledBackend: ca-1
      skipValidation: true
      backends:
      - name: ca-1
        type: builtin
        mode: PERMISSIVE
        dpCert: {rotation: {expiration: 1d}, requestTimeout: 10s}
        rootChain: {requestTimeout: 10s}
        conf: {caCert: {RSAbits: 2048, expiration: 10y}}
      - name: ca-2
        type: builtin
        conf: {caCert: {keyType: EC-P384}}
      - name: ca-3
        type: builtin
    identity: {path: "/ns/{k8s.kuma.io/namespace}/{kuma.io/service}"}
    isolated: true
    nameConstraints: false
    constraints:
      dataplaneProxy:
        requirements: [{tags: {team: pay, kuma.io/zone: "*"}}]
        restrictions: [{tags: {legacy: "true"}}]
    networking: {outbound: {passthrough: false}}
    metrics:
      enabledBackend: prometheus-1
      backends:
      - {name: prometheus-1, type: prometheus, conf: {port: 5670, path: /metrics}}
    """

private let fullKubernetes = """
    apiVersion: kuma.io/v1alpha1
    kind: Mesh
    metadata:
      name: payments
      labels: {team: pay}
      uid: 0b8c2a7e-0000-0000-0000-000000000000
      creationTimestamp: "2026-01-02T03:04:05Z"
    spec:
    \(fullUniversal.split(separator: "\n").dropFirst(3).map { "  \($0)" }.joined(separator: "\n"))
    """
