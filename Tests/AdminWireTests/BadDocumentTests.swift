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
            name: "a backend of Kong Mesh's", text: backends("{name: a, type: vault, conf: {fromCp: {}}}"),
            message:
                "line 5: mtls.backends[0].type: 'vault' is Kong Mesh's and not supported: use 'builtin', 'provided' or 'shared'"),
        Case(
            name: "a backend of no type that there is", text: backends("{name: a, type: self-signed}"),
            message:
                "line 5: mtls.backends[0].type: 'self-signed' is not a type of backend: use 'builtin', 'provided' or 'shared'"),
        Case(
            name: "a misspelt shared backend", text: backends("{name: a, type: share}"),
            message: "line 5: mtls.backends[0].type: 'share' is not a type of backend: did you mean 'shared'?"),
        Case(
            name: "a shared backend without its CA", text: backends("{name: a, type: shared}"),
            message: "line 5: mtls.backends[0].conf: is missing: such as 'conf: {authority: corp}'"),
        Case(
            name: "a shared backend that names no CA", text: backends("{name: a, type: shared, conf: {}}"),
            message: "line 5: mtls.backends[0].conf.authority: is missing"),
        Case(
            name: "a shared backend of a mesh's own CA", text: backends("{name: a, type: shared, conf: {authority: m.ca-1}}"),
            message:
                "line 5: mtls.backends[0].conf.authority: 'm.ca-1' has a dot and so is a mesh's own CA, '<mesh>.<backend>', which "
                + "is never shared: use a name without a dot"),
        Case(
            name: "a shared backend with a key type",
            text: backends("{name: a, type: shared, conf: {authority: corp, caCert: {keyType: EC-P256}}}"),
            message: "line 5: mtls.backends[0].conf.caCert: is not a known field: known are authority"),
        Case(
            name: "one CA in two backends",
            text: backends(
                "{name: a, type: shared, conf: {authority: corp}}", "{name: b, type: shared, conf: {authority: corp}}"),
            message: "line 6: mtls.backends[1].conf.authority: 'corp' is the CA of the backend 'a' too: keep one of the two"),
        Case(
            name: "a provided backend without its root", text: backends("{name: a, type: provided}"),
            message:
                "line 5: mtls.backends[0].conf: is missing: such as 'conf: {cert: {file: ca.pem}, key: {file: ca-key.pem}}'"),
        Case(
            name: "a provided backend with empty sources", text: backends("{name: a, type: provided, conf: {cert: {}}}"),
            message:
                "line 5: mtls.backends[0].conf.cert: says nothing: give the certificate, as 'cert: {inlineString: …}', or {file: …} "
                + "with 'signet apply'; line 5: mtls.backends[0].conf.key: is missing: give the private key, as "
                + "'key: {inlineString: …}', or {file: …} with 'signet apply'"),
        Case(
            name: "sources that the server does not read",
            text: backends("{name: a, type: provided, conf: {cert: {file: /etc/ca.pem}, key: {secret: ca-key}}}"),
            message:
                "line 5: mtls.backends[0].conf.cert.file: is read by 'signet apply', never by the server: apply the document with "
                + "it, or use inlineString; line 5: mtls.backends[0].conf.key.secret: names a secret of Kuma's, and there are none "
                + "here: use inlineString, or file with 'signet apply'"),
        Case(
            name: "two sources of one certificate",
            text: backends("{name: a, type: provided, conf: {cert: {inline: eA==, inlineString: x}, key: \(noKey)}}"),
            message: "line 5: mtls.backends[0].conf.cert: has several sources, inline and inlineString: keep one"),
        Case(
            name: "a certificate that is none",
            text: backends("{name: a, type: provided, conf: {cert: {inlineString: x}, key: {inlineString: x}}}"),
            message:
                "line 5: mtls.backends[0].conf.cert: is not a certificate in PEM: it has no line '-----BEGIN CERTIFICATE-----'; "
                + "line 5: mtls.backends[0].conf.key: is not a private key in PEM: it has no line '-----BEGIN PRIVATE KEY-----'"),
        Case(
            name: "a certificate with its key beside it",
            text: backends(
                "{name: a, type: provided, conf: {cert: {inlineString: \"-----BEGIN CERTIFICATE-----\\n-----BEGIN RSA PRIVATE "
                    + "KEY-----\"}, key: \(noKey)}}"),
            message:
                "line 5: mtls.backends[0].conf.cert: holds a private key: put the certificate alone here, and the key into 'key'"),
        Case(
            name: "inline that is no base64",
            text: backends("{name: a, type: provided, conf: {cert: {inline: '-----BEGIN'}, key: \(noKey)}}"),
            message:
                "line 5: mtls.backends[0].conf.cert.inline: must be the base64 of a PEM text: put the PEM text itself into "
                + "inlineString"),
        Case(
            name: "a source of more than 64 KiB",
            text: backends(
                "{name: a, type: provided, conf: {cert: {inlineString: '\(String(repeating: "x", count: 65_537))'}, key: \(noKey)}}"
            ),
            message: "line 5: mtls.backends[0].conf.cert.inlineString: has 65537 bytes, more than the 65536 accepted"),
        Case(
            name: "the fingerprint of something else",
            text: backends(
                "{name: a, type: provided, conf: {cert: {inlineString: '\(certificateLine)'}, key: {fingerprint: ab:cd}}}"),
            message:
                "line 5: mtls.backends[0].conf.key.fingerprint: must be the 64 hexadecimal digits that the server gives for a key "
                + "that it has"),
        Case(
            name: "a fingerprint for a certificate",
            text: backends("{name: a, type: provided, conf: {cert: \(noKey), key: \(noKey)}}"),
            message:
                "line 5: mtls.backends[0].conf.cert: has an unknown field: known are inlineString, inline, file"),
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
            name: "unknown type of document", text: "type: TrafficPermission\nname: x\n",
            message:
                "line 1: type: 'TrafficPermission' is not a type of document: use 'Mesh', 'CertificateAuthority', 'CrossMeshAccess' "
                + "or 'MeshService'"),
        Case(
            name: "misspelt type", text: "type: mesh\nname: x\n",
            message: "line 1: type: 'mesh' is not a type of document: did you mean 'Mesh'?"),
        Case(
            name: "no type", text: "name: x\n",
            message: "line 1: type: is missing: a document begins with \(openings)"),
        Case(
            name: "wrong apiVersion", text: "apiVersion: v1\nkind: Mesh\nmetadata: {name: m}\n",
            message: "line 1: apiVersion: must be 'kuma.io/v1alpha1', not 'v1'"),
        Case(
            name: "Universal field in a Kubernetes document",
            text: "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: m}\nmtls: {}\n",
            message: "line 4: mtls: is not a known field: known are apiVersion, kind, metadata, spec"),
        Case(
            name: "a list", text: "- type: Mesh\n",
            message: "line 1: a document must be a mapping that begins with \(openings), not a list"),
        Case(
            name: "nothing", text: "# a comment\n",
            message: "there is no document: begin with \(openings)"),
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
        Case(
            name: "a CA whose name is a mesh's own", text: "type: CertificateAuthority\nname: payments.ca-1\n",
            message:
                "line 2: name: 'payments.ca-1' has a dot and so is a mesh's own CA, '<mesh>.<backend>', which is never shared: use "
                + "a name without a dot"),
        Case(
            name: "a CA without a name", text: "type: CertificateAuthority\nmeshes: [a]\n", message: "line 1: name: is missing"),
        Case(
            name: "a CA shared twice with one mesh", text: authority("meshes:\n- a\n- b\n- a"),
            message: "line 6: meshes[2]: 'a' occurs twice: keep one"),
        Case(
            name: "a CA shared with what is no mesh", text: authority("meshes: [all, A, 1]"),
            message:
                "line 3: meshes[0]: 'all' must not be 'all', which is reserved; line 3: meshes[1]: 'A' must be a DNS label: 1 to 63 "
                + "lower-case letters, digits or hyphens, not beginning or ending with a hyphen; line 3: meshes[2]: must be text, "
                + "and 1 is a number: put it in quotes"),
        Case(
            name: "a CA shared with too many meshes",
            text: authority("meshes: [\((0...1000).map { "m\($0)" }.joined(separator: ","))]"),
            message: "line 3: meshes: there are 1001, more than the 1000 accepted: name the others in further requests"),
        Case(
            name: "a CA with an HSM by relative paths",
            text: authority("keyStore:\n  pkcs11: {module: m.so, token: t, pinFile: p}"),
            message:
                "line 4: keyStore.pkcs11.module: 'm.so' must be an absolute path on the server's host, of at most 1024 octets; "
                + "line 4: keyStore.pkcs11.pinFile: 'p' must be an absolute path on the server's host, of at most 1024 octets"),
        Case(
            name: "a CA with another store", text: authority("keyStore: vault"),
            message: "line 3: keyStore: 'vault' must be 'database', or a mapping with 'pkcs11'"),
        Case(
            name: "a CA with wrong settings",
            text: authority("keyType: RSA\nexpiration: 101y\nrotation: {retireAfter: never, auto: true}"),
            message:
                "line 3: keyType: 'RSA' must be one of EC-P256, EC-P384, RSA-2048, RSA-3072, RSA-4096; line 4: expiration: '101y' is "
                + "too long: 100y is the most; line 5: rotation.auto: is not a known field: known are automatic, retireAfter; "
                + "line 5: rotation.retireAfter: 'never' must be 'expired' or 'reissued'"),
        Case(
            name: "a CA that ends at once", text: authority("expiration: 9s"),
            message: "line 3: expiration: '9s' is too short: 10s is the least, which is a leaf's least too"),
        Case(
            name: "an imported CA with a key type",
            text: authority("keyType: EC-P256\nexpiration: 1y\ncert: {inlineString: '\(certificateLine)'}\nkey: \(noKey)"),
            message:
                "line 3: keyType: is what the certificate in 'cert' says itself: leave it out; line 4: expiration: is what the "
                + "certificate in 'cert' says itself: leave it out"),
        Case(
            name: "an imported CA without its key", text: authority("cert: {inlineString: '\(certificateLine)'}"),
            message:
                "line 1: key: is missing: give the private key, as 'key: {inlineString: …}', or {file: …} with 'signet apply'"),
        Case(
            name: "a CA of another origin", text: authority("origin: provided"),
            message: "line 3: origin: 'provided' needs cert and key: add them, or leave origin out"),
        Case(
            name: "an imported CA that is said to be made here",
            text: authority("origin: generated\ncert: {inlineString: '\(certificateLine)'}\nkey: \(noKey)"),
            message: "line 3: origin: 'generated' has no cert and no key: leave them or origin out"),
        Case(
            name: "a CA with an owner", text: authority("owner: payments"),
            message:
                "line 3: owner: is only there for a mesh's own CA, which is changed by its Mesh document: leave it out"),
        Case(
            name: "a misspelt field of a CA", text: authority("mesh: [a]"),
            message: "line 3: mesh: is not a known field: did you mean 'meshes'?"),
        Case(
            name: "a Kubernetes CA with a wrong field",
            text: "apiVersion: kuma.io/v1alpha1\nkind: CertificateAuthority\nmetadata: {name: corp}\nspec:\n  keytype: x\n",
            message: "line 5: spec.keytype: is not a known field: did you mean 'keyType'?"),
        Case(
            name: "a service without a selector", text: service("ports: [{port: 80}]"),
            message:
                "line 5: spec.selector: is missing: name at least one tag, such as 'dataplaneTags: {kuma.io/service: api}'"),
        Case(
            name: "a service that selects everybody", text: service("selector: {dataplaneTags: {}}"),
            message:
                "line 5: spec.selector.dataplaneTags: selects nothing: name at least one tag, such as 'dataplaneTags: "
                + "{kuma.io/service: api}'"),
        Case(
            name: "a service whose selector lost its last line", text: service("selector:\n    dataplaneTags:"),
            message:
                "line 6: spec.selector.dataplaneTags: selects nothing: name at least one tag, such as 'dataplaneTags: "
                + "{kuma.io/service: api}'"),
        Case(
            name: "a service that selects a Dataplane", text: service("selector: {dataplaneRef: {name: redis-0}}"),
            message:
                "line 5: spec.selector.dataplaneRef: selects Dataplane resources, and there are none here: a proxy is known by its "
                + "token's tags, use dataplaneTags"),
        Case(
            name: "a selector of labels beside tags",
            text: service("selector: {dataplaneTags: {app: a}, dataplane: {matchLabels: {app: a}}}"),
            message:
                "line 5: spec.selector.dataplane: selects Dataplane resources, and there are none here: a proxy is known by its "
                + "token's tags, use dataplaneTags"),
        Case(
            name: "a selector of any value", text: service("selector: {dataplaneTags: {app: '*', b: '', c: 1}}"),
            message:
                "line 5: spec.selector.dataplaneTags['c']: must be text, and 1 is a number: put it in quotes; "
                + "line 5: spec.selector.dataplaneTags['app']: '*' is not supported: name the value; "
                + "line 5: spec.selector.dataplaneTags['b']: must not be empty"),
        Case(
            name: "ports that are none",
            text: service(
                "selector: {dataplaneTags: {app: a}}\n  ports:\n  - {port: 0}\n  - {port: 65536, targetPort: 0}\n  - {name: x}\n"
                    + "  - {port: '80'}\n  - {port: 1, name: x, targetPort: [], protocol: tcp}"),
            message:
                "line 7: spec.ports[0].port: 0 must be between 1 and 65535; "
                + "line 8: spec.ports[1].targetPort: 0 must be between 1 and 65535; "
                + "line 8: spec.ports[1].port: 65536 must be between 1 and 65535; line 9: spec.ports[2].port: is missing; "
                + "line 10: spec.ports[3].port: must be a whole number, not the text '80'; "
                + "line 11: spec.ports[4].protocol: is not a known field: did you mean 'appProtocol'?; "
                + "line 11: spec.ports[4].name: 'x' is the name of another port: keep one; "
                + "line 11: spec.ports[4].targetPort: must be a port's number or name, not a list"),
        Case(
            name: "a service whose fields are not in spec",
            text: "type: MeshService\nname: s\nselector: {dataplaneTags: {app: a}}\n",
            message:
                "line 3: selector: is not a known field: known are type, mesh, name, annotations, labels, spec, status, "
                + "creationTime, kri, modificationTime; line 1: spec.selector: is missing: name at least one tag, such as "
                + "'dataplaneTags: {kuma.io/service: api}'"),
        Case(
            name: "a service of two meshes",
            text: "type: MeshService\nname: s\nmesh: a\nlabels: {kuma.io/mesh: b}\nspec: {selector: {dataplaneTags: {app: a}}}\n",
            message: "line 4: labels['kuma.io/mesh']: 'b' is not the mesh that 'mesh' names, 'a': leave one out"),
        Case(
            name: "a service of two namespaces",
            text: "apiVersion: kuma.io/v1alpha1\nkind: MeshService\nmetadata:\n  name: s\n  namespace: x\n"
                + "  labels: {k8s.kuma.io/namespace: y}\nspec: {selector: {dataplaneTags: {app: a}}}\n",
            message:
                "line 5: metadata.namespace: 'x' is not what the label 'k8s.kuma.io/namespace' says: leave one out"),
        Case(
            name: "one mesh twice",
            text: "type: Mesh\nname: a\n---\ntype: Mesh\nname: b\n---\nkind: Mesh\n"
                + "apiVersion: kuma.io/v1alpha1\nmetadata: {name: a}\n",
            message: "document 3, line 7: Mesh 'a' is there twice, first at line 1: keep one of the two"),
        Case(
            name: "one service twice",
            text: "type: MeshService\nname: s\nmesh: default\nspec: {selector: {dataplaneTags: {app: a}}}\n---\n"
                + "type: MeshService\nname: s\nspec: {selector: {dataplaneTags: {app: b}}}\n",
            message: "document 2, line 6: MeshService 'default/s' is there twice, first at line 1: keep one of the two"),
        Case(name: "not YAML", text: "type: Mesh\nname: [m\n", message: "line 3: not YAML: did not find expected ',' or ']'"),
        Case(
            name: "not JSON", text: "{\n\"type\": Mesh}",
            message: "line 2: not JSON: 'Mesh' is no value: quote it if it is text", format: .json),
    ]

    private static let openings =
        "'type: Mesh', 'type: CertificateAuthority', 'type: CrossMeshAccess' or 'type: MeshService'"
    private static let certificateLine = "-----BEGIN CERTIFICATE-----"
    private static let noKey = "{fingerprint: \(String(repeating: "0a", count: 32))}"

    private static func backends(_ lines: String...) -> String {
        "type: Mesh\nname: m\nmtls:\n  backends:\n" + lines.map { "  - \($0)\n" }.joined()
    }

    private static func authority(_ lines: String) -> String { "type: CertificateAuthority\nname: corp\n\(lines)\n" }

    private static func service(_ spec: String) -> String {
        "type: MeshService\nname: s\nmesh: m\nspec:\n  \(spec)\n"
    }

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
