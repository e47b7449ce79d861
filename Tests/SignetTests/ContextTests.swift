import Foundation
import TestSupport
import Testing

@testable import signet

/// Contexts: servers by name, with the built program and a folder of its own for their file.
@Suite struct ContextTests {
    /// A command line whose contexts are in the workspace.
    private func line(_ workspace: Workspace, _ environment: [String: String] = [:]) -> SignetLine {
        SignetLine(["SIGNET_CONFIG_DIR": workspace.file("config")].merging(environment) { $1 })
    }

    private func makeAuthority(in workspace: Workspace) async throws -> String {
        try await Tool.openssl.output([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=ca",
            "-keyout", workspace.file("ca.key"), "-out", workspace.file("ca.pem"),
        ])
        return workspace.file("ca.pem")
    }

    @Test func `A context is set, chosen, listed, left and deleted, in a file for its owner alone`() async throws {
        try await Workspace.open("context") { workspace in
            let signet = line(workspace)
            let token = try workspace.write("secret-token\n", to: "admin.token")
            let authority = try await makeAuthority(in: workspace)
            let set = try await signet.run(
                "config", "set", "production", "--address", "https://signet.example", "--token-file", token, "--ca-file",
                authority)
            #expect(set.status == 0 && set.output.hasPrefix("context 'production' set: choose it with"), "\(set)")
            #expect(try await signet.run("config", "set", "lab", "--address", "lab.example:1").status == 0)
            let path = workspace.file("config/config.yaml")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)

            let used = try await signet.run("config", "use", "production")
            #expect(used.output == "context 'production' is the chosen one\n", "\(used)")
            let table = try await signet.run("config", "get")
            #expect(
                table.output == """
                    CHOSEN  NAME        ADDRESS                 TOKEN FILE\(String(repeating: " ", count: token.count - 10))  CA FILE
                    -       lab         lab.example:1           -\(String(repeating: " ", count: token.count - 1))  -
                    *       production  https://signet.example  \(token)  \(authority)

                    """, "\(table)")
            let list = try await signet.run("config", "get", "-o", "json")
            #expect(list.output.contains(#""name": "production","#) && list.output.contains(#""current": true"#), "\(list)")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(!(text + table.output + list.output).contains("secret-token"))

