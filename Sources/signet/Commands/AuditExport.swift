import AdminWire
import ArgumentParser
import PKI

/// `signet audit export`: the trail as lines of JSON, to be kept elsewhere.
struct AuditExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the audit trail as lines of JSON, with its signed head first.",
        discussion: """
            Example: signet audit export > trail.jsonl
            Example: signet audit export --since 24h | gzip > day.jsonl.gz

            'signet audit verify --file' verifies it without the server; '--head' takes it as a head that was kept.
            """)

    @OptionGroup var since: SinceOption

    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await AdminClient.with(server) { client in
            let head = try await AuditTrail.head(client)
            let earliest = try since.time()
            var start: AuditExportMessage.Start?
            var hasBegun = false
            try await AuditTrail.forEach(client) { row in
                // What came after the head is for the next export.
                guard row.seq <= head.seq else { return }
                if !hasBegun, let earliest, Timestamp(milliseconds: row.atMilliseconds) < earliest, let hash = row.hash {
                    start = .init(seq: row.seq, hash: hash)
                    return
                }
                if !hasBegun { try Self.write(AuditExportMessage(head: head, start: start)) }
                hasBegun = true
                try Self.write(row)
            }
            if !hasBegun { try Self.write(AuditExportMessage(head: head, start: start)) }
        }
    }

    static func write(_ message: some Encodable) throws {
        try Console.out(String(decoding: try WireJSON.encode(message), as: UTF8.self))
    }
}

/// `signet audit head`: a line to be kept where the database's owner cannot write.
struct AuditHeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head", abstract: "Write the signed head of the audit trail, to be kept elsewhere.",
        discussion: "Example: signet audit head > kept-head.json")

    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await AdminClient.with(server) { client in
            try AuditExport.write(AuditExportMessage(head: try await AuditTrail.head(client)))
        }
    }
}
