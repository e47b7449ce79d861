import AdminWire
import Foundation
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
            let faults: [(name: String, lines: [String], words: String)] = [
                ("edited", edited, "entry 2 was altered"), ("moved", moved, "entry 2 is missing"),
                ("short", Array(all.dropLast()), "entry \(all.count - 1) is missing"),
                ("hole", Array(all[..<2] + all[3...]), "entry 2 is missing"), ("cut", ["{"], "line 1 of"),
            ]
            for fault in faults {
                let path = try workspace.write(fault.lines.joined(separator: "\n"), to: fault.name)
                let result = try await signet.commandLine.run(["audit", "verify", "--file", path])
                #expect(result.status == 1 && result.errors.contains(fault.words), "\(fault.name): \(result)")
                #expect(lines(result.errors).count == 1)
            }
            // Another service's head is none of this trail's.
            let foreign = try workspace.write(all[0].replacing(#""genesis":""#, with: #""genesis":"00"#), to: "foreign.json")
            let result = try await signet.commandLine.run(["audit", "verify", "--head", foreign])
            #expect(result.status == 1 && result.errors.contains("of another database"), "\(result)")
            _ = try await signet.terminate()
        }
    }

    @Test(arguments: [
        (["audit", "list", "--since", "yesterday"], "--since 'yesterday'"), (["audit", "list", "--limit", "0"], "--limit 0"),
        (["audit", "verify", "--file", "/nonexistent"], "there is no file /nonexistent"),
        (["audit", "verify", "--head", "/nonexistent"], "there is no file /nonexistent"),
    ])
    func `Wrong usage is said before a server is asked`(arguments: [String], words: String) async throws {
        let result = try await SignetLine().run(arguments)
        #expect(result.status == 2 && result.errors.contains(words), "\(result)")
    }
}
