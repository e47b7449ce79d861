import AdminWire
import PKI
import Testing

/// Files that documents name as the source of a certificate or key, read by `apply` before anything is sent.
@Suite struct DataFilesTests {
    @Test func `files take their place in the documents that may name them, relative to the document`() throws {
        var asked: [String] = []
        let files = DataFiles(directory: "/etc/docs") { path, _ in
            asked.append(path)
            return Array((path.hasSuffix("key.pem") ? key : certificate).utf8)
        }
        let backends = "backends: [{name: a, type: provided, conf: {cert: {file: ca.pem}, key: {file: /run/key.pem}}}]"
        let text = """
            type: Mesh
            name: m
            mtls: {\(backends)}
            ---
            apiVersion: kuma.io/v1alpha1
            kind: Mesh
            metadata: {name: n}
            spec: {mtls: {\(backends)}}
            ---
            type: CertificateAuthority
            name: corp
            cert: {file: ca.pem}
            key: {file: sub/key.pem}
            ---
            apiVersion: kuma.io/v1alpha1
            kind: CertificateAuthority
            metadata: {name: other}
            spec: {cert: {file: ca.pem}, key: {file: ../key.pem}}
            """
        let read = try DocumentFile.documents(in: Array(text.utf8), format: .yaml, files: files)
        let pair = KeySource.pem(PrivateKeyText(key))
        for document in read {
            switch document {
            case .mesh(let mesh): #expect(mesh.mtls?.backends.map(\.kind) == [.provided(certificatePEM: certificate, key: pair)])
            case .certificateAuthority(let authority):
                #expect(authority.root == .provided(certificatePEM: certificate, key: pair))
            case .crossMeshAccess, .meshService: Issue.record("\(document.label)")
            }
        }
        #expect(read.map(\.label) == ["Mesh 'm'", "Mesh 'n'", "CertificateAuthority 'corp'", "CertificateAuthority 'other'"])
        #expect(
            asked == [
                "/etc/docs/ca.pem", "/run/key.pem", "/etc/docs/ca.pem", "/run/key.pem", "/etc/docs/ca.pem",
                "/etc/docs/sub/key.pem",
                "/etc/docs/ca.pem", "/etc/docs/../key.pem",
            ])
        // What is sent can be read by a server, which reads no file.
        for document in read { #expect(try documents(document.requestJSON.json, .json) == [document]) }
    }

    @Test func `a file that cannot be had is named with its document, line and field`() throws {
        let files = DataFiles(directory: "") { path, limit in
            switch path {
            case "gone": throw InvalidName("there is no such file")
            case "large": [UInt8](repeating: 0x41, count: limit + 1)
            case "binary": [0x30, 0x82, 0xFF]
            default: Array(certificate.utf8)
            }
        }
        let text = """
            type: Mesh
            name: m
            ---
            type: Mesh
            name: n
            mtls:
              backends:
              - name: a
                type: provided
                conf:
                  cert: {file: gone}
                  key: {file: large}
              - name: b
                type: provided
                conf: {cert: {file: binary}, key: {file: ''}}
            """
        let error = #expect(throws: DocumentError.self) {
            try DocumentFile.documents(in: Array(text.utf8), format: .yaml, files: files)
        }
        #expect(
            error?.description
                == "document 2, line 11: mtls.backends[0].conf.cert.file: 'gone' cannot be read: there is no such file; "
                + "line 12: mtls.backends[0].conf.key.file: 'large' has more than the 65536 bytes accepted: name the right file; "
                + "line 15: mtls.backends[1].conf.cert.file: 'binary' is not PEM text: convert it, such as with "
                + "'openssl x509 -inform DER' or 'openssl pkey'; line 15: mtls.backends[1].conf.key.file: '' is no path: name a file"
        )
        let authority =
            "apiVersion: kuma.io/v1alpha1\nkind: CertificateAuthority\nmetadata: {name: c}\nspec:\n  key: {file: gone}\n"
        let second = #expect(throws: DocumentError.self) {
            try DocumentFile.documents(in: Array(authority.utf8), format: .yaml, files: files)
        }
        #expect(second?.description == "line 5: spec.key.file: 'gone' cannot be read: there is no such file")
    }

    @Test func `a file beside another source, or of a wrong type, is refused unread`() {
        let files = DataFiles(directory: "") { path, _ in
            Issue.record("\(path) was read")
            return []
        }
        for cert in ["{file: a, inlineString: b}", "{file: [a]}", "{file: 1}", "a", "[{file: a}]", "{}"] {
            let text = "type: CertificateAuthority\nname: c\ncert: \(cert)\nkey: {inlineString: x}\n"
            #expect(throws: DocumentError.self, "\(cert)") {
                try DocumentFile.documents(in: Array(text.utf8), format: .yaml, files: files)
            }
        }
        let mesh = "type: Mesh\nname: m\nnetworking: {cert: {file: a}}\nlabels: {file: b}\n"
        #expect(throws: Never.self) { try DocumentFile.documents(in: Array(mesh.utf8), format: .yaml, files: files) }
    }
}

private let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
private let key = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"