            let wrong = try await signet.run("config", "use", "produktion")
            #expect(wrong.status == 2, "\(wrong)")
            #expect(wrong.errors == "signet: there is no context 'produktion': did you mean 'production'?\n")
            #expect(try await signet.run("config", "use", "--none").output == "no context is chosen\n")
            #expect(try await signet.run("config", "use", "production").status == 0)
            let deleted = try await signet.run("config", "delete", "production")
            #expect(deleted.output == "context 'production' deleted; it was the chosen one, and now none is\n", "\(deleted)")
            #expect(FileManager.default.fileExists(atPath: token), "the files that it named stay")
            #expect(try ContextFile(path: path).contexts.map(\.name) == ["lab"])
        }
    }

    @Test func `A context whose files are missing or of the wrong kind is refused, and nothing is written`() async throws {
        try await Workspace.open("context") { workspace in
            let signet = line(workspace)
            let empty = try workspace.write("\n", to: "empty")
            let bearer = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJyb290In0.c2lnbmF0dXJl"
            let cases: [(arguments: [String], line: String)] = [
                (
                    ["--token-file", "/nonexistent/token"],
                    "there is no file /nonexistent/token: name an existing one with --token-file"
                ),
                (["--token-file", empty], "\(empty) holds no token: name another file with --token-file"),
                (["--ca-file", empty], "the CA file holds no PEM certificate: name another with --ca-file"),
                (
                    ["--token-file", bearer],
                    "--token-file takes the name of a file, not a token: write the token to a file of mode 0600, and name it"
                ),
            ]
            for (arguments, expected) in cases {
                let result = try await signet.run(["config", "set", "c", "--address", "https://a"] + arguments)
                #expect(result.status == 2 && result.errors == "signet: \(expected)\n", "\(result)")
                #expect(!result.errors.contains(bearer))
            }
            let address = try await signet.run("config", "set", "c", "--address", "http://a")
            #expect(address.status == 2 && address.errors.contains("is not the address of an admin API"), "\(address)")
            let name = try await signet.run("config", "set", "a b", "--address", "https://a")
            #expect(name.status == 2 && name.errors.contains("'a b' cannot name a context"), "\(name)")
            #expect(!FileManager.default.fileExists(atPath: workspace.file("config")))
        }
    }

    @Test func `Flags come before the environment, that before the chosen context, and that before signet dev`() async throws {
        try await Workspace.open("context") { workspace in
            let port = try Ports.free()
            try workspace.write("t\n", to: "token")
            try FileManager.default.createDirectory(atPath: workspace.file("data"), withIntermediateDirectories: false)
            try workspace.write(
                """
                {"admin":"https://127.0.0.1:\(port)","sds":"127.0.0.1:1","mtls":"127.0.0.1:2","health":"http://127.0.0.1:3",
                "caFile":"\(try await makeAuthority(in: workspace))","tokenFile":"\(workspace.file("token"))"}
                """, to: "data/endpoints.json")
            let base = ["SIGNET_DATA_DIR": workspace.file("data")]
            func asked(_ environment: [String: String], _ flags: [String] = []) async throws -> String {
                let result = try await line(workspace, base.merging(environment) { $1 }).run(["get", "meshes"] + flags)
                #expect(result.status == 1, "\(result)")
                return result.errors
            }
            #expect(try await asked([:]).contains("https://127.0.0.1:\(port) "))
            let setting = line(workspace, base)
            #expect(try await setting.run("config", "set", "c", "--address", "https://127.0.0.2:\(port)").status == 0)
            #expect(try await asked([:]).contains("https://127.0.0.1:\(port) "), "set, and not chosen")
            #expect(try await setting.run("config", "use", "c").status == 0)
            #expect(try await asked([:]).contains("https://127.0.0.2:\(port) "))
            let environment = ["SIGNET_ADDRESS": "https://127.0.0.3:\(port)"]
            #expect(try await asked(environment).contains("https://127.0.0.3:\(port) "))
            #expect(
                try await asked(environment, ["--address", "https://127.0.0.4:\(port)"]).contains("https://127.0.0.4:\(port) "))
        }
    }

    @Test func `The token of a context goes to the context's own server alone`() throws {
        let folder = NSTemporaryDirectory() + "signet-context-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "of-the-context\n".write(toFile: folder + "/token", atomically: false, encoding: .utf8)
        try ContextFile.change(folder + "/config.yaml") { file throws(CommandFailure) in
            file.set(ServerContext(name: "c", address: "https://a.example", tokenFile: folder + "/token"))
            try file.use("c")
        }
        let environment = ["SIGNET_CONFIG_DIR": folder]
        var options = try ServerOptions.parse([])
        #expect(try ServerLocation.find(options, environment: environment).token == "of-the-context")
        options.address = "https://b.example"
        #expect(try ServerLocation.find(options, environment: environment).token == nil)
        let named = environment.merging(["SIGNET_ADDRESS": "https://b.example"]) { $1 }
        #expect(try ServerLocation.find(try ServerOptions.parse([]), environment: named).token == nil)
    }

    @Test(arguments: [
        ("current: c\n", "line 1: current: there is no context 'c' in the file"),
        ("contexts:\n  c:\n    adress: https://a\n", "line 3: contexts.c.adress: is not a known field: did you mean 'address'?"),
        ("contexts:\n  c: {}\n", "line 2: contexts.c.address: is missing"),
        (
            "contexts:\n  c: {address: https://a, tokenFile: t}\n",
            "line 2: contexts.c.tokenFile: must be the absolute path of a file"
        ),
        (
            "contexts:\n  c: {address: https://a, token: t0ps3cret}\n",
            "a token stands in a file of its own, which 'tokenFile' names"
        ),
        ("contexts: [a]\n", "line 1: contexts: must be a mapping"),
        ("contexts: {c: {address: 1}}\n", "line 1: contexts.c.address: must be text"),
        ("a: &x b\nc: *x\n", "line 1"),
        ("current: a\ncurrent: b\n", "line 1: the key 'current' occurs twice"),
        ("contexts: {}\n---\ncontexts: {}\n", "there is a second document"),
    ])
    func `A file of contexts that is not understood is refused by line and field`(text: String, reason: String) async throws {
        try await Workspace.open("context") { workspace in
            try FileManager.default.createDirectory(atPath: workspace.file("config"), withIntermediateDirectories: false)
            let path = try workspace.write(text, to: "config/config.yaml")
            for arguments in [["get", "meshes"], ["config", "get"], ["config", "set", "n", "--address", "https://a"]] {
                let result = try await line(workspace).run(arguments)
                #expect(result.status == 2 && result.output.isEmpty, "\(result)")
                #expect(result.errors.hasPrefix("signet: \(path): ") && result.errors.contains(reason), "\(result)")
                #expect(result.errors.split(separator: "\n").count == 1 && !result.errors.contains("t0ps3cret"), "\(result)")
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text, "a file that is not understood is not replaced")
        }
    }

    @Test func `A file of contexts that others may write is refused, for they would choose who gets the token`() async throws {
        try await Workspace.open("context") { workspace in
            let signet = line(workspace)
            #expect(try await signet.run("config", "set", "c", "--address", "https://a").status == 0)
            let path = workspace.file("config/config.yaml")
            chmod(path, 0o666)
            let result = try await signet.run("config", "get")
            #expect(result.status == 2 && result.errors.contains("chmod 600 \(path)"), "\(result)")
        }
    }

    @Test(arguments: [
        (["SIGNET_CONFIG_DIR": "/a", "XDG_CONFIG_HOME": "/b", "HOME": "/c"], "/a/config.yaml"),
        (["XDG_CONFIG_HOME": "/b", "HOME": "/c"], "/b/signet/config.yaml"),
        (["XDG_CONFIG_HOME": "relative", "HOME": "/c"], "/c/.config/signet/config.yaml"),
        (["HOME": "/c"], "/c/.config/signet/config.yaml"),
    ])
    func `The file of contexts is where XDG wants it, unless it is named`(environment: [String: String], path: String) {
        #expect(ContextFile.standardPath(environment) == path)
    }
}
