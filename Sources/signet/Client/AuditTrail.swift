import AdminWire
import AuthorityService
import Foundation
import PKI

/// The audit trail as the commands read it: from the server by page, or from an exported file by line.
enum AuditTrail {
    /// Rows a page: one may hold two documents of a megabyte.
    static let pageSize = 50

    static func head(_ client: AdminClient) async throws(CommandFailure) -> AuditHeadMessage {
        try client.decode(AuditHeadMessage.self, try await client.send("GET", "/audit/head"))
    }

    /// Hands over every row that there is, oldest first, a page at a time.
    static func forEach(_ client: AdminClient, _ body: (AuditMessage) throws -> Void) async throws {
        var after: Int64 = 0
        while true {
            let answer = try await client.send("GET", "/audit/chain?after=\(after)&size=\(pageSize)")
            let page = try client.decode(AuditChainMessage.self, answer).items
            guard let last = page.last?.seq, last > after else { return }
            for row in page { try body(row) }
            after = last
        }
    }

    /// The lines of an exported trail: the first alone, then each of the others.
    static func readFile(
        _ path: String, first: (AuditExportMessage) throws -> Void, row: (AuditMessage) throws -> Void
    ) throws {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw CommandFailure.usage(
                "\(path) is a directory: name a file that 'signet audit export' or 'signet audit head' wrote")
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw CommandFailure.usage("there is no file \(path), or it cannot be read: name what 'signet audit export' wrote")
        }
        defer { try? file.close() }
        var open = Data()
        var number = 0
        func take(_ line: Data) throws {
            guard !line.isEmpty else { return }
            number += 1
            let bytes = Array(line)
            do {
                if number == 1 {
                    let message = try WireJSON.decode(AuditExportMessage.self, from: bytes)
                    try MemberCheck.confirm(bytes, has: MemberCheck.head)
                    try first(message)
                } else {
                    let message = try WireJSON.decode(AuditMessage.self, from: bytes)
                    try MemberCheck.confirm(bytes, has: MemberCheck.row)
                    try row(message)
                }
            } catch let fault as MemberCheck.Fault {
                throw CommandFailure.failed("line \(number) of \(path) \(fault.words)")
            } catch is DecodingError {
                throw CommandFailure.failed("line \(number) of \(path) is none of an audit trail: it was changed or cut")
            }
        }
        while let chunk = try file.read(upToCount: 1 << 16), !chunk.isEmpty {
            // What was looked at without finding an end is not looked at again.
            var rest = chunk
            while let end = rest.firstIndex(of: 0x0A) {
                try take(open + rest[..<end])
                open = Data()
                rest = rest[rest.index(after: end)...]
            }
            open.append(rest)
            guard open.count <= longestLine else {
                throw CommandFailure.failed("a line of \(path) is longer than \(longestLine >> 20) MiB: it is no audit trail")
            }
        }
        try take(open)
        guard number > 0 else { throw CommandFailure.usage("\(path) is empty: name what 'signet audit export' wrote") }
    }

    private static let longestLine = 64 << 20

    /// The head that was kept in a file, whose other lines do not matter.
    static func keptHead(_ path: String) throws -> AuditHead {
        struct Found: Error { let head: AuditHead }
        do {
            try readFile(path) {
                throw Found(head: try AuditHead($0.head))
            } row: { _ in
            }
        } catch let found as Found {
            return found.head
        }
        throw CommandFailure.usage("there is no head in \(path): name what 'signet audit head' wrote")
    }
}

extension AuditRow {
    init(_ message: AuditMessage) throws(CommandFailure) {
        guard let previous = message.previous.flatMap(Hex.decode), let hash = message.hash.flatMap(Hex.decode) else {
            throw .failed("entry \(message.seq) of the audit trail has no hash: ask with a token for all meshes")
        }
        guard message.at == Timestamp(milliseconds: message.atMilliseconds).iso8601 else {
            throw .failed(
                "entry \(message.seq) of the audit trail has another time in 'at' than in 'atMilliseconds': it was changed")
        }
        self.init(
            seq: message.seq, at: Timestamp(milliseconds: message.atMilliseconds), actor: message.actor,
            source: message.source, action: message.action, mesh: message.mesh, object: message.object,
            details: message.details, requestID: message.requestID, before: message.before, after: message.after,
            previous: previous, hash: hash)
    }
}

extension AuditHead {
    init(_ message: AuditHeadMessage) throws(CommandFailure) {
        let unreadable = CommandFailure.failed("the head of the audit trail cannot be read: it was changed or cut")
        guard let genesis = Hex.decode(message.genesis), let hash = Hex.decode(message.hash) else { throw unreadable }
        self.init(genesis: genesis, seq: message.seq, hash: hash)
        guard let signed = message.signed else { return }
        guard let hash = Hex.decode(signed.hash), let publicKey = Data(base64Encoded: signed.publicKey),
            let signature = Data(base64Encoded: signed.signature)
        else { throw unreadable }
        seal = AuditSeal(
            seq: signed.seq, hash: hash, at: Timestamp(milliseconds: signed.atMilliseconds), publicKey: Array(publicKey),
            signature: Array(signature))
        // What people read is what was signed.
        guard signed.at == seal?.at.iso8601, signed.keyFingerprint == seal?.keyFingerprint.description else { throw unreadable }
    }
}
