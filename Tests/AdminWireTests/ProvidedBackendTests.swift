import AdminWire
import Foundation
import PKI
import Testing

/// Backends whose certificate authority the mesh does not make for itself; above all, where a private key must not get to.
@Suite struct ProvidedBackendTests {
    @Test func `a shared backend names its CA and is given back as it was written`() throws {
        let text = "{name: a, type: shared, mode: PERMISSIVE, dpCert: {rotation: {expiration: 1h}}, conf: {authority: corp}}"
        let backend = try backend(text)
        #expect(backend.kind == .shared(authority: "corp"))
        #expect(backend.mode == .permissive && backend.leafLifetime?.text == "1h")
        #expect(
            backend.source.json
                == #"{"name":"a","type":"shared","mode":"PERMISSIVE","dpCert":{"rotation":{"expiration":"1h"}},"#
                + #""conf":{"authority":"corp"}}"#)
    }

    @Test func `a provided backend brings its root by text or by base64`() throws {
        for source in ["inlineString: \"\(escaped(certificate))\"", "inline: \(base64(certificate))"] {
            let backend = try backend("{name: a, type: provided, conf: {cert: {\(source)}, key: {inline: \(base64(key))}}}")
            #expect(backend.kind == .provided(certificatePEM: certificate, key: .pem(PrivateKeyText(key))))
        }
    }

    @Test func `base64 of several lines is read`() throws {
        let long = certificate + String(repeating: "x", count: 200)
        let lines = Data(long.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
        let text = """
            type: Mesh
            name: m
            mtls:
              backends:
              - name: a
                type: provided
                conf:
                  cert:
                    inline: |
            \(lines.split(separator: "\n").map { "          \($0)" }.joined(separator: "\n"))
                  key: {fingerprint: \(fingerprint.uppercased())}
            """
        let kind = try #require(try meshes(text).first?.mtls?.backends.first?.kind)
        #expect(
            kind == .provided(certificatePEM: long, key: .fingerprint(Fingerprint(sha256: Array(repeating: 0xAB, count: 32)))))
    }

    @Test func `a document is given back without the key that it brought, and asked for with it`() throws {
        let text = mesh("{inlineString: \"\(escaped(key))\"}")
        let document = try #require(try documents(text).first)
        for json in [document.json(), document.json(.kubernetes)] {
            #expect(!json.json.contains("PRIVATE KEY") && !json.json.contains(secret))
            #expect(!json.json.contains(#""key""#))
        }
        #expect(try documents(document.requestJSON.json, .json) == [document])
        guard case .mesh(let mesh) = document, let backend = mesh.mtls?.backends.first else {
            Issue.record("no mesh with a backend")
            return
        }
        #expect(!backend.source.json.contains("PRIVATE KEY") && backend.source["conf"]?["key"] == nil)
        #expect(backend.source["conf"]?["cert"]?["inlineString"] == .string(certificate))
    }

    @Test(arguments: DocumentForm.allCases) func `a key is read back by its fingerprint, which means unchanged`(
        form: DocumentForm
    )
        throws
    {
        let written = try documents(mesh("{fingerprint: \(fingerprint)}"))
        let json = try #require(written.first).json(form)
        #expect(json.json.contains(#""key":{"fingerprint":"\#(fingerprint)"}"#))
        #expect(try documents(json.json, .json) == written)
        #expect(try documents(json.yaml) == written)
    }

    @Test func `the server gives back the fingerprint of the key that a document brought`() throws {
        var backend = try backend(
            "{name: a, type: provided, conf: {cert: {inline: \(base64(certificate))}, key: {inline: \(base64(key))}}}")
        guard case .provided(let certificatePEM, _) = backend.kind else {
            Issue.record("not provided")
            return
        }
        backend.kind = .provided(
            certificatePEM: certificatePEM, key: .fingerprint(Fingerprint(sha256: Array(repeating: 1, count: 32))))
        let mesh = MeshDocument(
            name: try MeshName("m"), trustDomain: try TrustDomain("m"), mtls: .init(enabledBackend: "a", backends: [backend]))
        let conf = try #require(mesh.json()["mtls"]?["backends"]?.elements?.first?["conf"])
        #expect(
            conf.json
                == #"{"cert":{"inline":"\#(base64(certificate))"},"key":{"fingerprint":"\#(String(repeating: "01", count: 32))"}}"#
        )
    }

    @Test func `a key is not printed by anything that prints`() throws {
        let document = try #require(try documents(mesh("{inlineString: \"\(escaped(key))\"}")).first)
        var dumped = ""
        dump(document, to: &dumped)
        for text in ["\(document)", String(reflecting: document), dumped] {
            #expect(!text.contains(secret) && text.contains("private key (redacted)"))
        }
    }

    @Test(arguments: [
        "\"%\"", "{\"%\": x}", "{inline: \"%\"}", "{inlineString: [\"%\"]}", "{inlineString: {\"%\": x}}", "{fingerprint: \"%\"}",
        "{file: \"%\"}", "{inlineString: \"%\", inline: \"%\"}", "{secret: \"%\"}", "[\"%\"]", "{inlineString: \"%\", x: y}",
    ]) func `no message about a misplaced key quotes it`(shape: String) {
        let text = mesh(shape.replacingOccurrences(of: "%", with: secret))
        let error = #expect(throws: DocumentError.self) { try documents(text) }
        #expect(error?.description.contains(secret.prefix(8)) == false)
        #expect(error?.issues.allSatisfy { $0.line == 5 && $0.field.hasPrefix("mtls.backends[0].conf.key") } == true)
    }

    private func backend(_ text: String) throws -> MeshDocument.Backend {
        try #require(try meshes("type: Mesh\nname: m\nmtls:\n  backends:\n  - \(text)\n").first?.mtls?.backends.first)
    }

    private func mesh(_ key: String) -> String {
        "type: Mesh\nname: m\nmtls:\n  backends:\n  - {name: a, type: provided, conf: {cert: {inlineString: "
            + "\"\(escaped(certificate))\"}, key: \(key)}}\n"
    }

    private func escaped(_ text: String) -> String { text.split(separator: "\n").joined(separator: "\\n") + "\\n" }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}

private let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
private let secret = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEH"
private let key = "-----BEGIN PRIVATE KEY-----\n\(secret)\n-----END PRIVATE KEY-----\n"
private let fingerprint = String(repeating: "ab", count: 32)
