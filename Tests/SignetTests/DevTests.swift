import Foundation
import TestSupport
import Testing

@Suite struct DevTests {
    /// Files of a CA and of a certificate that it signed, whose own file does not have the CA in it.
    private func makeFiles(in workspace: Workspace) async throws {
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
        try await Tool.openssl.output(
            ["req", "-x509"] + curve + [
                "-subj", "/CN=corporate", "-keyout", workspace.file("corporate.key"), "-out", workspace.file("corporate.crt"),
            ])
        try await Tool.openssl.output(
            ["req", "-x509"] + curve + [
                "-subj", "/CN=signet", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext",
                "basicConstraints=critical,CA:false", "-CA", workspace.file("corporate.crt"), "-CAkey",
                workspace.file("corporate.key"), "-keyout", workspace.file("tls.key"), "-out", workspace.file("tls.crt"),
            ])
    }

    @Test func `With a serving certificate of the operator's, the commands and Envoy are told the CA behind it`() async throws {
        try await Workspace.open("dev") { workspace in
            try await makeFiles(in: workspace)
            let signet = try SignetProcess(
                in: workspace,
                settings: [
                    "tls.certificateFile": workspace.file("tls.crt"), "tls.keyFile": workspace.file("tls.key"),
                    "tls.caFile": workspace.file("corporate.crt"),
                ])
            try await signet.start()
            try await eventually(within: .seconds(20), "the endpoints") {
                FileManager.default.fileExists(atPath: signet.dataDirectory + "/endpoints.json")
            }
            let meshes = try await signet.command("get", "meshes")
            #expect(meshes.contains("default"))
            let token = try workspace.write(
                try await signet.command("token", "dataplane", "--mesh", "default", "--tag", "kuma.io/service=web"), to: "token")
            let bootstrap = try await signet.command(
                "envoy", "bootstrap", "--mesh", "default", "--service", "web", "--token-file", token, "--inbound",
                "127.0.0.1:10080=127.0.0.1:8080")
            let authority = try String(contentsOfFile: workspace.file("corporate.crt"), encoding: .utf8)
            let line = try #require(authority.split(separator: "\n").dropFirst().first)
            #expect(bootstrap.contains(line), "\(bootstrap)")
            #expect(try await signet.terminate() == .exited(0), "\(signet.log)")
        }
    }

    @Test func `A serving certificate of the operator's without its CA is refused before anything is made`() async throws {
        try await Workspace.open("dev") { workspace in
            try await makeFiles(in: workspace)
            let line = [
                "dev", "--data-dir", workspace.file("data"), "--sds-port", "0", "--mtls-port", "0", "--admin-port", "0",
                "--health-port", "0", "--set", "tls.certificateFile=\(workspace.file("tls.crt"))", "--set",
                "tls.keyFile=\(workspace.file("tls.key"))",
            ]
            let without = try await SignetLine().run(line)
            #expect(without.status == 2, "\(without)")
            #expect(
                without.errors
                    == "signet: tls.caFile is not set: name the PEM file of the CA that signed tls.certificateFile, so that the commands know it\n"
            )
            #expect(!FileManager.default.fileExists(atPath: workspace.file("data")))
            let wrong = try await SignetLine().run(line + ["--set", "tls.caFile=\(workspace.file("tls.key"))"])
            #expect(wrong.status == 1 && wrong.errors.contains("name another file in tls.caFile"), "\(wrong)")
        }
    }
}
