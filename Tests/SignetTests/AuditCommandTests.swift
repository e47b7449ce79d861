import AdminWire
import AuthorityService
import Foundation
import PKI
import PKICrypto
import TestSupport
import Testing

/// `signet audit …` of the built program, against a `signet dev` of its own.
@Suite(.serialized) struct AuditCommandTests {
    private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    /// Verifies until the last entries are signed too: a replica does that every other second.
    private func verified(_ signet: SignetProcess, _ arguments: String...) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let result = try await signet.commandLine.run(["audit", "verify"] + arguments)
            let isSigned = result.status == 0 && !result.output.contains("not signed yet")
            if isSigned || ContinuousClock.now > deadline {
                #expect(isSigned, "\(result)")
                return result.output
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `The trail is listed, verified, exported, and verified again where it was kept, whole or not`() async throws {
        try await Workspace.open("audit") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            let mesh = "type: Mesh\nname: orders\nmtls: {enabledBackend: ca-1, backends: [{name: ca-1, type: builtin}]}\n"
            let file = try workspace.write(mesh, to: "orders.yaml")
            _ = try await signet.command("apply", "-f", file)

            let table = try await signet.command("audit", "list", "--mesh", "orders", "--since", "1h")
            #expect(table.hasPrefix("ENTRY  AT") && lines(table).count == 2 && table.contains("mesh-created"), "\(table)")
            let json = try JSONValue(parsing: try await signet.command("audit", "list", "--limit", "1", "-o", "json"))
            let newest = try #require(json["items"]?.elements?.first)
            #expect(newest["after"]?.text?.contains("mesh orders") == true && newest["hash"]?.text?.count == 64)
            let actor = try #require(newest["actor"]?.text)
            #expect(try await lines(signet.command("audit", "list", "--actor", actor)).count >= 2)
            #expect(try await lines(signet.command("audit", "list", "--since", "2199-01-01T00:00:00Z")).count == 1)

            let sound = try await verified(signet)
            #expect(sound.contains("are as they were written\nsigned up to entry "), "\(sound)")
            let head = try workspace.write(try await signet.command("audit", "head"), to: "head.json")
            _ = try await signet.command("delete", "mesh", "orders")
            let whole = try await signet.command("audit", "export")
            let all = lines(whole)
            #expect(all.count >= 4 && all[0].hasPrefix(#"{"head":{"#))

            #expect(try await verified(signet, "--head", head).contains("are as they were written"))
            let kept = try workspace.write(whole, to: "trail.jsonl")
            #expect(try await signet.command("audit", "verify", "--file", kept, "--head", head).contains("as they were written"))
            let late = try workspace.write(
                try await signet.command("audit", "export", "--since", "2199-01-01T00:00:00Z"), to: "late.jsonl")
            #expect(try await signet.command("audit", "verify", "--file", late).hasPrefix("0 entries"))
            let unsaid = try await signet.commandLine.run(["audit", "verify", "--file", late, "--head", head])
            #expect(unsaid.status == 2 && unsaid.errors.contains("the export begins after entry"), "\(unsaid)")

            var edited = all
            edited[2] = edited[2].replacing(#""actor":""#, with: #""actor":"x"#)
            var moved = all
            moved.swapAt(2, 3)
            func with(_ line: Int, _ text: String, _ other: String) -> [String] {
                var lines = all
                lines[line] = lines[line].replacing(text, with: other, maxReplacements: 1)
                return lines
            }
            let faults: [(name: String, lines: [String], words: String)] = [
                ("edited", edited, "entry 2 was altered"), ("moved", moved, "entry 2 is missing"),
                ("short", Array(all.dropLast()), "entry \(all.count - 1) is missing"),
                ("hole", Array(all[..<2] + all[3...]), "entry 2 is missing"), ("cut", ["{"], "line 1 of"),
                ("twice", with(2, #""seq":"#, #""actor":"user:mallory","seq":"#), "has the member 'actor' twice"),
                ("escaped", with(2, #""seq":"#, #""\u0061ctor":"user:mallory","seq":"#), "has the member 'actor' twice"),
                ("unknown", with(2, #""seq":"#, #""note":"user:mallory","seq":"#), "has a member 'note'"),
                ("detail", with(2, #""details":{"#, #""details":{"a":"1","a":"2","#), "has the member 'details.a' twice"),
                ("head", with(0, #"{"head":{"#, #"{"head":{"seq":1,"#), "has the member 'head.seq' twice"),
                ("signer", with(0, #""keyFingerprint":""#, #""keyFingerprint":"0"#), "cannot be read"),
                ("time", with(2, #""at":"2"#, #""at":"3"#), "another time"),
            ]
            for fault in faults {
                let path = try workspace.write(fault.lines.joined(separator: "\n"), to: fault.name)
                let result = try await signet.commandLine.run(["audit", "verify", "--file", path])
                #expect(result.status == 1 && result.errors.contains(fault.words), "\(fault.name): \(result)")
                #expect(!fault.words.hasPrefix("has ") || result.errors.contains("line \(fault.name == "head" ? 1 : 3) of"))
                #expect(lines(result.errors).count == 1)
            }
            // Another service's head is none of this trail's.
            let foreign = try workspace.write(all[0].replacing(#""genesis":""#, with: #""genesis":"00"#), to: "foreign.json")
            let result = try await signet.commandLine.run(["audit", "verify", "--head", foreign])
            #expect(result.status == 1 && result.errors.contains("of another database"), "\(result)")
            // One form, whoever it was.
            let entries = try JSONValue(parsing: try await signet.command("audit", "list", "-o", "json"))["items"]?.elements ?? []
            let sources = Set(entries.compactMap { $0["source"]?.text })
            #expect(sources.contains("local") && sources.count > 1, "\(sources)")
            #expect(sources.allSatisfy { $0 == "local" || $0.wholeMatch(of: /(127\.0\.0\.1|\[::1\]):\d+/) != nil }, "\(sources)")
            _ = try await signet.terminate()
        }
    }

    /// An exported trail of acts, made without a server, and its head.
    private func export(
        _ actions: [String], of key: PrivateKey, with now: Timestamp
    ) throws -> (head: String, whole: String) {
        let genesis = [UInt8](repeating: 7, count: 32)
        var chain = AuditChain(hash: genesis)
        var lines: [String] = []
        for (index, action) in actions.enumerated() {
            let row = AuditRow(
                AuditEntry(at: now, actor: "user:alice", source: "local", action: action, mesh: nil, object: "o"),
                seq: Int64(index + 1), previous: chain.hash)
            try chain.follow(row)
            let message = AuditMessage(
                seq: row.seq, at: row.at.iso8601, atMilliseconds: row.at.milliseconds, actor: row.actor, source: row.source,
                action: row.action, mesh: nil, object: row.object, details: [:], requestID: "", before: nil, after: nil,
                previous: Hex.encode(row.previous), hash: Hex.encode(row.hash))
            lines.append(String(decoding: try WireJSON.encode(message), as: UTF8.self))
        }
        let seal = try AuditSeal(chain, genesis: genesis, at: now, with: key)
        let signed = AuditHeadMessage.Seal(
            seq: seal.seq, hash: Hex.encode(seal.hash), at: seal.at.iso8601, atMilliseconds: seal.at.milliseconds,
            publicKey: Data(seal.publicKey).base64EncodedString(), keyFingerprint: seal.keyFingerprint.description,
            signature: Data(seal.signature).base64EncodedString())
        let head = AuditExportMessage(
            head: AuditHeadMessage(genesis: Hex.encode(genesis), seq: chain.seq, hash: Hex.encode(chain.hash), signed: signed))
        let line = String(decoding: try WireJSON.encode(head), as: UTF8.self)
        return (line, ([line] + lines).joined(separator: "\n") + "\n")
    }

    @Test(arguments: [1, 2, 3])
    func `A head from before a restore that was confirmed is missed with the entry that explains it`(later: Int) async throws {
        try await Workspace.open("audit-restored") { workspace in
            let key = try PrivateKey.generate(.ecP256)
            let (early, late) = (Timestamp(seconds: 1_800_000_000), Timestamp(seconds: 1_800_001_000))
            let head = try workspace.write(
                try export(["a", "ledger-confirmed", "c", "d"], of: key, with: early).head, to: "head")
            func errors(_ actions: [String], _ now: Timestamp) async throws -> String {
                let trail = try workspace.write(try export(actions, of: key, with: now).whole, to: "trail-\(actions.count)")
                let result = try await SignetLine().run(["audit", "verify", "--file", trail, "--head", head])
                #expect(result.status == 1, "\(result)")
                return result.errors
            }
            let explained = try await errors(["a", "ledger-confirmed"] + Array(repeating: "x", count: later), late)
            #expect(explained.contains("since that head was kept, user:alice confirmed") && explained.contains("(entry 2,"))
            // One from before the head was kept explains nothing.
            let bare = try await errors(["a", "ledger-confirmed", "y"], Timestamp(seconds: 1_799_999_000))
            #expect(!bare.contains("since that head"), "\(bare)")
        }
    }

    @Test func `An export that begins later says which entries it is, and that those before are not in it`() async throws {
        try await Workspace.open("audit-later") { workspace in
            let key = try PrivateKey.generate(.ecP256)
            let lines = try self.lines(export(["a", "b", "c", "d"], of: key, with: Timestamp(seconds: 1_800_000_000)).whole)
            func start(at entry: String) throws -> String {
                let row = try JSONValue(parsing: entry)
                let (seq, hash) = (try #require(row["seq"]?.json), try #require(row["hash"]?.text))
                return lines[0].dropLast() + #","start":{"seq":\#(seq),"hash":"\#(hash)"}}"#
            }
            func verified(_ lines: [String]) async throws -> String {
                let file = try workspace.write(lines.joined(separator: "\n"), to: "later.jsonl")
                let result = try await SignetLine().run(["audit", "verify", "--file", file])
                #expect(result.status == 0, "\(result)")
                return result.output
            }
            #expect(try await verified(lines).hasPrefix("4 entries, up to entry 4, are as they were written\n"))
            let late = try await verified([start(at: lines[2])] + lines[3...])
            #expect(
                late.hasPrefix("entries 3 to 4 are as they were written; what is before entry 3 is not in this file\n"), "\(late)"
            )
            let none = try await verified([start(at: lines[4])])
            #expect(none.hasPrefix("0 entries are as they were written; what is up to entry 4 is not in this file\n"), "\(none)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A line of many megabytes is looked at once, and one beyond the limit is told at once`() async throws {
        try await Workspace.open("audit-long") { workspace in
            let path = workspace.file("long.jsonl")
            try Data(repeating: UInt8(ascii: "x"), count: 32 << 20).write(to: URL(fileURLWithPath: path))
            let long = try await SignetLine().run(["audit", "verify", "--file", path])
            #expect(long.status == 1 && long.errors.contains("line 1 of \(path) is none of an audit trail"), "\(long)")
            #expect(truncate(path, 16 << 30) == 0)
            let longer = try await SignetLine().run(["audit", "verify", "--file", path])
            #expect(longer.status == 1 && longer.errors.contains("is longer than 64 MiB"), "\(longer)")
        }
    }

    @Test(arguments: [
        (["audit", "list", "--since", "yesterday"], "--since 'yesterday'"), (["audit", "list", "--limit", "0"], "--limit 0"),
        (["audit", "list", "--limit", "-1"], "--limit -1"), (["audit", "list", "--limit", "x"], "'--limit"),
        (["audit", "list", "--since", "-1h"], "'--since"),
        (["audit", "list", "--since=-1h"], "--since '-1h'"), (["audit", "list", "--since", ""], "--since ''"),
        (["audit", "export", "--since", "1 day"], "--since '1 day'"), (["audit", "list", "--actor", ""], "--actor ''"),
        (["audit", "list", "--actor", "alice"], "--actor 'alice'"), (["audit", "list", "--actor", "user:"], "--actor 'user:'"),
        (["audit", "list", "--actor", "-x"], "'--actor"), (["audit", "list", "--mesh", ""], "--mesh"),
        (["audit", "verify", "--file", "/tmp"], "/tmp is a directory"),
        (["audit", "verify", "--head", "/tmp"], "/tmp is a directory"),
        (["audit", "verify", "--file", "/nonexistent"], "there is no file /nonexistent"),
        (["audit", "verify", "--head", "/nonexistent"], "there is no file /nonexistent"),
    ])
    func `Wrong usage is said before a server is asked`(arguments: [String], words: String) async throws {
        let result = try await SignetLine().run(arguments)
        #expect(result.status == 2 && result.errors.contains(words), "\(result)")
    }
}
