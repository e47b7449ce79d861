import AdminWire
import ArgumentParser
import PKI
import PKICrypto
import TestSupport
import Testing

@testable import signet

@Suite struct UsageTests {
    @Test(arguments: [
        ([], 0), (["--help"], 0), (["serve", "--help"], 0), (["--version"], 0), (["serve", "--nonsense"], 2), (["nonsense"], 2),
        (["get"], 0), (["get", "nonsense"], 2), (["token", "dataplane"], 2), (["delete", "mesh"], 2),
        (["trust"], 0), (["trust", "check"], 2), (["trust", "check", "--from", "spiffe://a/b"], 2),
        (["ca"], 0), (["ca", "share", "corp"], 2), (["ca", "import", "corp", "--cert", "c.pem"], 2), (["delete", "ca"], 2),
        (["config"], 0), (["config", "use"], 2), (["config", "get"], 0), (["completion", "tcsh"], 2), (["get", "rotation"], 2),
        (["ledger"], 0), (["ledger", "confirm"], 2), (["ledger", "confirm", "--reason", " "], 2),
    ])
    func `The exit code of a command line is 0 for help and 2 for wrong usage`(arguments: [String], code: Int) async throws {
        let result = try await SignetLine().run(arguments)
        #expect(Int(result.status) == code, "\(result)")
        if code == 2 {
            #expect(result.output.isEmpty)
            #expect(result.errors.hasPrefix("signet: ") && result.errors.split(separator: "\n").count == 1, "\(result)")
        } else {
            #expect(result.errors.isEmpty, "\(result)")
        }
    }

