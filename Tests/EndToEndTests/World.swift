import Foundation
import TestSupport

/// One Signet with everything that a test puts around it: proxies, apps, tokens. All of it ends with the test.
struct World: Sendable {
    let workspace: Workspace
    let signet: SignetProcess

    /// Starts `signet dev` in a folder of its own and runs `body`; if that throws, the logs are printed.
    ///
    /// With `unixSocket` the proxies' services listen there too. `settings` are keys of the service's configuration;
    /// `failpoint` is where a debug build leaves something out, or ends.
    static func open<Value: Sendable>(
        _ name: String, unixSocket: Bool = false, settings: [String: String] = [:], failpoint: String? = nil,
        _ body: (World) async throws -> Value
    ) async throws -> Value {
        try await Workspace.open(name) { workspace in
            do {
                var settings = settings
                if unixSocket { settings["listen.unix"] = socket(in: workspace) }
                let signet = try SignetProcess(
                    in: workspace, settings: settings, environment: ["FAILPOINT_SIGNET": failpoint])
                try await signet.start()
                return try await body(World(workspace: workspace, signet: signet))
            } catch {
                printLogs(of: workspace)
                throw error
            }
        }
    }

    private static func socket(in workspace: Workspace) -> String { workspace.file("sds.sock") }

    /// Where the service listens beside its ports, if it was asked to.
    var unixSocket: String { World.socket(in: workspace) }

    static func printLogs(of workspace: Workspace) {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: workspace.path)) ?? []
        for file in files.sorted() where file.hasSuffix(".log") {
            let text = (try? String(contentsOfFile: workspace.file(file), encoding: .utf8)) ?? ""
            FileHandle.standardError.write(Data("---- \(file)\n\(text.suffix(6000))\n".utf8))
        }
    }

    /// Makes a mesh with a CA of its own.
    func makeMesh(_ name: String, leafLife: String = "1d") async throws {
        let document = """
            type: Mesh
            name: \(name)
            mtls:
              enabledBackend: ca-1
              backends:
              - name: ca-1
                type: builtin
                dpCert: {rotation: {expiration: \(leafLife)}}
            """
        try await signet.command("apply", "-f", "-", input: document)
    }

    /// A dataplane token for a service, in a file of the workspace; returns the file's path.
    @discardableResult func makeToken(
        _ file: String, mesh: String, service: String, proxy: String? = nil, validFor: String = "1h"
    ) async throws -> String {
        try workspace.write(try await token(mesh: mesh, service: service, proxy: proxy ?? file, validFor: validFor), to: file)
    }

    /// A dataplane token for a service.
    func token(mesh: String, service: String, proxy: String, validFor: String = "1h") async throws -> String {
        try await signet.command(
            "token", "dataplane", "--mesh", mesh, "--name", proxy, "--tag", "kuma.io/service=\(service)",
            "--valid-for", validFor
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The ledger's certificates of a mesh.
    func certificates(of mesh: String) async throws -> [LedgerCertificate] {
        try await signet.json(Listing<LedgerCertificate>.self, "get", "certificates", "--mesh", mesh).items
    }

    /// The leaves that the ledger has of one service.
    func leaves(of service: String, in mesh: String) async throws -> [LedgerCertificate] {
        try await certificates(of: mesh).filter { $0.kind == "leaf" && $0.identity == "spiffe://\(mesh)/\(service)" }
    }

    /// The proxies of a mesh, as the service sees them.
    func proxies(of mesh: String) async throws -> [ProxyReport] {
        try await signet.json(Listing<ProxyReport>.self, "get", "proxies", "--mesh", mesh).items
    }

    /// The audit trail of a mesh's or of all actions, as text.
    func audit() async throws -> String {
        try await adminRequest("GET", "/audit?size=1000")
    }

    /// Waits until the audit trail, which is written behind the answers, has a word.
    func waitForAudit(_ word: String) async throws {
        try await eventually(within: .seconds(10), "'\(word)' in the audit trail") { try await audit().contains(word) }
    }

    /// A request to the admin API with the administrator's token, through curl: the answer's body.
    func adminRequest(_ method: String, _ path: String, body: String? = nil) async throws -> String {
        let token = try String(contentsOfFile: signet.adminTokenFile, encoding: .utf8)
        let type = body == nil ? "" : "header = \"content-type: application/json\"\n"
        let configuration = """
            \(type)url = "https://localhost:\(signet.adminPort)\(path)"
            request = "\(method)"
            cacert = "\(signet.authorityFile)"
            header = "authorization: Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))"
            silent
            show-error
            """
        let file = try workspace.write(configuration, to: "curl.\(UInt32.random(in: .min ... .max))")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let data = try body.map { ["--data-binary", "@" + (try workspace.write($0, to: "curl.body"))] } ?? []
        return try await Tool("curl", install: "apt-get install curl").output(["--config", file] + data)
    }

    /// Runs the independent SDS client.
    func sdsClient(_ arguments: [String], within limit: Duration = .seconds(60)) async throws -> Tool.Result {
        try await Tool.python().run([Repository.path("Tests/EndToEndTests/sds_client.py")] + arguments, within: limit)
    }
}

/// What a list answers.
struct Listing<Item: Decodable & Sendable>: Decodable, Sendable {
    let total: Int
    let items: [Item]
}
