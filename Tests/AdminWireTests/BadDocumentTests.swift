import AdminWire
import Testing

/// Each bad document with the exact words that its author reads.
@Suite struct BadDocumentTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var text: String
        var message: String
        var format = DocumentText.Format.yaml

        var testDescription: String { name }
    }

    @Test(arguments: cases) func `a bad document is refused with document, line, field and advice`(example: Case) {
        let error = #expect(throws: DocumentError.self) { try documents(example.text, example.format) }
        #expect(error?.description == example.message)
    }

    static let cases: [Case] = [
        Case(
            name: "unknown key", text: "type: Mesh\nname: m\nmtls:\n  enabledBackends: a\n",
            message: "line 4: mtls.enabledBackends: is not a known field: did you mean 'enabledBackend'?"),
        Case(
            name: "unknown key of a backend", text: backend("colour: red"),
            message: "line 5: mtls.backends[0].colour: is not a known field: known are conf, dpCert, mode, name, rootChain, type"),
        Case(
            name: "unknown key in the second document", text: "type: Mesh\nname: a\n---\ntype: Mesh\nname: b\nisolatd: true\n",
            message: "document 2, line 6: isolatd: is not a known field: did you mean 'isolated'?"),
        Case(
            name: "several faults at once", text: "type: Mesh\nname: UPPER\nisolated: maybe\nmtls: []\n",
            message:
                "line 2: name: 'UPPER' must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending "
                + "with a hyphen; line 4: mtls: must be a mapping, not a list; line 3: isolated: must be true or false, not the text 'maybe'"
        ),
        Case(
            name: "name of 64 characters", text: "type: Mesh\nname: \(String(repeating: "a", count: 64))\n",
            message:
                "line 2: name: '\(String(repeating: "a", count: 60))…' must be a DNS label: 1 to 63 lower-case letters, digits or "
                + "hyphens, not beginning or ending with a hyphen"),
        Case(
            name: "reserved name", text: "type: Mesh\nname: all\n",
            message: "line 2: name: 'all' must not be 'all', which is reserved"),
        Case(name: "no name", text: "type: Mesh\n", message: "line 1: name: is missing"),
        Case(
            name: "trust domain with an underscore", text: "type: Mesh\nname: m\ntrustDomain: a_b\n",
            message: "line 3: trustDomain: 'a_b' is not a trust domain: byte 0x5f at offset 1 is not allowed here"),
        Case(
            name: "trust domain with a numeric last label", text: "type: Mesh\nname: m\ntrustDomain: a.1\n",
            message: "line 3: trustDomain: 'a.1' is not a trust domain: the last label '1' must not be a number"),
        Case(
            name: "numeric mesh name without a trust domain", text: "type: Mesh\nname: '123'\n",
            message:
                "line 1: trustDomain: the default, the mesh's name '123', cannot be a trust domain: the last label '123' must not be a "
                + "number: set trustDomain"),
        Case(
            name: "wrong duration", text: backend("dpCert: {rotation: {expiration: 1 day}}"),
            message:
                "line 5: mtls.backends[0].dpCert.rotation.expiration: '1 day' must be a duration such as 30s, 1h30m, 24h or 10y "
                + "(units: y w d h m s ms)"),
        Case(
            name: "negative duration", text: backend("dpCert: {rotation: {expiration: -1h}}"),
            message:
                "line 5: mtls.backends[0].dpCert.rotation.expiration: '-1h' must be a duration such as 30s, 1h30m, 24h or 10y "
                + "(units: y w d h m s ms)"),
        Case(
            name: "zero duration", text: backend("dpCert: {rotation: {expiration: 0s}}"),
            message: "line 5: mtls.backends[0].dpCert.rotation.expiration: '0s' must not be zero"),
        Case(
            name: "a number where a duration belongs", text: backend("dpCert: {rotation: {expiration: 86400}}"),
            message: "line 5: mtls.backends[0].dpCert.rotation.expiration: must be text, and 86400 is a number: put it in quotes"),
        Case(
            name: "leaf of nine seconds", text: backend("dpCert: {rotation: {expiration: 9s}}"),
            message:
                "line 5: mtls.backends[0].dpCert.rotation.expiration: '9s' is too short: 10s is the least, for a renewal to be in time"
        ),
        Case(
            name: "leaf that outlives its CA",
            text: backend("dpCert: {rotation: {expiration: 30d}}\n    conf: {caCert: {expiration: 7d}}"),
            message: "line 5: mtls.backends[0].dpCert.rotation.expiration: '30d' is longer than the CA's own life, 7d: shorten it"
        ),
        Case(
            name: "shared backend", text: "type: Mesh\nname: m\nmtls:\n  backends:\n  - {name: a, type: shared}\n",
            message: "line 5: mtls.backends[0].type: 'shared' is not supported by this version: use 'builtin'"),
        Case(
            name: "provided backend",
            text: "type: Mesh\nname: m\nmtls:\n  backends:\n  - {name: a, type: provided, conf: {cert: {}}}\n",
            message: "line 5: mtls.backends[0].type: 'provided' is not supported by this version: use 'builtin'"),
        Case(
            name: "unknown backend type", text: "type: Mesh\nname: m\nmtls:\n  backends:\n  - {name: a, type: biultin}\n",
            message: "line 5: mtls.backends[0].type: 'biultin' is not a type of backend: did you mean 'builtin'?"),
        Case(
            name: "two backends of one name",
            text: "type: Mesh\nname: m\nmtls:\n  backends:\n  - {name: a, type: builtin}\n  - {name: a, type: builtin}\n",
            message: "line 6: mtls.backends[1].name: 'a' name is already used for another backend"),
        Case(
            name: "too many backends",
            text: "type: Mesh\nname: m\nmtls:\n  backends:\n" + (0..<33).map { "  - {name: b\($0), type: builtin}\n" }.joined(),
            message: "line 4: mtls.backends: there are 33, more than the 32 accepted: remove those that no longer issue"),
        Case(
            name: "enabled backend that is none",
            text: "type: Mesh\nname: m\nmtls:\n  enabledBackend: b\n  backends: [{name: a, type: builtin}]\n",
            message: "line 4: mtls.enabledBackend: 'b' has to be one of the backends in the mesh; they are: a"),
        Case(
            name: "two enabled names", text: "type: Mesh\nname: m\nmtls:\n  enabledBackend: a\n  enabledBackend: b\n",
            message: "line 4: the key 'enabledBackend' occurs twice in this mapping: keep one"),
        Case(
            name: "two enabled names in JSON", text: #"{"type":"Mesh","mtls":{"enabledBackend":"a","enabledBackend":"b"}}"#,
            message: "line 1: the key 'enabledBackend' occurs twice in this mapping: keep one", format: .json),
        Case(
            name: "wrong mode", text: backend("mode: strict"),
            message: "line 5: mtls.backends[0].mode: 'strict' must be STRICT or PERMISSIVE"),
        Case(
            name: "unknown key type", text: backend("conf: {caCert: {keyType: Ed25519}}"),
            message:
                "line 5: mtls.backends[0].conf.caCert.keyType: 'Ed25519' must be one of EC-P256, EC-P384, RSA-2048, RSA-3072, RSA-4096"
        ),
        Case(
            name: "RSA of 1024 bits", text: backend("conf: {caCert: {RSAbits: 1024}}"),
            message: "line 5: mtls.backends[0].conf.caCert.RSAbits: 1024 must be 2048, 3072 or 4096"),
        Case(
            name: "a CA that ends before a leaf of the default life", text: backend("conf: {caCert: {expiration: 1h}}"),
            message: "line 5: mtls.backends[0].conf.caCert.expiration: '1h' is shorter than a leaf's life, 1d where "
                + "dpCert.rotation.expiration says nothing: lengthen it, or set dpCert.rotation.expiration"),
        Case(
            name: "both ways to name a key", text: backend("conf: {caCert: {RSAbits: 2048, keyType: EC-P256}}"),
            message: "line 5: mtls.backends[0].conf.caCert.RSAbits: and keyType say the same: keep one"),
        Case(
            name: "a tag that is a number",
            text: "type: Mesh\nname: m\nconstraints:\n  dataplaneProxy:\n    requirements:\n    - tags: {version: 1}\n",
            message:
                "line 6: constraints.dataplaneProxy.requirements[0].tags['version']: must be text, and 1 is a number: put it in quotes"
        ),
        Case(
            name: "a rule without tags",
            text: "type: Mesh\nname: m\nconstraints:\n  dataplaneProxy:\n    restrictions:\n    - {tags: {}}\n",
            message: "line 6: constraints.dataplaneProxy.restrictions[0].tags: must name at least one tag"),
        Case(
            name: "another type of document", text: "type: CertificateAuthority\nname: corp\nmeshes: [a]\n",
            message: "line 1: type: documents of the type 'CertificateAuthority' are not supported by this version"),
        Case(
            name: "unknown type of document", text: "type: TrafficPermission\nname: x\n",
            message: "line 1: type: 'TrafficPermission' is not a type of document: use 'Mesh' or 'CrossMeshAccess'"),
        Case(
            name: "misspelt type", text: "type: mesh\nname: x\n",
            message: "line 1: type: 'mesh' is not a type of document: did you mean 'Mesh'?"),
        Case(
            name: "no type", text: "name: x\n",
            message: "line 1: type: is missing: a document begins with 'type: Mesh' or 'type: CrossMeshAccess'"),
        Case(
            name: "wrong apiVersion", text: "apiVersion: v1\nkind: Mesh\nmetadata: {name: m}\n",
            message: "line 1: apiVersion: must be 'kuma.io/v1alpha1', not 'v1'"),
        Case(
            name: "Universal field in a Kubernetes document",
            text: "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: m}\nmtls: {}\n",
            message: "line 4: mtls: is not a known field: known are apiVersion, kind, metadata, spec"),
        Case(
            name: "a list", text: "- type: Mesh\n",
            message: "line 1: a document must be a mapping that begins with 'type: Mesh' or 'type: CrossMeshAccess', not a list"),
        Case(
            name: "nothing", text: "# a comment\n",
            message: "there is no document: begin with 'type: Mesh' or 'type: CrossMeshAccess'"),
        Case(
            name: "a door without its sides", text: "type: CrossMeshAccess\nname: d\n",
            message:
                "line 1: from: is missing: say which mesh, such as 'from: {mesh: payments}'; "
                + "line 1: to: is missing: say which mesh, such as 'to: {mesh: payments}'"),
        Case(
            name: "a side of no mesh", text: door("from:\n  services: [web]", "to: {mesh: b}"),
            message: "line 4: from.mesh: is missing"),
        Case(
            name: "a misspelt list of services", text: door("from: {mesh: a, service: [web]}", "to: {mesh: b}"),
            message: "line 3: from.service: is not a known field: did you mean 'services'?"),
        Case(
            name: "a door into its own mesh", text: door("from: {mesh: a}", "to:\n  mesh: a"),
            message: "line 5: to.mesh: 'a' is the mesh of 'from' too: name another one"),
        Case(
            name: "an empty list of services", text: door("from: {mesh: a}", "to: {mesh: b, services: []}"),
            message: "line 4: to.services: names no service: name at least one, or leave 'services' out for all"),
        Case(
            name: "a list of services that lost its last line", text: door("from:\n  mesh: a\n  services:", "to: {mesh: b}"),
            message: "line 5: from.services: names no service: name at least one, or leave 'services' out for all"),
        Case(
            name: "one service that is no list", text: door("from: {mesh: a, services: web}", "to: {mesh: b}"),
            message: "line 3: from.services: must be a list, not the text 'web'"),
        Case(
            name: "services that are none", text: door("from:\n  mesh: a\n  services: ['', '*', 1, w, w]", "to: {mesh: b}"),
            message:
                "line 5: from.services[0]: must not be empty; "
                + "line 5: from.services[1]: '*' is not the name of a service: leave 'services' out for all; "
                + "line 5: from.services[2]: must be text, and 1 is a number: put it in quotes; "
                + "line 5: from.services[4]: 'w' occurs twice: keep one"),
        Case(
            name: "too many services",
            text: door("from: {mesh: a, services: [\((0...1000).map { "s\($0)" }.joined(separator: ","))]}", "to: {mesh: b}"),
            message: "line 3: from.services: there are 1001, more than the 1000 accepted: leave 'services' out for all"),
        Case(
            name: "meshes whose names cannot be", text: door("from: {mesh: A}", "to: {mesh: all}"),
            message:
                "line 3: from.mesh: 'A' must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or "
                + "ending with a hyphen; line 4: to.mesh: 'all' must not be 'all', which is reserved"),
        Case(
            name: "a door whose name cannot be", text: "type: CrossMeshAccess\nname: a_b\nfrom: {mesh: a}\nto: {mesh: b}\n",
            message:
                "line 2: name: 'a_b' must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending "
                + "with a hyphen"),
        Case(
            name: "a field of a mesh in a door", text: door("from: {mesh: a}", "to: {mesh: b}\nisolated: true"),
            message:
                "line 5: isolated: is not a known field: known are type, name, from, to, creationTime, kri, modificationTime"),
        Case(
            name: "a bad door after a good mesh",
            text: "type: Mesh\nname: a\n---\nkind: CrossMeshAccess\napiVersion: kuma.io/v1alpha1\nmetadata: {name: d}\n"
                + "spec:\n  from: {mesh: a}\n  to: {mesh: a}\n",
            message: "document 2, line 9: spec.to.mesh: 'a' is the mesh of 'from' too: name another one"),
        Case(
            name: "a misspelt door", text: "type: CrossMeshAcess\nname: x\n",
            message: "line 1: type: 'CrossMeshAcess' is not a type of document: did you mean 'CrossMeshAccess'?"),
        Case(name: "not YAML", text: "type: Mesh\nname: [m\n", message: "line 3: not YAML: did not find expected ',' or ']'"),
        Case(
            name: "not JSON", text: "{\n\"type\": Mesh}",
            message: "line 2: not JSON: 'Mesh' is no value: quote it if it is text", format: .json),
    ]

    private static func door(_ from: String, _ to: String) -> String {
        "type: CrossMeshAccess\nname: d\n\(from)\n\(to)\n"
    }

    private static func backend(_ line: String) -> String {
        "type: Mesh\nname: m\nmtls:\n  backends: [\n    {\(inline(line)), name: a, type: builtin}]\n"
    }

    private static func inline(_ line: String) -> String {
        line.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: ", ")
    }
}