    @Test func `Every command has a help page with an example`() throws {
        func check(_ command: any ParsableCommand.Type, _ words: [String]) {
            let page = SignetCommand.helpMessage(for: command)
            if !words.isEmpty { #expect(page.contains("Example: signet \(words.joined(separator: " "))"), "\(words)") }
            for inner in command.configuration.subcommands {
                check(inner, words + [inner.configuration.commandName ?? ""])
            }
        }
        check(SignetCommand.self, [])
    }

    @Test(arguments: [
        (
            ["token", "dataplane", "--mesh", "m", "--tag", "novalue"],
            "signet: --tag novalue is not key=value: see 'signet token dataplane --help'\n"
        ),
        (
            ["token", "dataplane", "--mesh", "m", "--valid-for", "1 day"],
            "signet: --valid-for '1 day' must be a duration such as 30s, 1h30m, 24h or 10y (units: y w d h m s ms): see 'signet token dataplane --help'\n"
        ),
        (
            ["token", "user", "--name", "n", "--role", "root"],
            "signet: --role 'root' is none of admin, operator, viewer: see 'signet token user --help'\n"
        ),
        (
            ["identity", "revoke", "spiffe://Payments/api"],
            "signet: 'spiffe://Payments/api' is not a SPIFFE ID: \(SPIFFEIDError.forbiddenByte(0x50, offset: 0)): see 'signet identity revoke --help'\n"
        ),
        (
            ["trust", "check", "--from", "spiffe://orders/web", "--to", "spiffe://payments"],
            "signet: --to 'spiffe://payments' is not a SPIFFE ID: \(SPIFFEIDError.missingPath): see 'signet trust check --help'\n"
        ),
        (
            ["dev", "--sds-port", "70000"],
            "signet: --sds-port 70000 is not between 0 and 65535: see 'signet dev --help'\n"
        ),
        (["dev", "--data-dir", ""], "signet: --data-dir is empty: see 'signet dev --help'\n"),
        (["keys", "create", ""], "signet: the place is empty: see 'signet keys create --help'\n"),
        (["keys", "create", " "], "signet: the place is empty: see 'signet keys create --help'\n"),
        (["keys", "create", "a\nb"], "signet: the place has control characters: see 'signet keys create --help'\n"),
        (
            ["keys", "create", "/tmp/"],
            "signet: the place is a directory: name the file in it: see 'signet keys create --help'\n"
        ),
        (
            ["keys", "create", "PKCS11:token=a"],
            "signet: the place: \(PKCS11Failure.uri(reason: "it has no object: write pkcs11:token=LABEL;object=LABEL?module-path=PATH&pin-source=PATH")): see 'signet keys create --help'\n"
        ),
        (
            ["keys", "create", "-"],
            "signet: a key is not written to standard output: name a file: see 'signet keys create --help'\n"
        ),
        (["token", "revoke", ""], "signet: the id is empty: see 'signet token revoke --help'\n"),
        (["token", "dataplane", "--mesh", "m", "--name", ""], "signet: --name is empty: see 'signet token dataplane --help'\n"),
        (["token", "user", "--name", " ", "--role", "viewer"], "signet: --name is empty: see 'signet token user --help'\n"),
        (
            ["get", "proxies", "--mesh", ""],
            "signet: --mesh '' must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending with a hyphen: see 'signet get proxies --help'\n"
        ),
        (["get", "tokens", "--limit", "0"], "signet: --limit 0 is not positive: see 'signet get tokens --help'\n"),
        (["get", "mesh", ""], "signet: the name is empty: see 'signet get mesh --help'\n"),
        (["get", "ca", ""], "signet: the name is empty: see 'signet get ca --help'\n"),
        (["delete", "mesh", ""], "signet: the name is empty: see 'signet delete mesh --help'\n"),
        (["delete", "ca", ""], "signet: the name is empty: see 'signet delete ca --help'\n"),
        (["get", "rotation", ""], "signet: the id is empty: see 'signet get rotation --help'\n"),
        (
            ["ca", "share", "corp", "--mesh", "a", "--mesh", "a"],
            "signet: --mesh a is given twice: see 'signet ca share --help'\n"
        ),
        (
            ["ca", "unshare", "corp", "--mesh", "All"],
            "signet: --mesh 'All' must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending with a hyphen: see 'signet ca unshare --help'\n"
        ),
        (
            ["ca", "create", "corp", "--expiration", "10 years"],
            "signet: --expiration '10 years' must be a duration such as 30s, 1h30m, 24h or 10y (units: y w d h m s ms): see 'signet ca create --help'\n"
        ),
        (
            ["ca", "import", "corp", "--cert", "/nonexistent/root.pem", "--key", "/nonexistent/root.key"],
            "signet: there is no file /nonexistent/root.pem: name an existing one with --cert\n"
        ),
        (
            ["token", "user", "--name", "n", "--role", "viewer", "--mesh", "no mesh"],
            "signet: --mesh 'no mesh' must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending with a hyphen: see 'signet token user --help'\n"
        ),
        (["config", "use"], "signet: the name is missing: see 'signet config use --help'\n"),
        (
            ["config", "use", "a", "--none"],
            "signet: --none and a name exclude each other: see 'signet config use --help'\n"
        ),
        (
            ["config", "use", "production"],
            "signet: there is no context 'production': there is none: make one with 'signet config set'\n"
        ),
        (
            ["check-config", "--set", "listen.mtls=0.0.0.0:5678"],
            "signet: listen.sds (0.0.0.0:5678) and listen.mtls (0.0.0.0:5678) are on the same port: give one another\n"
        ),
        (
            ["get", "meshes"],
            "signet: no server is known (no 'signet dev' runs in /nonexistent/signet): start 'signet dev', choose a server with 'signet config set' and 'signet config use', or set SIGNET_ADDRESS, SIGNET_TOKEN_FILE and SIGNET_CA_FILE\n"
        ),
        (
            ["get", "meshes", "--address", "http://localhost"],
            "signet: 'http://localhost' is not the address of an admin API: write it as https://host:5682\n"
        ),
        (
            ["get", "meshes", "--address", "https://localhost", "--token-file", "/nonexistent/token"],
            "signet: there is no file /nonexistent/token: name an existing one with --token-file\n"
        ),
        (
            ["get", "meshes", "--address", "https://localhost", "--ca-file", "/nonexistent/ca"],
            "signet: there is no file /nonexistent/ca: name an existing one with --ca-file\n"
        ),
        (
            ["apply", "-f", "/nonexistent/mesh.yaml"],
            "signet: there is no file /nonexistent/mesh.yaml: name an existing file or directory with -f\n"
        ),
        (
            ["verify", "--mesh", "m", "/nonexistent/chain.pem"],
            "signet: there is no file /nonexistent/chain.pem: name the PEM file of a chain\n"
        ),
        (
            ["envoy", "bootstrap", "--mesh", "m", "--service", "s", "--token-file", "/nonexistent/token"],
            "signet: cannot read the token file /nonexistent/token (No such file or directory): make it with 'signet token dataplane'\n"
        ),
    ])
    func `Wrong usage is told in one line that says what to do`(arguments: [String], line: String) async throws {
        let result = try await SignetLine().run(arguments)
        #expect(result.errors == line)
        #expect(result.output.isEmpty)
        #expect(result.status == 2)
    }

    @Test func `A server that does not answer is told in one line, and is no wrong usage`() async throws {
        let result = try await SignetLine(["SIGNET_ADDRESS": "https://127.0.0.1:\(try Ports.free())"]).run("get", "meshes")
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("signet: cannot reach the server at https://127.0.0.1:"), "\(result)")
        #expect(result.errors.hasSuffix("(connection refused): start it, or name another with --address\n"), "\(result)")
    }

