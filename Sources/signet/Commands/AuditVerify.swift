import AdminWire
import ArgumentParser
import AuthorityService
import PKI

/// `signet audit verify`: is the trail still what was written?
struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Say whether the audit trail is as it was written, and else which entry is not.",
        discussion: """
            Example: signet audit verify --head kept-head.json
            Example: signet audit verify --file trail.jsonl

            Exit code 0: it is. 1: it is not; the first entry that shows it is named. Every digest is computed anew, here.
            Without a head that was kept elsewhere, an owner of the database who put an older state back goes unnoticed.
            """)

    @Option(help: ArgumentHelp("A head that was kept: the trail must still contain it.", valueName: "file"))
    var head: String?

    @Option(help: ArgumentHelp("An exported trail instead of the server's.", valueName: "file"))
    var file: String?

    @OptionGroup var server: ServerOptions

    func run() async throws {
        let kept = try head.map { try AuditTrail.keptHead($0) }
        let (head, outcome): (AuditHead, AuditVerification.Outcome)
        var start: Int64 = 0
        do {
            if let file {
                (head, outcome, start) = try verify(file: file, kept)
            } else {
                (head, outcome) = try await verify(server, kept)
            }
        } catch let fault as AuditFault {
            if case .keptBeforeStart = fault { throw CommandFailure.usage("\(fault)") }
            let explained = await confirmation(since: kept).map { "; since that head was kept, \($0)" } ?? ""
            throw CommandFailure.failed(
                "the audit trail is not as it was written: \(fault)\(explained): keep the database as it is, and compare it with "
                    + "an export")
        }
        try Console.out(AuditVerify.text(outcome, after: start))
        if let seal = head.seal {
            try Console.out("signed up to entry \(outcome.sealedSeq) by the key \(seal.keyFingerprint)")
        }
        if outcome.seq > outcome.sealedSeq {
            try Console.out("not signed yet: \(outcome.seq - outcome.sealedSeq) after it, which a replica signs within seconds")
        }
    }

    /// `start`: the entry after which what was read begins.
    static func text(_ outcome: AuditVerification.Outcome, after start: Int64) -> String {
        guard start > 0 else { return "\(outcome.count) entries, up to entry \(outcome.seq), are as they were written" }
        guard outcome.seq > start else {
            return "0 entries are as they were written; what is up to entry \(start) is not in this file"
        }
        return
            "entries \(start + 1) to \(outcome.seq) are as they were written; what is before entry \(start + 1) is not in this file"
    }

    private func verify(
        _ server: ServerOptions, _ kept: AuditHead?
    ) async throws -> (AuditHead, AuditVerification.Outcome) {
        try await AdminClient.with(server) { client in
            let head = try AuditHead(try await AuditTrail.head(client))
            var verification = try AuditVerification(head: head, kept: kept)
            try await AuditTrail.forEach(client) { try verification.follow(try AuditRow($0)) }
            let latest = try AuditHead(try await AuditTrail.head(client))
            return (head, try verification.finish(latest: latest))
        }
    }

    /// By whom a database was taken for right that had lost what was kept, last: it may be all that there is to a fault.
    private func confirmation(since kept: AuditHead?) async -> String? {
        guard let kept = kept?.seal?.at else { return nil }
        var found: String?
        func look(_ row: AuditMessage) {
            guard row.action == "ledger-confirmed", row.atMilliseconds >= kept.milliseconds else { return }
            found =
                "\(row.actor) confirmed a database that had lost transactions (entry \(row.seq), 'ledger-confirmed', at "
                + "\(Timestamp(milliseconds: row.atMilliseconds).iso8601)), which explains it where that was meant"
        }
        do {
            if let file {
                try AuditTrail.readFile(file, first: { _ in }, row: look)
            } else {
                try await AdminClient.with(server) { try await AuditTrail.forEach($0, look) }
            }
        } catch {
            // The fault is told all the same.
        }
        return found
    }

    /// With the entry after which the file begins.
    private func verify(file: String, _ kept: AuditHead?) throws -> (AuditHead, AuditVerification.Outcome, start: Int64) {
        var read: (head: AuditHead, verification: AuditVerification, start: Int64)?
        try AuditTrail.readFile(file) { first in
            let head = try AuditHead(first.head)
            var start: (seq: Int64, hash: [UInt8])?
            if let given = first.start {
                guard let hash = Hex.decode(given.hash) else {
                    throw CommandFailure.failed("the first line of \(file) cannot be read: it was changed or cut")
                }
                start = (given.seq, hash)
            }
            read = (head, try AuditVerification(head: head, kept: kept, start: start), start?.seq ?? 0)
        } row: { row in
            try read?.verification.follow(try AuditRow(row))
        }
        guard let read else { throw CommandFailure.usage("\(file) is empty: name what 'signet audit export' wrote") }
        return (read.head, try read.verification.finish(), read.start)
    }
}
