import AdminWire
import Foundation
import TestSupport
import Testing

@testable import signet

/// Rotations by the commands of the built program, against a `signet dev` of its own.
@Suite(.serialized) struct RotationCommandTests {
    @Test(arguments: [
        (["ca", "rotate"], "name a certificate authority, or a mesh with --mesh"),
        (["ca", "rotate", "corp", "--mesh", "m"], "a name and --mesh exclude each other"),
        (["ca", "rotate", ""], "the name is empty"),
        (["ca", "rotate", "corp", "--cert", "c.pem"], "--cert needs --key beside it"),
        (["ca", "rotate", "corp", "--key", "k.pem"], "--key needs --cert beside it"),
        (["ca", "rotate", "corp", "--watch", "--dry-run"], "--watch and --dry-run exclude each other"),
        (["ca", "rotate", "corp", "--retire-after", "never"], "never"), (["ca", "rotate", "corp", "--key-type", "DSA"], "'DSA'"),
        (["ca", "rotate", "corp", "--key-type", "EC-P256", "--cert", "c", "--key", "k"], "--key-type"),
        (["ca", "rotate", "corp", "--cert", "/nonexistent/c", "--key", "/nonexistent/k"], "no file /nonexistent/c"),
        (["rotation", "status", ""], "the id is empty"), (["rotation", "watch"], "id"),
        (["rotation", "advance", "rot-1", "--force"], "--force needs --reason"),
        (["rotation", "pause", "rot-1", "--reason", " "], "--reason says nothing"),
        (["rotation", "abort", "rot-1", "--reason", "a\nb"], "--reason has a line end"),
        (["ca", "revoke", "corp", "--issuer", "0123456789abcdef"], "--reason"),
        (["ca", "revoke", "corp", "--reason", "x"], "--issuer"),
        (["ca", "revoke", "corp", "--issuer", "old", "--reason", "x"], "'old' is not the id of an issuer"),
        (["ca", "revoke", "corp", "--issuer", "0123456789abcdef", "--reason", "x", "--timeout", "soon"], "--timeout 'soon'"),
        (["ca", "revoke", "corp", "--issuer", "0123456789abcdef", "--reason", "x", "--cert", "c"], "--cert needs --key"),
    ])
    func `What cannot be asked is wrong usage, before a server is asked`(arguments: [String], words: String) async throws {
        let result = try await SignetLine().run(arguments)
        #expect(result.status == 2 && result.output.isEmpty && result.errors.hasPrefix("signet: "), "\(result)")
        #expect(result.errors.split(separator: "\n").count == 1 && result.errors.contains(words), "\(result)")
        #expect(!result.errors.contains("no server is known"))
    }

