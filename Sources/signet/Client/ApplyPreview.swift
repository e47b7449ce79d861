import AdminWire

/// Says of each document of a run what it would do, in the run's order.
struct ApplyPreview {
    private let client: AdminClient
    private let leave: Bool
    /// What the server has, by the titles of this run's documents.
    private var current: [String: AdminClient.Answer] = [:]
    /// The titles of the documents of this run that are not on the server yet.
    private var created: Set<String> = []

    /// Asks the server for each of the documents.
    init(of documents: [PolicyDocument], client: AdminClient, leave: Bool) async throws(CommandFailure) {
        self.client = client
        self.leave = leave
        for document in documents {
            current[document.title] = try await client.find(document.path)
            if current[document.title] == nil { created.insert(document.title) }
        }
    }

    /// The server judges each document against what it has. What depends on a document that this run would create first
    /// cannot be judged so: of that the fields are compared here, and the rest is left to the run itself.
    func show(_ document: PolicyDocument) async throws(CommandFailure) {
        let current = current[document.title]
        let awaited = document.dependencies.filter(created.contains)
        var lines: [String]
        var warnings = document.warnings
        var changes = true
        if case .certificateAuthority(var authority) = document, !awaited.isEmpty {
            authority.meshes.removeAll { awaited.contains("mesh '\($0)'") }
            let report = try await report(.certificateAuthority(authority))
            lines =
                (current == nil ? report.consequences : report.preview) + awaited.map { "\($0) would join when it is created" }
            warnings = report.warnings
        } else if awaited.isEmpty {
            let report = try await report(document)
            // Of a new document every field is new: they stand in the document itself.
            lines = current == nil ? report.consequences : report.preview
            warnings = report.warnings
            changes = !(report.differences.isEmpty && report.moves.isEmpty && report.replacement == nil)
        } else {
            lines = try differences(document, from: current)
            lines.append(
                "depends on \(awaited.joined(separator: " and ")), to be created first: "
                    + "who would accept whom is known when it is there")
        }
        let verb = current == nil ? "would be created" : changes ? "would be replaced" : "unchanged"
        try Console.out("\(document.title) \(verb)")
        for line in lines { try Console.out("  " + line) }
        for warning in warnings { Console.note(warning) }
    }

    private func report(_ document: PolicyDocument) async throws(CommandFailure) -> ChangeReport {
        let query = "?dryRun=true" + (leave && document.kind == .mesh ? "&leave=true" : "")
        let answer = try await client.send("PUT", document.path + query, body: Array(document.requestJSON.json.utf8))
        return try client.report(answer, of: document)
    }

    /// Both sides are brought to the form in which a document is written, so that defaults and times do not count.
    private func differences(_ document: PolicyDocument, from current: AdminClient.Answer?) throws(CommandFailure) -> [String] {
        guard let current else { return [] }
        do {
            guard let before = try DocumentFile.documents(in: current.body, format: .json).first else { return [] }
            return ChangeReport(
                MeshChangeMessage(differences: JSONValue.differences(from: before.json(), to: document.json()))
            ).preview
        } catch {
            throw .failed("the server's document is not understood (\(error)): is this 'signet' older than the server?")
        }
    }
}
