import AdminWire
import ArgumentParser
import PKI
import TestSupport
import Testing

@testable import signet

@Suite struct UsageTests {
    @Test(arguments: [
        ([], 0), (["--help"], 0), (["serve", "--help"], 0), (["--version"], 0), (["serve", "--nonsense"], 2), (["nonsense"], 2),
        (["get"], 0), (["get", "nonsense"], 2), (["token", "dataplane"], 2), (["delete", "mesh"], 2),
        (["trust"], 0), (["trust", "check"], 2), (["trust", "check", "--from", "spiffe://a/b"], 2),
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
        (["get", "mesh", ""], "signet: the name is empty: see 'signet get mesh --help'\n"),
        (["get", "ca", ""], "signet: the name is empty: see 'signet get ca --help'\n"),
        (["delete", "mesh", ""], "signet: the name is empty: see 'signet delete mesh --help'\n"),
        (
            ["check-config", "--set", "listen.mtls=0.0.0.0:5678"],
            "signet: listen.sds (0.0.0.0:5678) and listen.mtls (0.0.0.0:5678) are on the same port: give one another\n"
        ),
        (
            ["get", "meshes"],
            "signet: no server is known (no 'signet dev' runs in /nonexistent/signet): start 'signet dev', or set SIGNET_ADDRESS, SIGNET_TOKEN_FILE and SIGNET_CA_FILE\n"
        ),
        (
            ["get", "meshes", "--address", "http://localhost"],
            "signet: 'http://localhost' is not the address of an admin API: write it as https://host:5682\n"
        ),
        (
            ["get", "meshes", "--address", "https://localhost", "--token-file", "/nonexistent/token"],
            "signet: there is no file /nonexistent/token: name an existing one with --token-file or --ca-file\n"
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
        let result = try await SignetLine().run(
            "apply", "-f", "-", input: "type: Mesh\nname: a\n---\ntype: Mesh\nname: b\n---\ntype: Mesh\nname: a\n")
        #expect(result.status == 1, "\(result)")
        #expect(result.errors.hasPrefix("signet: there are several documents of Mesh 'a'"), "\(result)")
    }

    @Test func `What comes from outside cannot forge a second line`() {
        #expect(Console.oneLine("a\nb\r\n\u{1B}[31mc\u{9B}") == "a b [31mc")
    }
}
