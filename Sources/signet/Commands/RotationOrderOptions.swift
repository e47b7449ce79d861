import AdminWire
import ArgumentParser

/// What the orders to a rotation have in common.
struct RotationOrderOptions: ParsableArguments {
    @Argument(help: "The rotation's id; 'signet get rotations' lists them.")
    var id: String

    @Option(help: ArgumentHelp("Why, for the audit trail.", valueName: "text"))
    var reason: String?

    @OptionGroup var options: GetOptions

    func validate() throws {
        try checkID(id)
        if let reason { try checkReason(reason) }
    }

    /// Sends the order and prints the rotation as it is then; `done` says it in a sentence.
    ///
    /// Where the rotation is not to be told so because somebody holds its gate, they are shown first.
    func send(_ order: String, force: Bool = false, done: @Sendable (RotationMessage) -> String) async throws {
        try await AdminClient.with(options.server) { client in
            let path = AdminClient.rotationPath(id)
            let message = RotationOrderMessage(force: force, reason: reason)
            // Whoever is left behind is of the phase that was seen: one that began meanwhile is not forced.
            let seen = force ? try await show(path, client) : nil
            let answer = try await client.attempt(
                "POST", "\(path)/\(order)", body: Array(message.json.json.utf8),
                headers: seen.map { [("if-match", $0)] } ?? [])
            guard answer.isDone else {
                if answer.status == 412 {
                    throw CommandFailure.failed(
                        "the rotation \(id) is not what it was a moment ago, and was not forced: look at it with "
                            + "'signet rotation status \(id)', and repeat")
                }
                if order == "advance", answer.status == 409, let now = try await client.find(path),
                    let gate = try client.decode(RotationMessage.self, now).gate, !gate.open, !gate.blockers.isEmpty
                {
                    // What is forced was shown before.
                    if !force || options.output != .table {
                        try options.print(try client.json(now)) { _ in RotationText.table(gate.blockers) }
                    }
                }
                throw client.failure(answer)
            }
            let rotation = try client.decode(RotationMessage.self, answer)
            try options.print(try client.json(answer)) { _ in
                let behind = rotation.leftBehind ?? []
                return Console.oneLine(done(rotation)) + "\n"
                    + (behind.isEmpty ? "" : "left behind:\n" + RotationText.table(behind))
            }
        }
    }
}

extension RotationOrderOptions {
    /// Shows a person how the rotation stands, and returns the ETag of just that; nil where the server gives none.
    private func show(_ path: String, _ client: AdminClient) async throws -> String? {
        let answer = try await client.send("GET", path)
        let rotation = try client.decode(RotationMessage.self, answer)
        if options.output == .table, !RotationText.hasEnded(rotation) { try Console.out(GetRotation.page(rotation)) }
        return answer.entityTag
    }
}

/// Refuses what is no reason, before a server is asked.
func checkReason(_ text: String) throws {
    guard let fault = ReasonText.fault(text) else { return }
    throw ValidationError("--reason \(fault)")
}
