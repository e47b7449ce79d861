import Foundation
import TestSupport
import Testing

/// Certificate authorities, documents and roles by the commands of the built program, against a `signet dev` of its own.
@Suite(.serialized) struct SharingTests {
    private static let everything = """
        type: CrossMeshAccess
        name: door
        from: {mesh: lone, services: [web]}
        to: {mesh: orders}
        ---
        type: Mesh
        name: orders
        mtls:
          enabledBackend: shared-ca
          backends:
          - {name: shared-ca, type: shared, conf: {authority: corp}}
        ---
        type: CertificateAuthority
        name: corp
        meshes: [orders, payments]
        ---
        type: Mesh
        name: payments
        mtls:
          enabledBackend: shared-ca
          backends:
          - {name: shared-ca, type: shared, conf: {authority: corp}}
        ---
        type: Mesh
        name: lone
        mtls: {enabledBackend: ca-1, backends: [{name: ca-1, type: builtin}]}
        """

    private func refused(
        _ signet: SignetProcess, _ arguments: String..., words: [String], input: String = ""
    ) async throws {
        let result = try await signet.commandLine.run(arguments, input: input)
        #expect(result.status == 1 && result.errors.split(separator: "\n").count == 1, "\(result)")
        for word in words { #expect(result.errors.contains(word), "\(result)") }
    }

    @Test(.timeLimit(.minutes(3)))
    func `One file with everything is previewed, applied, previewed as unchanged, and changed again by its commands`()
        async throws
    {
        try await Workspace.open("sharing") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            let file = try workspace.write(Self.everything, to: "all.yaml")
            let preview = try await signet.command("apply", "-f", file, "--dry-run")
            #expect(preview.contains("certificate authority 'corp' would be created\n"), "\(preview)")
            #expect(preview.contains("mesh 'orders' would be created\n  depends on certificate authority 'corp'"), "\(preview)")
            #expect(preview.contains("CrossMeshAccess 'door' would be created\n"), "\(preview)")
            #expect(try await !signet.command("get", "meshes").contains("orders"), "a dry run changes nothing")

            let applied = try await signet.command("apply", "-f", file)
            #expect(
                applied == """
                    certificate authority 'corp' created
                    mesh 'orders' created
                    mesh 'payments' created
                    mesh 'lone' created
                    CrossMeshAccess 'door' created

                    """)
            let again = try await signet.command("apply", "-f", file, "--dry-run")
            #expect(
                again == """
                    certificate authority 'corp' unchanged
                    mesh 'orders' unchanged
                    mesh 'payments' unchanged
                    mesh 'lone' unchanged
                    CrossMeshAccess 'door' unchanged

                    """)
            let matrix = try await signet.command("trust", "matrix", "--mesh", "orders", "--mesh", "payments")
            #expect(matrix.contains("orders") && matrix.contains("payments") && !matrix.contains("lone"), "\(matrix)")
            try await refused(signet, "trust", "matrix", "--mesh", "nowhere", words: ["nowhere"])

            let joining = try await signet.command("ca", "share", "corp", "--mesh", "lone", "--dry-run")
            #expect(joining.hasPrefix("mesh 'lone' would join certificate authority 'corp'\n"), "\(joining)")
            #expect(joining.contains("  lone and orders would begin to accept each other\n"), "\(joining)")
            #expect(joining.contains("  a rotation would start: mesh 'lone' from certificate authority 'lone.ca-1' to 'corp'\n"))
            let joined = try await signet.command("ca", "share", "corp", "--mesh", "lone")
            #expect(joined.hasPrefix("mesh 'lone' joins certificate authority 'corp' by rotation rot-"), "\(joined)")
            #expect(joined.hasSuffix(": see it with 'signet get rotations'\n"), "\(joined)")
            let rotations = try await signet.command("get", "rotations")
            #expect(rotations.contains("lone.ca-1") && rotations.contains("corp"), "\(rotations)")
            #expect(try await signet.command("get", "rotations", "--mesh", "lone").contains("lone.ca-1"))
            #expect(try await !signet.command("get", "rotations", "--mesh", "orders").contains("lone.ca-1"))
            #expect(try await !signet.command("get", "rotations", "--ca", "corp", "--mesh", "orders").contains("lone.ca-1"))
            let id = try #require(joined.split { " :".contains($0) }.first { $0.hasPrefix("rot-") }).description
            #expect(try await signet.command("get", "rotation", id).hasPrefix("\(id): lone from lone.ca-1 ("))
            try await eventually(within: .seconds(60), "the end of the rotation") {
                try await signet.command("get", "rotation", id, "-o", "json").contains(#""phase": "completed""#)
            }
            #expect(
                try await signet.command("ca", "share", "corp", "--mesh", "lone")
                    == "mesh 'lone' shares certificate authority 'corp' already\n")
            try await refused(signet, "delete", "ca", "corp", words: ["lone", "orders", "payments"])

            // The document of before would take the mesh out by accident.
            try await refused(signet, "apply", "-f", file, words: ["signet: mesh 'lone' would leave", "--leave"])
            let leaving = try await signet.command("ca", "unshare", "corp", "--mesh", "lone", "--dry-run")
            #expect(leaving.contains("  lone and payments would cease to accept each other\n"), "\(leaving)")
            let left = try await signet.command("apply", "-f", file, "--leave")
            #expect(left.contains("mesh 'lone' replaced\nmesh 'lone' moves by rotation rot-"), "\(left)")

