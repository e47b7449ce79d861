import Foundation
import TestSupport
import Testing

@testable import signet

@Suite struct DevStartTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func `A stop during the first start leaves no database running and a directory that starts again`(signal: Int32) async throws
    {
        try await Workspace.open("stop") { workspace in
            let signet = try SignetProcess(in: workspace)
            let process = try await signet.launch()
            // The database's folder is made first of all; everything that takes long comes after it.
            try await eventually(within: .seconds(30), "the beginning of the start") {
                FileManager.default.fileExists(atPath: signet.dataDirectory + "/postgres")
            }
            #expect(!FileManager.default.fileExists(atPath: signet.dataDirectory + "/endpoints.json"))
            process.send(signal)
            #expect(try await process.waitForEnd(within: .seconds(90)) == .exited(0), "\(signet.log)")
            let left = FileManager.default.enumerator(atPath: signet.dataDirectory)?.compactMap { $0 as? String } ?? []
            #expect(!left.contains { $0.hasSuffix("postmaster.pid") }, "\(left.filter { $0.contains("postmaster") })")
            try await signet.start()
            #expect(try await signet.terminate() == .exited(0), "\(signet.log)")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `A start that waits for an operator's word on the database is found by the commands that give it`() async throws {
        try await Workspace.open("doubt") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            #expect(try await signet.terminate() == .exited(0), "\(signet.log)")
            // It has seen more of the database than there is.
            let memory = signet.dataDirectory + "/journal/ledger.json"
            let text = try String(contentsOfFile: memory, encoding: .utf8)
            try text.replacing(#/"revision"\s*:\s*\d+/#, with: #""revision":1000"#)
                .write(toFile: memory, atomically: true, encoding: .utf8)
            _ = try await signet.launch()
            try await eventually(within: .seconds(60), "the endpoints") {
                FileManager.default.fileExists(atPath: signet.dataDirectory + "/endpoints.json")
            }
            #expect(signet.log.contains("signet ledger confirm"), "\(signet.log)")
            #expect(try await signet.command("ledger", "status").contains("lost"), "\(signet.log)")
            try await signet.command("ledger", "confirm", "--reason", "it is the one")
            try await eventually(within: .seconds(30), "readiness") {
                try await HTTP.fetch("http://127.0.0.1:\(signet.healthPort)/readyz").status == 200
            }
            #expect(try await signet.terminate() == .exited(0), "\(signet.log)")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `A private PostgreSQL that was killed is started again, and one that does not start ends the program`() async throws {
        try await Workspace.open("killed") { workspace in
            let signet = try SignetProcess(in: workspace)
            try await signet.start()
            let killed = try postmaster(of: signet)
            kill(killed, SIGKILL)
            try await eventually(within: .seconds(40), "another server") {
                let pid = try? postmaster(of: signet)
                return pid != nil && pid != killed && signet.log.contains("was started again")
            }
            try await eventually(within: .seconds(40), "readiness") {
                try await HTTP.fetch("http://127.0.0.1:\(signet.healthPort)/readyz").status == 200
            }
            _ = try await signet.command("token", "user", "--name", "n", "--role", "viewer")

            let settings = signet.dataDirectory + "/postgres/data/postgresql.conf"
            let sound = try String(contentsOfFile: settings, encoding: .utf8)
            try (sound + "nonsense = 1\n").write(toFile: settings, atomically: false, encoding: .utf8)
            kill(try postmaster(of: signet), SIGKILL)
            #expect(try await signet.waitForEnd(within: .seconds(80)) == .exited(1), "\(signet.log)")
            #expect(signet.log.contains("in a row: see \(signet.dataDirectory)/postgres/log"), "\(signet.log)")
            #expect(signet.log.split(separator: "\n").filter { $0.contains("starting it again") }.count >= 5, "\(signet.log)")

            try sound.write(toFile: settings, atomically: false, encoding: .utf8)
            try await signet.start()
            #expect(try await signet.terminate() == .exited(0), "\(signet.log)")
        }
    }

    private func postmaster(of signet: SignetProcess) throws -> pid_t {
        let text = try String(contentsOfFile: signet.dataDirectory + "/postgres/data/postmaster.pid", encoding: .utf8)
        return try #require(text.split(separator: "\n").first.flatMap { pid_t($0) })
    }

    @Test func `The advice names the program by its path unless PATH leads to it`() async throws {
        try await Workspace.open("banner") { workspace in
            #expect(DevBanner.program(calledAs: "/opt/s/signet", path: workspace.path) == "/opt/s/signet")
            #expect(DevBanner.program(calledAs: "bin/signet", path: "").hasSuffix("/bin/signet"))
            let program = try workspace.write("#!/bin/sh\n", to: "signet")
            chmod(program, 0o755)
            #expect(DevBanner.program(calledAs: "/opt/s/signet", path: "/nonexistent:\(workspace.path)") == "signet")
        }
    }

    @Test func `A limit of connections that the open files do not suffice for is told at the start`() async throws {
        var files = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0)
        try await Workspace.open("files") { workspace in
            let modest = try SignetProcess(in: workspace, settings: ["limits.connections": "10"])
            try await modest.start()
            #expect(try await modest.terminate() == .exited(0), "\(modest.log)")
            #expect(!modest.log.contains("fewer files may be open"), "\(modest.log)")
        }
        // The service raises its limit to the hard one, and the key goes no higher than this.
        guard files.rlim_max <= 1_000_000 else { return }
        try await Workspace.open("files") { workspace in
            let signet = try SignetProcess(in: workspace, settings: ["limits.connections": "1000000"])
            try await signet.start()
            #expect(try await signet.terminate() == .exited(0), "\(signet.log)")
            #expect(signet.log.contains("fewer files may be open"), "\(signet.log)")
        }
    }
}
