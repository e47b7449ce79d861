import Foundation
import TestSupport
import Testing

/// `openapi.yaml` and the running service, held against each other by a reader of the description that shares nothing with it.
///
/// Schemathesis sends what the description allows and what it does not: no answer may be a failure, have a status or a media type
/// that is not described, or another shape than described. A fixed seed and a bounded count make each run the same.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SchemathesisTests {
    /// All that Schemathesis knows, except two that ask for more than a schema can say: which of two fields excludes the
    /// other, what a cursor is, and that null is a field that is left out.
    private static let unchecked = "positive_data_acceptance,negative_data_rejection"
    /// No proxy is connected, the database is not in doubt; and neither a mesh on its way to another certificate authority nor one that
    /// is in use is deleted.
    private static let withoutSuccess = [
        "DELETE /certificate-authorities/{ca}", "DELETE /meshes/{mesh}", "GET /meshes/{mesh}/proxies/{name}",
        "POST /ledger/confirm",
    ]

    /// What the examples of the description speak of.
    private static let documents = """
        type: CertificateAuthority
        name: corp
        ---
        {type: CertificateAuthority, name: spare}
        ---
        {type: CertificateAuthority, name: stolen}
        ---
        {type: CertificateAuthority, name: advanced}
        ---
        {type: CertificateAuthority, name: paused}
        ---
        {type: CertificateAuthority, name: aborted}
        ---
        type: Mesh
        name: default
        mtls:
          enabledBackend: corp
          backends:
          - {name: ca-1, type: builtin}
          - {name: corp, type: shared, conf: {authority: corp}}
        ---
        type: Mesh
        name: orders
        mtls: {enabledBackend: ca-1, backends: [{name: ca-1, type: builtin}]}
        ---
        type: Mesh
        name: payments
        mtls: {enabledBackend: ca-1, backends: [{name: ca-1, type: builtin}]}
        ---
        type: CrossMeshAccess
        name: orders-to-payments
        from: {mesh: orders, services: [web]}
        to: {mesh: payments, services: [api]}
        ---
        type: MeshService
        mesh: default
        name: api
        spec: {selector: {dataplaneTags: {kuma.io/service: api}}, ports: [{port: 80}]}
        """

    @Test func `no request gets an answer that openapi.yaml does not describe`() async throws {
        try await World.open("schemathesis") { world in
            try await world.signet.command("apply", "-f", "-", input: Self.documents)
            let token = try await world.token(mesh: "default", service: "web", proxy: "web-1")
            let issuer = try await world.first("/certificate-authorities/corp/issuers")
            let rotation = try await world.first("/rotations?mesh=default")
            let fuzzer = Fuzzer(world: world, dataplaneToken: token)

            // Deletions come last, of what others hang on last of all; the ids that nobody can guess are given once. A rotation
            // of what the other requests speak of would stand in their way.
            let broad = try await fuzzer.run(
                "broad", ["--exclude-method", "DELETE", "--exclude-operation-id", "startRotation"], examples: 12)
            let stolen = try await world.first("/certificate-authorities/stolen/issuers")
            let paused = ["id": try await world.rotateByHand("paused")]
            // Each of its own, so that none is in the way of another; those of no mesh go through their gates at once. They begin
            // only now: whatever id a list tells, Schemathesis uses, and it would have aborted them.
            let parameters = [
                "readIssuer": ["id": issuer], "readRotation": ["id": rotation], "startRotation": ["ca": "spare"],
                "revokeIssuer": ["ca": "stolen", "id": stolen], "pauseRotation": paused, "resumeRotation": paused,
                "advanceRotation": ["id": try await world.rotateByHand("advanced")],
                "abortRotation": ["id": try await world.rotateByHand("aborted")],
            ]
            let pinned = try await fuzzer.run(
                "pinned", parameters.keys.sorted().flatMap { ["--include-operation-id", $0] }, examples: 3,
                parameters: parameters)
            let owners = ["deleteMesh", "deleteCertificateAuthority"]
            let deletions = try await fuzzer.run(
                "deletions", ["--include-method", "DELETE"] + owners.flatMap { ["--exclude-operation-id", $0] }, examples: 12)
            let last = try await fuzzer.run("last", owners.flatMap { ["--include-operation-id", $0] }, examples: 12)

            let answers = [pinned, deletions, last].reduce(broad) { $0.merging($1, uniquingKeysWith: +) }
            #expect(answers.values.map(\.count).reduce(0, +) > 1000, "the run was cut short")
            #expect(answers.count > 40)
            for (operation, statuses) in answers where !Self.withoutSuccess.contains(operation) {
                // A run that never gets in shows nothing of the answers that matter.
                #expect(statuses.contains { (200...299).contains($0) }, "\(operation) never succeeded: \(Set(statuses).sorted())")
            }
            #expect(try await HTTP.fetch("http://127.0.0.1:\(world.signet.healthPort)/readyz").status == 200)
        }
    }

    /// Schemathesis against one service.
    private struct Fuzzer {
        let world: World
        let dataplaneToken: String

        /// Every answer's status, by operation. Fails the test for each answer that is not described.
        func run(
            _ name: String, _ arguments: [String], examples: Int, parameters: [String: [String: String]] = [:]
        ) async throws -> [String: [Int]] {
            let pinned = parameters.sorted { $0.key < $1.key }.map { operation, values in
                let path = values.sorted { $0.key < $1.key }.map { "\"path.\($0.key)\" = \"\($0.value)\"" }
                return """
                    [[operations]]
                    include-operation-id = "\(operation)"
                    parameters = { \(path.joined(separator: ", ")) }

                    """
            }
            let settings = """
                base-url = "https://localhost:\(world.signet.adminPort)"
                tls-verify = "\(world.signet.authorityFile)"
                headers = { Authorization = "Bearer ${ADMIN_TOKEN}" }
                seed = 20261121
                continue-on-failure = true
                request-timeout = 20.0

                [phases.stateful]
                enabled = false

                [generation]
                max-examples = \(examples)
                no-shrink = true
                database = "none"

                [[operations]]
                include-operation-id = "signCSR"
                headers = { Authorization = "Bearer ${DATAPLANE_TOKEN}" }

                \(pinned.joined())
                """
            let file = try world.workspace.write(settings, to: "\(name).toml")
            let report = world.workspace.file("\(name).ndjson")
            try await Tool.python("schemathesis").output(["--version"])
            // It keeps its notes in the folder where it runs.
            var tool = Tool("env", install: "apt-get install coreutils")
            tool.environment = [
                "ADMIN_TOKEN": try String(contentsOfFile: world.signet.adminTokenFile, encoding: .utf8)
                    .trimmingCharacters(in: .whitespacesAndNewlines),
                "DATAPLANE_TOKEN": dataplaneToken,
            ]
            let result = try await tool.run(
                [
                    "--chdir=\(world.workspace.path)", Repository.path(".venv/bin/schemathesis"), "--config-file", file,
                    "--no-color",
                    "run", Repository.path("Sources/AdminAPI/openapi.yaml"),
                ] + arguments
                    + [
                        "--checks", "all", "--exclude-checks", SchemathesisTests.unchecked, "--report", "ndjson",
                        "--report-ndjson-path", report,
                    ], within: .seconds(120))
            #expect(result.status == 0, "\(result.output.suffix(12_000))\n\(result.errors.suffix(2000))")
            return try SchemathesisTests.statuses(in: report)
        }
    }

    /// The statuses in a report, by operation; one JSON object a line.
    private static func statuses(in report: String) throws -> [String: [Int]] {
        struct Event: Decodable {
            struct Scenario: Decodable {
                struct Recorder: Decodable {
                    struct Interaction: Decodable {
                        struct Response: Decodable {
                            var status: Int

                            private enum CodingKeys: String, CodingKey {
                                case status = "status_code"
                            }
                        }
                        var response: Response?
                    }
                    var label: String
                    /// Absent where a phase had nothing to send.
                    var interactions: [String: Interaction]?
                }
                var recorder: Recorder
            }
            var scenario: Scenario?

            private enum CodingKeys: String, CodingKey {
                case scenario = "ScenarioFinished"
            }
        }
        var statuses: [String: [Int]] = [:]
        for line in try String(contentsOfFile: report, encoding: .utf8).split(separator: "\n") {
            let event = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
            guard let recorder = event.scenario?.recorder else { continue }
            statuses[recorder.label, default: []] += (recorder.interactions ?? [:]).values.compactMap { $0.response?.status }
        }
        return statuses
    }
}

extension World {
    /// The id of the first item of a list.
    fileprivate func first(_ path: String) async throws -> String {
        struct Item: Decodable, Sendable {
            var id: String
        }
        let text = try await adminRequest("GET", path)
        return try #require(try JSONDecoder().decode(Listing<Item>.self, from: Data(text.utf8)).items.first?.id)
    }

    /// Starts a rotation that waits at its gates; its id.
    fileprivate func rotateByHand(_ authority: String) async throws -> String {
        struct Started: Decodable {
            var id: String
        }
        let path = "/certificate-authorities/\(authority)/rotations"
        let text = try await adminRequest("POST", path, body: #"{"manual":true}"#)
        return try JSONDecoder().decode(Started.self, from: Data(text.utf8)).id
    }
}