    @Test func `A bad document is told with file, line and field`() async throws {
        let document = """
            type: Mesh
            name: m
            mtls:
              enabledBackend: a
              backends:
              - name: a
                type: builtin
                dpCert: {rotation: {expiraton: 1d}}
            """
        let result = try await SignetLine().run("apply", "-f", "-", input: document)
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("signet: standard input: line 8: "), "\(result)")
        #expect(result.errors.contains("expiraton") && result.errors.contains("did you mean 'expiration'?"), "\(result)")
    }

    @Test func `Of several documents of both kinds the bad one is told by its number before anything is sent`() async throws {
        let documents = """
            type: Mesh
            name: m
            ---
            type: CrossMeshAccess
            name: d
            from: {mesh: m, service: [web]}
            to: {mesh: n}
            """
        let result = try await SignetLine().run("apply", "-f", "-", input: documents)
        #expect(result.status == 1)
        #expect(
            result.errors
                == "signet: standard input: document 2, line 6: from.service: is not a known field: did you mean 'services'?\n")
    }

    @Test func `The trust matrix is a square, and below it what opens each way between two meshes`() throws {
        let matrix = try JSONValue(
            parsing: #"{"meshes":["edge","shop"],"cells":[{"from":"edge","to":"edge","extent":"all","through":["same-mesh"]},"#
                + #"{"from":"edge","to":"shop","extent":"some","through":["a","gateway-to-shop"]},"#
                + #"{"from":"shop","to":"edge","extent":"none","through":[]},"#
                + #"{"from":"shop","to":"shop","extent":"all","through":["same-mesh"]}]}"#)
        #expect(
            TrustMatrix.table(matrix) == """
                FROM \\ TO  edge  shop
                edge       all   some
                shop       -     all

                FROM  TO    EXTENT  THROUGH
                edge  shop  some    a, gateway-to-shop

                """)
        let shut = try JSONValue(
            parsing: #"{"meshes":["m"],"cells":[{"from":"m","to":"m","extent":"all","through":["same-mesh"]}]}"#)
        #expect(TrustMatrix.table(shut) == "FROM \\ TO  m\nm          all\n")
    }

    @Test func `Documents of more than a megabyte are refused alike from a file and from standard input`() async throws {
        try await Workspace.open("usage") { workspace in
            let text = String(repeating: "# a comment\n", count: 100_000)
            let path = try workspace.write(text, to: "large.yaml")
            for (source, name) in [(path, path), ("-", "standard input")] {
                let result = try await SignetLine().run("apply", "-f", source, input: text)
                #expect(result.status == 2 && result.errors == "signet: \(name) has more than 1 MiB: split it\n", "\(result)")
            }
        }
    }

    @Test func `Two documents of one mesh in one run are refused before a server is asked`() async throws {
        let (one, other) = ("type: Mesh\nname: a\n", "type: Mesh\nname: b\n")
        let result = try await SignetLine().run("apply", "-f", "-", input: "\(one)---\n\(other)---\n\(one)")
        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("standard input: document 3, line 7: Mesh 'a' is there twice"), "\(result)")
        try await Workspace.open("usage") { workspace in
            try workspace.write(one, to: "1.yaml")
            try workspace.write("\(other)---\n\(one)", to: "2.yml")
            let result = try await SignetLine().run("apply", "-f", workspace.path)
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.hasPrefix("signet: there are several documents of Mesh 'a'"), "\(result)")
        }
    }

    @Test func `A file that a document names is looked for beside the document, and its fault is told with line and field`()
        async throws
    {
        try await Workspace.open("usage") { workspace in
            try workspace.write("no certificate\n", to: "root.pem")
            let path = try workspace.write(
                """
                type: CertificateAuthority
                name: corp
                cert: {file: root.pem}
                key:
                  file: root.key
                """, to: "corp.yaml")
            let missing = try await SignetLine().run("apply", "-f", path)
            #expect(missing.status == 1, "\(missing)")
            #expect(
                missing.errors
                    == "signet: \(path): line 5: key.file: 'root.key' cannot be read: there is no such file\n", "\(missing)")
            try workspace.write("no key\n", to: "root.key")
            let wrong = try await SignetLine().run("apply", "-f", path)
            #expect(wrong.errors.contains("line 3: cert: ") && wrong.errors.contains(": key: "), "\(wrong)")
        }
    }

    @Test func `What comes from outside cannot forge a second line`() {
        #expect(Console.oneLine("a\nb\r\n\u{1B}[31mc\u{9B}") == "a b [31mc")
        #expect(Console.oneLine("a\u{2028}b\u{2029}\u{202E}c\u{2066}d\u{2069}\u{200F}") == "a b cd")
    }

    @Test func `Every example of the help pages is a command line that the shell and the program take`() async throws {
        var examples: [String] = []
        func gather(_ command: any ParsableCommand.Type) {
            let page = command.configuration.discussion
            // A line that ends in a backslash goes on.
            let lines = page.replacing("\\\n", with: "").split(separator: "\n").map { $0.drop { $0 == " " } }
            examples += lines.filter { $0.hasPrefix("Example: ") }.map { String($0.dropFirst("Example: ".count)) }
            command.configuration.subcommands.forEach(gather)
        }
        gather(SignetCommand.self)
        #expect(examples.count > 40)
        let bash = Tool("bash", install: "apt-get install bash")
        for example in examples {
            let syntax = try await bash.run(["-n", "-c", example])
            #expect(syntax.status == 0, "\(example): \(syntax.errors)")
            let command = example.split(separator: " > ", maxSplits: 1)[0].description
            let words = try await bash.output(["-c", "set -f; printf '%s\\n' \(command)"])
            let arguments = words.split(separator: "\n").dropFirst().map(String.init)
            #expect(throws: Never.self, "\(example)") { _ = try SignetCommand.parseAsRoot(arguments) }
        }
    }

    @Test(arguments: [
        "--help", "--version", "get --help", "completion bash", "config get", "config get -o json", "config get -o yaml",
        "config use --none",
    ])
    func `What cannot be printed is a failure that is told in one line`(command: String) async throws {
        try await Workspace.open("usage") { workspace in
            let bash = Tool(
                "bash", install: "apt-get install bash",
                environment: SignetLine(["SIGNET_CONFIG_DIR": workspace.file("config")]).environment)
            for (redirect, reason) in [("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor")] {
                let result = try await bash.run(["-c", "exec \(SignetProcess.executable) \(command) \(redirect)"])
                #expect(
                    result.errors == "signet: cannot write to standard output (\(reason)): look where it leads\n", "\(result)")
                #expect(result.status == 1, "\(result)")
            }
        }
    }

    @Test func `A line of the server's is followed by what this program can do about it, where it does not say so itself`() {
        func line(_ status: Int, _ detail: String, _ reason: String? = nil) -> String {
            AdminClient.line(of: Problem(title: "", status: status, detail: detail, instance: "", reason: reason))
        }
        let limited = "this admin token is limited to named meshes, and this concerns"
        #expect(
            line(403, "\(limited) another mesh too", "mesh-out-of-scope")
                == "\(limited) another mesh too: name a token without that limit with --token-file")
        #expect(
            line(403, "\(limited) all of them: name one of yours with ?mesh=", "mesh-out-of-scope")
                == "\(limited) all of them: name one of yours with --mesh")
        #expect(line(404, "there is no mesh 'm'") == "there is no mesh 'm': 'signet get meshes' lists what there is")
        #expect(
            line(404, "there is no certificate authority 'c'")
                == "there is no certificate authority 'c': 'signet get cas' lists what there is")
        #expect(
            line(404, "there is no member of the CA 'c' named 'm'")
                == "there is no member of the CA 'c' named 'm': 'signet get cas' lists what there is")
        #expect(line(404, "there is no MeshService 's'") == "there is no MeshService 's'")
    }

    @Test func `Two meshes of one trust domain in one run are refused before a server is asked`() async throws {
        for documents in [
            "type: Mesh\nname: a\n---\ntype: Mesh\nname: b\ntrustDomain: a\n",
            "type: Mesh\nname: a\ntrustDomain: x.example\n---\n{type: Mesh, name: b, trustDomain: x.example}\n",
        ] {
            let result = try await SignetLine().run("apply", "-f", "-", input: documents)
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.hasPrefix("signet: Mesh 'a' and Mesh 'b' have the same trust domain '"), "\(result)")
        }
    }
}
