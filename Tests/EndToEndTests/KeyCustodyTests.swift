import Foundation
import Postgres
import TestSupport
import Testing
import TokenSupport

/// Keys in an HSM, and the key-encryption key exchanged, with the program as an operator types it.
@Suite(.serialized, .timeLimit(.minutes(4))) struct KeyCustodyTests {
    private static let pin = "1234 end to end"

    /// An HSM with one token, which every process that starts from here on sees.
    private static func hsm(in workspace: Workspace) async throws -> (hsm: SoftHSM, pinFile: String) {
        let hsm = try SoftHSM(in: workspace.file("hsm"))
        try await hsm.makeToken("roots", pin: pin)
        setenv("SOFTHSM2_CONF", hsm.directory + "/softhsm2.conf", 1)
        return (hsm, try hsm.writePIN(pin, named: "pin"))
    }

    /// A leaf of the mesh, by its token, checked by openssl against the mesh's bundle.
    private static func expectLeaf(of mesh: String, from replica: Replica, in workspace: Workspace) async throws {
        let token = try workspace.write(
            try await replica.output("token", "dataplane", "--mesh", mesh, "--tag", "kuma.io/service=web"), to: "\(mesh).token")
        let client = try await Tool.python().run([
            Repository.path("Tests/EndToEndTests/sds_client.py"), "--address", "localhost:\(replica.sdsPort)",
            "--ca", replica.certificate, "--token-file", token, "fetch", "default",
        ])
        #expect(client.status == 0, "\(client)")
        let chain = try workspace.write(client.output, to: "\(mesh).chain.pem")
        let root = try workspace.write(try await replica.output("bundle", "show", "--mesh", mesh), to: "\(mesh).root.pem")
        let verdict = try await Tool.openssl.run([
            "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile", root, "-untrusted", chain, chain,
        ])
        #expect(verdict.status == 0, "\(verdict)")
    }

    private static func append(_ text: String, to configuration: String) throws {
        let before = try String(contentsOfFile: configuration, encoding: .utf8)
        try (before + "\n" + text).write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    @Test func `a CA in an HSM issues, rotates and survives a restart, and no key of it is in the database`() async throws {
        try await Workspace.open("hsm") { workspace in
            let (hsm, pinFile) = try await Self.hsm(in: workspace)
            let database = try await TestDatabase.make()
            let replica = try await Replica(in: workspace, named: "one", over: database.configuration)
            try Self.append("pkcs11:\n  modules: [\(SoftHSM.module)]\n  pinFiles: [\(pinFile)]\n", to: replica.configuration)
            let service = try await replica.launch()
            try await replica.waitUntilReady(service)

            func document(_ module: String, _ token: String, _ pinFile: String) throws -> String {
                try workspace.write(
                    """
                    type: CertificateAuthority
                    name: corp
                    keyStore:
                      pkcs11: {module: \(module), token: \(token), pinFile: \(pinFile)}
                    """, to: "corp.yaml")
            }
            for (module, token, file, words) in [
                ("/tmp/any.so", "roots", pinFile, "pkcs11.modules"), (SoftHSM.module, "roots", "/etc/shadow", "pkcs11.pinFiles"),
                (SoftHSM.module, "nowhere", pinFile, "no token labelled 'nowhere'"),
            ] {
                let path = try document(module, token, file)
                let refused = try await replica.commandLine.run(["apply", "-f", path])
                #expect(refused.status == 1 && refused.errors.contains(words), "\(refused)")
            }
            #expect(try await hsm.keyCount(in: "roots") == 0)
            try await replica.commandLine.output(["apply", "-f", try document(SoftHSM.module, "roots", pinFile)])
            let mesh = try workspace.write(
                "type: Mesh\nname: red\nmtls:\n  enabledBackend: corp\n"
                    + "  backends: [{name: corp, type: shared, conf: {authority: corp}}]\n", to: "red.yaml")
            try await replica.commandLine.output(["apply", "-f", mesh])
            try await Self.expectLeaf(of: "red", from: replica, in: workspace)

            let shell = try PostgresShell(database.configuration)
            let kept = try await shell.query(
                "SELECT length(ciphertext) + length(wrapped_data_key), token_key->'location'->>'token' FROM issuer_key "
                    + "JOIN issuer ON issuer = id WHERE certificate_authority = 'corp'")
            #expect(kept == "0|roots")

            try await replica.commandLine.output(["ca", "rotate", "corp", "--manual"])
            #expect(try await hsm.keyCount(in: "roots") == 4, "two pairs")
            let id = try #require(
                try await shell.query("SELECT id FROM rotation").split(separator: "\n").first.map(String.init))
            try await replica.commandLine.output(["rotation", "abort", id])

            service.send(SIGKILL)
            try await service.waitForEnd(within: .seconds(10))
            let again = try await replica.launch()
            try await replica.waitUntilReady(again)
            try await Self.expectLeaf(of: "red", from: replica, in: workspace)
        }
    }

    @Test func `the key-encryption key is exchanged for one in an HSM while the service runs, though it is killed twice`()
        async throws
    {
        try await Workspace.open("rewrap") { workspace in
            let (_, pinFile) = try await Self.hsm(in: workspace)
            let new = "pkcs11:token=roots;object=kek?module-path=\(SoftHSM.module)&pin-source=\(pinFile)"
            let database = try await TestDatabase.make()
            let replica = try await Replica(in: workspace, named: "one", over: database.configuration)
            let id = try await replica.tool.output(["keys", "create", new]).trimmingCharacters(in: .whitespacesAndNewlines)
            let twice = try await replica.tool.run(["keys", "create", new])
            #expect(twice.status == 1 && twice.errors.contains("already"), "\(twice)")

            let shell = try PostgresShell(database.configuration)
            func ids() async throws -> Set<String> {
                Set(
                    try await shell.query(
                        "SELECT kek_id FROM issuer_key UNION SELECT kek_id FROM token_signing_key UNION SELECT kek_id FROM service_key"
                    ).split(separator: "\n").map(String.init))
            }
            let lonely = try await replica.launch()
            try await replica.waitUntilReady(lonely)
            let old = try await ids()
            let refused = try await replica.tool.run(["keys", "rewrap", "--config", replica.configuration, "--new-key", new])
            #expect(refused.status == 1 && refused.errors.contains("has not the key-encryption key \(id)"), "\(refused)")
            #expect(try await ids() == old)
            lonely.send(SIGKILL)
            try await lonely.waitForEnd(within: .seconds(10))
            // Whoever was killed counts as living for a while.
            try await shell.query("UPDATE replica SET seen_at = seen_at - interval '1 hour'")

            try Self.append("additionalKeyEncryptionKeys: [\"\(new)\"]\n", to: replica.configuration)
            let service = try await replica.launch()
            try await replica.waitUntilReady(service)
            let command = ["keys", "rewrap", "--config", replica.configuration, "--new-key", new]
            for point in ["kill-before-commit:keys-rewrapped", "kill-after-commit:keys-rewrapped"] {
                let tool = Tool(
                    SignetProcess.executable, install: "swift build", environment: ["FAILPOINT_SIGNET": point])
                let killed = try await tool.run(command)
                #expect(killed.status == 128 + SIGKILL, "\(killed)")
                let isBefore = point.contains("before")
                #expect(try await ids() == (isBefore ? old : [id]))
                try await Self.expectLeaf(of: "default", from: replica, in: workspace)
                // Sealed under the old key, which is the one that seals still.
                let mesh = try workspace.write(
                    "type: Mesh\nname: \(isBefore ? "a" : "b")\nmtls:\n  enabledBackend: ca-1\n"
                        + "  backends: [{name: ca-1, type: builtin}]\n", to: "mesh.yaml")
                try await replica.commandLine.output(["apply", "-f", mesh])
            }
            let done = try await replica.tool.output(command)
            #expect(done.contains("sealed 2 rows under \(id)"), "\(done)")
            #expect(try await ids() == [id])
            let audited = try await shell.query("SELECT count(*) FROM audit WHERE action = 'keys-rewrapped'")
            #expect(audited == "2")
            let status = try await replica.tool.output(["keys", "status", "--config", replica.configuration])
            for key in old { #expect(status.contains(try Regex("\(key) +0 +seals")), "\(status)") }
            service.send(SIGKILL)
            try await service.waitForEnd(within: .seconds(10))

            // With the new key alone everything opens.
            let text = try String(contentsOfFile: replica.configuration, encoding: .utf8).split(separator: "\n")
                .filter { !$0.hasPrefix("keyEncryptionKeyFile") && !$0.hasPrefix("additionalKeyEncryptionKeys") }
            try (text.joined(separator: "\n") + "\nkeyEncryptionKeyURI: \"\(new)\"\n").write(
                toFile: replica.configuration, atomically: true, encoding: .utf8)
            let last = try await replica.launch()
            try await replica.waitUntilReady(last)
            for mesh in ["default", "a", "b"] { try await Self.expectLeaf(of: mesh, from: replica, in: workspace) }
        }
    }
}