    private func refused(_ signet: SignetProcess, _ arguments: String..., words: [String]) async throws {
        let result = try await signet.commandLine.run(arguments)
        #expect(result.status == 1 && result.errors.split(separator: "\n").count == 1, "\(result)")
        for word in words { #expect(result.errors.contains(word), "\(arguments): \(result)") }
    }

    private func newest(_ signet: SignetProcess) async throws -> RotationMessage {
        struct List: Decodable {
            var items: [RotationMessage]
        }
        return try #require(try await signet.json(List.self, "get", "rotations").items.first)
    }

    /// Waits until a rotation is as it should be.
    private func wait(
        _ signet: SignetProcess, _ id: String, _ what: String, _ isThere: @Sendable (RotationMessage) -> Bool
    ) async throws {
        try await eventually(within: .seconds(60), what) {
            isThere(try await signet.json(RotationMessage.self, "rotation", "status", id))
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `A root is rotated by command: previewed, watched, by hand, paused, aborted and resumed`() async throws {
        try await Workspace.open("rotate") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            let preview = try await signet.command("ca", "rotate", "default.ca-1", "--dry-run")
            #expect(preview.hasPrefix("certificate authority 'default.ca-1' would get a new root in place of "), "\(preview)")
            #expect(try await signet.command("get", "rotations").split(separator: "\n").count == 1)

            let watched = try await signet.command("ca", "rotate", "--mesh", "default", "--watch")
            for phase in ["distributing", "issuing", "withdrawing", "completed"] {
                #expect(watched.contains(" \(phase) by "), "\(watched)")
            }
            let first = try await newest(signet)
            #expect(watched.contains("rotation \(first.id) completed after "), "\(watched)")
            #expect(try await signet.command("rotation", "watch", first.id).contains("completed"))
            try await refused(signet, "rotation", "abort", first.id, words: ["completed"])
            try await refused(signet, "ca", "rotate", "nowhere", words: ["'nowhere'", "signet get cas"])
            try await refused(signet, "rotation", "pause", "rot-0", words: ["'rot-0'", "signet get rotations"])
            try await refused(signet, "rotation", "watch", "rot-0", words: ["'rot-0'", "signet get rotations"])

            try await refused(
                signet, "ca", "rotate", "default.ca-1", "--key-type", "EC-P384", words: ["document of mesh 'default'"])

            let started = try await signet.command(
                "ca", "rotate", "default.ca-1", "--manual", "--retire-after", "reissued", "--key-type", "EC-P256")
            let second = try await newest(signet)
            #expect(second.manual && second.retireAfter == "reissued" && started.contains(second.id), "\(started)")
            #expect(started.hasSuffix(": see it with 'signet rotation watch \(second.id)'\n"), "\(started)")
            try await refused(signet, "ca", "rotate", "default.ca-1", words: [second.id])
            try await refused(signet, "rotation", "resume", second.id, words: ["not paused"])
            let paused = try await signet.command("rotation", "pause", second.id, "--reason", "the night")
            #expect(paused.hasPrefix("rotation \(second.id) is paused in distributing: "), "\(paused)")
            #expect(try await signet.command("get", "rotations").contains("distributing (paused, manual)"))
            #expect(try await signet.command("rotation", "status", second.id).contains("the night"))
            #expect(
                try await signet.command("rotation", "resume", second.id)
                    == "rotation \(second.id) goes on: it is distributing (manual)\n")
            try await wait(signet, second.id, "an open gate") { $0.gate?.open == true }
            #expect(
                try await signet.command("rotation", "advance", second.id)
                    == "rotation \(second.id) goes on: it is issuing (manual)\n")
            let aborted = try await signet.command("rotation", "abort", second.id)
            #expect(aborted.hasPrefix("rotation \(second.id) goes back to the old root"), "\(aborted)")
            let end = try await signet.commandLine.run(["rotation", "watch", second.id])
            #expect(end.status == 1 && end.errors.hasPrefix("signet: rotation \(second.id) was aborted after "), "\(end)")
            #expect(end.output.contains(" aborted by "), "\(end)")
            #expect(end.errors.contains("stay off until 'signet rotation resume \(second.id)'"), "\(end)")
            let authority = try await signet.command("get", "ca", "default.ca-1")
            #expect(authority.contains("held since one was aborted: 'signet rotation resume \(second.id)'"), "\(authority)")
            #expect(try await signet.command("rotation", "resume", second.id).contains("by its root's age again"))
            #expect(try await !signet.command("get", "ca", "default.ca-1").contains("held"))
            try await refused(signet, "rotation", "resume", second.id, words: ["not held"])
            let free = try await signet.commandLine.run(["rotation", "watch", second.id])
            #expect(free.status == 1 && free.errors.hasSuffix("its old root stays\n"), "\(free)")
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `A gate that holds is shown in the format that was asked for, and is forced as it was seen`() async throws {
        try await Workspace.open("force") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            let token = try workspace.write(
                try await signet.command("token", "dataplane", "--mesh", "default", "--tag", "kuma.io/service=web"), to: "token")
            let request = try await Tool.openssl.output([
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-keyout",
                workspace.file("leaf.key"),
            ])
            let options = try ServerOptions.parse([
                "--address", "https://127.0.0.1:\(signet.adminPort)", "--token-file", token, "--ca-file", signet.authorityFile,
            ])
            // Nobody replaces it: it is waited for until it ends.
            _ = try await AdminClient.with(options) { client in
                try await client.send(
                    "POST", "/meshes/default/certificates", type: "application/x-pem-file", body: Array(request.utf8))
            }
            try await signet.command("ca", "rotate", "default.ca-1", "--manual")
            let id = try await newest(signet).id
            try await wait(signet, id, "an open gate") { $0.gate?.open == true }
            #expect(try await signet.json(RotationMessage.self, "rotation", "advance", id).phase == "issuing")
            try await wait(signet, id, "nobody but the owner of that certificate") { $0.gate?.blockers.count == 1 }
            let held = try await signet.commandLine.run(["rotation", "advance", id, "-o", "json"])
            #expect(held.status == 1 && held.errors.hasPrefix("signet: "), "\(held)")
            #expect(held.errors.split(separator: "\n").count == 1, "\(held)")
            let shown = try WireJSON.decode(RotationMessage.self, from: Array(held.output.utf8))
            #expect(shown.id == id && shown.gate?.open == false && shown.gate?.blockers.isEmpty == false)
            let table = try await signet.commandLine.run(["rotation", "advance", id])
            #expect(table.status == 1 && table.output.hasPrefix("MESH "), "\(table)")

            let forced = try await signet.command("rotation", "advance", id, "--force", "--reason", "it is scrapped")
            #expect(forced.contains("\nissuing (manual) since "), "\(forced)")
            #expect(forced.contains("goes on: it is withdrawing (manual)\nleft behind:\nMESH "), "\(forced)")
            try await wait(signet, id, "an open gate") { $0.gate?.open == true }
            try await signet.command("rotation", "advance", id)
            let again = ["rotation", "advance", id, "--force", "--reason", "again", "-o", "json"]
            let ended = try await signet.commandLine.run(again)
            #expect(ended.status == 1 && ended.output.isEmpty && ended.errors.contains("completed"), "\(ended)")
        }
    }

    /// Answers the first request of each path with 429 and when to come again, and others with what they came with.
    private static let busy = #"""
        import http.server, ssl, sys, time
        port, certificate, key, seen = int(sys.argv[1]), *sys.argv[2:]
        first = {}
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                since = time.monotonic() - first.setdefault(self.path, time.monotonic())
                isEarly = since < 1 or self.path == "/late"
                open(seen, "a").write(f"{self.path} {body.decode()}\n")
                self.send_response(429 if isEarly else 200)
                if isEarly: self.send_header("Retry-After", "3600" if self.path == "/late" else "1")
                self.send_header("Content-Length", "0")
                self.end_headers()
        server = http.server.HTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("listening", flush=True)
        server.serve_forever()
        """#

    @Test(.timeLimit(.minutes(1)))
    func `A request too many is repeated when the server says, unless that is too long for a person`() async throws {
        try await Workspace.open("busy") { workspace in
            let (certificate, key) = (workspace.file("server.pem"), workspace.file("server.key"))
            try await Tool.openssl.output([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
                "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
            ])
            let (port, log) = (try Ports.free(), workspace.file("server.log"))
            let server = ChildProcess(
                name: "server", executable: Tool.python().executable,
                arguments: ["-c", Self.busy, "\(port)", certificate, key, workspace.file("seen")], logPath: log)
            try await workspace.processes.start(server)
            try await eventually(within: .seconds(20), "the server") {
                try String(contentsOfFile: log, encoding: .utf8).contains("listening")
            }
            let options = try ServerOptions.parse([
                "--address", "https://127.0.0.1:\(port)", "--token-file", try workspace.write("token\n", to: "token"),
                "--ca-file", certificate,
            ])
            let statuses = try await AdminClient.with(options) { client in
                [
                    try await client.attempt("PUT", "/soon", body: Array("one".utf8)).status,
                    try await client.attempt("PUT", "/late", body: Array("two".utf8)).status,
                ]
            }
            #expect(statuses == [200, 429])
            #expect(try String(contentsOfFile: workspace.file("seen"), encoding: .utf8) == "/soon one\n/soon one\n/late two\n")
        }
    }

    /// Answers reads with a rotation and its ETag, and orders with 412 and what they asked for.
    private static let changing = #"""
        import http.server, json, ssl, sys
        port, certificate, key, seen = int(sys.argv[1]), *sys.argv[2:]
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body):
                body = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("ETag", '"issuing-2"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_GET(self):
                self.answer(200, {
                    "id": "rot-1", "kind": "replace", "trigger": "operator", "meshes": ["m"], "certificateAuthority": "corp",
                    "previousAuthority": "corp", "from": "a1", "to": "b2", "phase": "issuing", "phaseSince": "t",
                    "retireAfter": "expired", "manual": True, "paused": False, "startedAt": "t"})
            def do_POST(self):
                open(seen, "a").write(str(self.headers["If-Match"]) + "\n")
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(412, {"type": "/std-errors", "title": "t", "status": 412, "detail": "changed", "instance": "i"})
        server = http.server.HTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("listening", flush=True)
        server.serve_forever()
        """#

    @Test(.timeLimit(.minutes(1)))
    func `Only what was shown is forced, and not a phase that began meanwhile`() async throws {
        try await Workspace.open("changing") { workspace in
            let (certificate, key) = (workspace.file("server.pem"), workspace.file("server.key"))
            try await Tool.openssl.output([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
                "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
            ])
            let token = try workspace.write("token\n", to: "token")
            let (port, log) = (try Ports.free(), workspace.file("server.log"))
            let server = ChildProcess(
                name: "server", executable: Tool.python().executable,
                arguments: ["-c", Self.changing, "\(port)", certificate, key, workspace.file("seen")], logPath: log)
            try await workspace.processes.start(server)
            try await eventually(within: .seconds(20), "the server") {
                try String(contentsOfFile: log, encoding: .utf8).contains("listening")
            }
            let location = ["--address", "https://127.0.0.1:\(port)", "--token-file", token, "--ca-file", certificate]
            let force = ["rotation", "advance", "rot-1", "--force", "--reason", "scrapped"]
            let forced = try await SignetLine().run(force + location)
            #expect(forced.status == 1 && forced.output.contains("\nissuing (manual) since t"), "\(forced)")
            #expect(
                forced.errors
                    == "signet: the rotation rot-1 is not what it was a moment ago, and was not forced: look at it with "
                    + "'signet rotation status rot-1', and repeat\n", "\(forced)")
            let quiet = try await SignetLine().run(force + location + ["-o", "json"])
            #expect(quiet.status == 1 && quiet.output.isEmpty, "\(quiet)")
            let seen = try String(contentsOfFile: workspace.file("seen"), encoding: .utf8)
            #expect(seen == #""issuing-2"\#n"issuing-2"\#n"#)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `Ctrl-C ends the watching and not the rotation, and a restart of the service ends neither`() async throws {
        try await Workspace.open("watch") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            _ = try await signet.command("ca", "rotate", "default.ca-1", "--manual")
            let id = try await newest(signet).id
            func watch(_ name: String) async throws -> ChildProcess {
                let path = workspace.file(name)
                let watching = ChildProcess(
                    name: name, executable: "/usr/bin/env",
                    arguments: [
                        "SIGNET_DATA_DIR=\(signet.dataDirectory)", SignetProcess.executable, "rotation", "watch", id,
                    ], logPath: path)
                try await workspace.processes.start(watching)
                try await eventually(within: .seconds(20), "the first lines") {
                    try String(contentsOfFile: path, encoding: .utf8).contains("distributing by ")
                }
                return watching
            }
            let interrupted = try await watch("interrupted")
            interrupted.send(SIGINT)
            let end = try await interrupted.waitForEnd(within: .seconds(10))
            let said = try String(contentsOfFile: workspace.file("interrupted"), encoding: .utf8)
            #expect(
                "\(end)".contains("130") && said.contains("signet: interrupted: the rotation \(id) goes on; "), "\(end) \(said)")
            #expect(try await newest(signet).endedAt == nil)

            let patient = try await watch("patient")
            _ = try await signet.terminate()
            try await eventually(within: .seconds(20), "the note") {
                try String(contentsOfFile: workspace.file("patient"), encoding: .utf8).contains("trying again")
            }
            try await signet.start()
            try await signet.command("rotation", "abort", id)
            // Sooner than a replica is taken for dead: the one that was stopped said that it went.
            _ = try await patient.waitForEnd(within: .seconds(10))
            let told = try String(contentsOfFile: workspace.file("patient"), encoding: .utf8)
            #expect(!told.contains("goes on meanwhile"), "\(told)")
            #expect(told.contains("reverting by ") && told.contains("signet: rotation \(id) was aborted after "), "\(told)")
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `A shared root is rotated by its own name, one that was brought with its next, and a stolen one revoked`() async throws {
        try await Workspace.open("shared-root") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            for name in ["one", "two"] {
                try await Tool.openssl.output([
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "300",
                    "-subj", "/CN=\(name)", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                    "keyUsage=critical,keyCertSign,cRLSign", "-keyout", workspace.file("\(name).key"), "-out",
                    workspace.file("\(name).pem"),
                ])
            }
            let next = ["--cert", workspace.file("two.pem"), "--key", workspace.file("two.key")]
            try await signet.command(
                "ca", "import", "bank", "--cert", workspace.file("one.pem"), "--key", workspace.file("one.key"))
            try await signet.command(
                "apply", "-f", "-",
                input: """
                    type: CertificateAuthority
                    name: corp
                    ---
                    type: Mesh
                    name: orders
                    mtls: {enabledBackend: corp, backends: [{name: corp, type: shared, conf: {authority: corp}}]}
                    ---
                    type: Mesh
                    name: payments
                    mtls: {enabledBackend: corp, backends: [{name: corp, type: shared, conf: {authority: corp}}]}
                    ---
                    type: Mesh
                    name: plain
                    """)
            try await refused(
                signet, "ca", "rotate", "--mesh", "orders",
                words: ["'corp'", "orders, payments", "rotate 'corp' itself", "signet ca rotate corp"])
            try await refused(signet, "ca", "rotate", "--mesh", "plain", words: ["mTLS off"])
            try await refused(signet, "ca", "rotate", "--mesh", "nowhere", words: ["'nowhere'"])
            try await refused(signet, "ca", "rotate", "bank", words: ["--cert: ", "with its key", "'bank'"])
            let same = ["ca", "rotate", "bank", "--cert", workspace.file("one.pem"), "--key", workspace.file("one.key")]
            let again = try await signet.commandLine.run(same)
            #expect(again.status == 1 && again.errors.hasPrefix("signet: --cert: "), "\(again)")
            let brought = try await signet.commandLine.run(["ca", "rotate", "bank"] + next + ["--watch", "-o", "json"])
            let last = try #require(brought.output.split(separator: "\n").last)
            #expect(brought.status == 0 && last.contains(#""phase":"completed""#), "\(brought)")
            let key = try String(contentsOfFile: workspace.file("two.key"), encoding: .utf8).split(separator: "\n")[1]
            #expect(!signet.log.contains(key) && !brought.output.contains(key))

            let keyType = "type: CertificateAuthority\nname: corp\nkeyType: EC-P384\n"
            let preview = try await signet.command("apply", "-f", "-", "--dry-run", input: keyType)
            #expect(
                preview.contains("  a rotation would start: a new root of certificate authority 'corp' for orders, payments\n"))
            let applied = try await signet.command("apply", "-f", "-", input: keyType)
            #expect(applied.contains("certificate authority 'corp' gets a new root by rotation rot-"), "\(applied)")
            let running = try await newest(signet)

            let revoked = try await signet.command("ca", "revoke", "corp", "--issuer", running.from, "--reason", "key copied")
            #expect(revoked.hasPrefix("issuer \(running.from) of certificate authority 'corp' is revoked\n"), "\(revoked)")
            #expect(revoked.contains("\nevery connected proxy had acknowledged after "), "\(revoked)")
            #expect(revoked.contains("drain_listeners?graceful"), "\(revoked)")
            #expect(try await signet.json(RotationMessage.self, "rotation", "status", running.id).phase == "aborted")
            let watched = try await signet.commandLine.run(["rotation", "watch", running.id])
            let reason = "signet: rotation \(running.id) was superseded: issuer \(running.from) was revoked\n"
            #expect(watched.status == 1 && watched.errors == reason, "\(watched)")
            try await refused(
                signet, "ca", "revoke", "corp", "--issuer", running.from, "--reason", "again", words: ["revoked already"])
            try await refused(
                signet, "ca", "revoke", "corp", "--issuer", "0000000000000000", "--reason", "x",
                words: ["there is no issuer '0000000000000000' of 'corp': 'signet get ca corp' shows"])
            let issuers = try await signet.command("get", "ca", "corp")
            let line = issuers.split(separator: "\n").first { $0.hasPrefix(running.from) }
            #expect(line?.contains("revoked, orders: revoked, payments: revoked") == true, "\(issuers)")
            let list = try await signet.command("get", "cas")
            #expect(!list.contains(running.from) && list.contains("bank"), "\(list)")
            #expect(try await signet.command("get", "ca", "bank").contains("; replaced by you, with 'signet ca rotate bank "))
            let bundle = try await signet.command("bundle", "show", "--mesh", "orders")
            #expect(bundle.components(separatedBy: "BEGIN CERTIFICATE").count == 2)
        }
    }
}
