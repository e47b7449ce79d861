import AdminWire

/// Makes a certificate authority of a name that none has yet, from its document.
enum AuthorityCreation {
    /// `done` is the word for what was done.
    static func send(_ document: JSONValue, name: String, _ server: ServerOptions, done: String) async throws {
        let document = try checked(document)
        try await AdminClient.with(server) { client in
            guard let answer = try await client.create(AuthorityCommand.path(name), document.requestJSON) else {
                throw CommandFailure.failed(
                    "there is a certificate authority '\(name)' already: choose another name, or change that one with "
                        + "'signet apply'")
            }
            try Console.out(
                "certificate authority '\(name)' \(done): let a mesh share it with 'signet ca share \(name) --mesh NAME'")
            for warning in try client.decode(CertificateAuthorityChangeMessage.self, answer).warnings { Console.note(warning) }
        }
    }

    /// What the document alone shows to be wrong is wrong usage, and needs no server.
    private static func checked(_ document: JSONValue) throws(CommandFailure) -> PolicyDocument {
        do {
            let documents = try DocumentFile.documents(in: Array(document.json.utf8), format: .json)
            if let document = documents.first { return document }
        } catch {
            throw .usage(error.issues.map { "\($0.field): \($0.reason)" }.joined(separator: "; "))
        }
        throw .usage("there is no document")
    }
}
