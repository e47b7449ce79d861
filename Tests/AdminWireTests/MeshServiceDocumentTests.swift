import AdminWire
import PKI
import Testing

/// What a MeshService document says, in both of Kuma's forms.
@Suite struct MeshServiceDocumentTests {
    @Test func `a Universal document gives all its fields`() throws {
        let service = try #require(try services(universal).first)
        #expect(service.mesh.name == "payments" && service.name == "redis")
        #expect(service.selector == ["app": "redis", "k8s.kuma.io/namespace": "kuma-demo"])
        #expect(
            service.ports == [
                .init(port: 6739, targetPort: .number(6739), appProtocol: "tcp"),
                .init(port: 16_739, name: "some-port", targetPort: .name("target-port-from-container"), appProtocol: "tcp"),
            ])
        #expect(service.labels == ["team": "db-operators", "k8s.kuma.io/namespace": "kuma-demo"])
        #expect(service.warnings.isEmpty)
    }

    @Test func `the Kubernetes form means the same as the Universal one`() throws {
        #expect(try documents(kubernetes) == documents(universal))
    }

    @Test(arguments: DocumentForm.allCases) func `a document survives the way through JSON and YAML`(form: DocumentForm) throws {
        for text in [universal, kubernetes, written, "type: MeshService\nname: s\nspec: {selector: {dataplaneTags: {v: '1'}}}"] {
            let read = try documents(text)
            for document in read {
                #expect(try documents(document.json(form).json, .json) == read)
                #expect(try documents(document.json(form).yaml) == read)
            }
        }
    }

    @Test func `a service of no named mesh is of the default one`() throws {
        let text = "type: MeshService\nname: test-server\nspec:\n  selector: {dataplaneTags: {kuma.io/service: test-server}}\n"
        let service = try #require(try services(text).first)
        #expect(service.mesh.name == "default")
        let document = PolicyDocument.meshService(service)
        #expect(document.mesh?.name == "default" && document.name == "test-server")
        #expect(document.label == "MeshService 'default/test-server'")
    }

    @Test func `what Kuma's control plane writes is kept and each of it warned of`() throws {
        let service = try #require(try services(written).first)
        #expect(
            service.warnings == [
                "spec.identities: kept and given back, but a service's identities are those granted to tokens with its tags",
                "spec.state: kept and given back, but a certificate authority does not act on it",
                "status: kept and given back, but a certificate authority does not act on it",
            ])
        #expect(service.json()["status"]?["vips"]?.json == #"[{"ip":"10.0.1.1"}]"#)
        #expect(service.json()["spec"]?["state"] == .string("Available"))
        #expect(service.json()["spec"]?["identities"]?.elements?.count == 1)
    }

    @Test func `one name in two meshes is two services`() throws {
        let text = ["a", "b"].map {
            "type: MeshService\nname: s\nmesh: \($0)\nspec: {selector: {dataplaneTags: {app: s}}}\n"
        }.joined(separator: "---\n")
        #expect(try services(text).map(\.mesh.name) == ["a", "b"])
    }

    @Test func `what the ledger keeps is read again with the server's times beside it`() throws {
        var service = try #require(try services(universal).first)
        #expect(try MeshServiceDocument(json: service.json().json) == service)
        service.creationTime = "2026-01-02T03:04:05Z"
        service.modificationTime = "2026-01-02T03:04:06Z"
        let again = try MeshServiceDocument(json: service.json().json)
        #expect(again.creationTime == nil && again.modificationTime == nil && again.selector == service.selector)
    }

    private func services(_ text: String) throws(DocumentError) -> [MeshServiceDocument] {
        try documents(text).compactMap { if case .meshService(let service) = $0 { service } else { nil } }
    }
}

private let universal = """
    type: MeshService
    name: redis
    mesh: payments
    labels:
      team: db-operators
      k8s.kuma.io/namespace: kuma-demo
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
    """

private let kubernetes = """
    apiVersion: kuma.io/v1alpha1
    kind: MeshService
    metadata:
      name: redis
      namespace: kuma-demo
      labels:
        team: db-operators
        kuma.io/mesh: payments
      ownerReferences: [{apiVersion: v1, kind: Service, name: redis}]
    spec:
    \(universal.split(separator: "\n").dropFirst(7).joined(separator: "\n"))
    """

private let written = """
    type: MeshService
    name: redis
    kri: kri_msvc_default___redis_
    creationTime: "2026-01-02T03:04:05Z"
    annotations: {note: x}
    spec:
      state: Available
      selector: {dataplaneTags: {app: redis}}
      ports: []
      identities: [{type: ServiceTag, value: redis}]
    status:
      addresses:
      - hostname: redis.mesh
        origin: HostnameGenerator
        hostnameGeneratorRef: {coreName: kmy-hostname-generator}
      vips: [{ip: 10.0.1.1}]
      tls: {status: Ready}
    """