            #expect(
                try await signet.command(
                    "ca", "create", "lab", "--key-type", "RSA-3072", "--expiration", "2y", "--retire-after", "reissued",
                    "--no-automatic-rotation")
                    == "certificate authority 'lab' created: let a mesh share it with 'signet ca share lab --mesh NAME'\n")
            #expect(
                try await signet.command("get", "ca", "lab").hasPrefix(
                    "lab: RSA-3072, 2y; rotated by hand, old roots kept until reissued\n"))
            #expect(try await signet.command("delete", "ca", "lab") == "certificate authority 'lab' deleted\n")

            let exported = try workspace.write(try await signet.command("ca", "export", "corp"), to: "corp.pem")
            let subject = try await Tool.openssl.output([
                "x509", "-in", exported, "-noout", "-subject", "-ext", "basicConstraints",
            ])
            #expect(subject.contains("Signet") && subject.contains("CA:TRUE"), "\(subject)")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `A root is imported by command and by a document that names its files, and its key is in no answer`() async throws {
        try await Workspace.open("import") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            for name in ["one", "two"] {
                try await Tool.openssl.output([
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj",
                    "/O=Corp/CN=\(name)", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout",
                    workspace.file("\(name).key"), "-out", workspace.file("\(name).pem"),
                ])
            }
            let (certificate, key) = (workspace.file("one.pem"), workspace.file("one.key"))
            #expect(
                try await signet.command("ca", "import", "corp", "--cert", certificate, "--key", key)
                    == "certificate authority 'corp' imported: let a mesh share it with 'signet ca share corp --mesh NAME'\n")
            try await refused(signet, "ca", "import", "corp", "--cert", certificate, "--key", key, words: ["already"])
            try await refused(
                signet, "ca", "import", "other", "--cert", certificate, "--key", workspace.file("two.key"),
                words: ["the key does not belong to the certificate"])
            #expect(try await signet.command("ca", "export", "corp") == String(contentsOfFile: certificate, encoding: .utf8))

            let document = try workspace.write(
                """
                type: Mesh
                name: bank
                mtls:
                  enabledBackend: own
                  backends:
                  - {name: own, type: provided, conf: {cert: {file: two.pem}, key: {file: two.key}}}
                """, to: "bank.yaml")
            #expect(try await signet.command("apply", "-f", document) == "mesh 'bank' created\n")
            #expect(try await signet.command("apply", "-f", document, "--dry-run") == "mesh 'bank' unchanged\n")
            let shown = try await signet.command("get", "mesh", "bank", "-o", "yaml")
            #expect(shown.contains("fingerprint:") && !shown.contains("PRIVATE"), "\(shown)")
            try await refused(
                signet, "apply", "-f", "-", words: ["line 6", "mtls.backends[0].conf.key.file"],
                input: """
                    type: Mesh
                    name: bank
                    mtls:
                      enabledBackend: own
                      backends:
                      - {name: own, type: provided, conf: {cert: {file: \(workspace.file("two.pem"))}, key: {file: /nonexistent/key}}}
                    """)
            for secret in try ["one", "two"].map({ try String(contentsOfFile: workspace.file("\($0).key"), encoding: .utf8) }) {
                let line = try #require(secret.split(separator: "\n").dropFirst().first)
                #expect(!signet.log.contains(line) && !shown.contains(line))
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `A token for named meshes sees and changes those alone`() async throws {
        try await Workspace.open("roles") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            try await signet.command("apply", "-f", "-", input: "type: Mesh\nname: shop\n---\ntype: Mesh\nname: cart\n")
            let token = try workspace.write(
                try await signet.command("token", "user", "--name", "shop-team", "--role", "admin", "--mesh", "shop"), to: "token"
            )
            let meshes = try await signet.command("get", "meshes", "--token-file", token)
            #expect(meshes.contains("shop") && !meshes.contains("cart"), "\(meshes)")
            try await refused(
                signet, "get", "mesh", "cart", "--token-file", token, words: ["limited to named meshes", "--token-file"])
            try await refused(
                signet, "ca", "create", "corp", "--token-file", token, words: ["limited to named meshes", "--token-file"])
            let both = try workspace.write(
                try await signet.command(
                    "token", "user", "--name", "both", "--role", "viewer", "--mesh", "shop", "--mesh", "cart"),
                to: "both.token")
            let unnamed = try await signet.commandLine.run(["get", "rotations", "--token-file", both])
            #expect(unnamed.status == 1 && unnamed.errors.hasSuffix(": name one of yours with --mesh\n"), "\(unnamed)")
            #expect(try await signet.command("get", "rotations", "--mesh", "shop", "--token-file", both).hasPrefix("ID "))
            let bash = Tool("bash", install: "apt-get install bash", environment: signet.commandLine.environment)
            for command in ["get meshes", "get rotations -o json", "bundle show --mesh default", "trust matrix"] {
                for redirect in ["> /dev/full", ">&-"] {
                    let lost = try await bash.run(["-c", "exec \(SignetProcess.executable) \(command) \(redirect)"])
                    #expect(lost.status == 1 && lost.errors.hasPrefix("signet: cannot write to standard output ("), "\(lost)")
                    #expect(lost.errors.split(separator: "\n").count == 1, "\(lost)")
                }
            }
            #expect(try await signet.command("delete", "mesh", "shop", "--token-file", token) == "mesh 'shop' deleted\n")
        }
    }
}
