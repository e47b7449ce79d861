import Foundation
import Listeners
import Postgres
import TestSupport
import Testing

@testable import signet

@Suite struct ServeTests {
    @Test func `An old schema is refused, migrated once, and then served until SIGTERM`() async throws {
        let database = try await TestDatabase.makeEmpty()
        try await Workspace.open("serve") { workspace in
            let setting = try await ServeSetting(in: workspace, database: database.configuration)
            let early = try await setting.run("serve")
            #expect(early.status == 1 && early.errors.contains("run 'signet migrate'"), "\(early)")
            let migrated = try await setting.run("migrate")
            #expect(migrated.status == 0 && migrated.output.contains("applied "), "\(migrated)")
            let again = try await setting.run("migrate")
            #expect(again.status == 0 && !again.output.contains("applied "), "\(again)")

            let process = try await setting.start()
            try await eventually(within: .seconds(20), "readiness") { try await setting.isReady() }
            // The token is written when the state is there.
            try await eventually(within: .seconds(10), "the admin token") {
                FileManager.default.fileExists(atPath: workspace.file("admin.token"))
            }
            let meshes = try await setting.client.run("get", "meshes")
            #expect(meshes.status == 0 && meshes.output.contains("default"), "\(meshes)")
            process.send(SIGTERM)
            #expect(try await process.waitForEnd(within: .seconds(30)) == .exited(0), "\(process.log)")
        }
    }

    @Test func `Another key-encryption key than the database's is refused, and nothing is changed`() async throws {
        let database = try await TestDatabase.make()
        try await Workspace.open("serve") { workspace in
            let setting = try await ServeSetting(in: workspace, database: database.configuration)
            let first = try await setting.start()
            try await eventually(within: .seconds(20), "readiness") { try await setting.isReady() }
            first.send(SIGTERM)
            try await first.waitForEnd(within: .seconds(30))
            unlink(workspace.file("key"))
            try await ServeSetting.makeKey(workspace.file("key"))
            let refused = try await setting.run("serve")
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.errors.contains("start with the key-encryption key that the database was made with"), "\(refused)")
        }
    }

    @Test func `Without its database the service lives, is not ready and says why`() async throws {
        try await Workspace.open("serve") { workspace in
            let setting = try await ServeSetting(in: workspace, database: nil)
            let process = try await setting.start()
            let base = "http://127.0.0.1:\(setting.healthPort)"
            try await eventually(within: .seconds(10), "the health port") {
                try await HTTP.fetch("\(base)/healthz").status == 200
            }
            let answer = try await HTTP.fetch("\(base)/readyz")
            #expect(answer.status == 503 && answer.body.hasPrefix("not ready: "), "\(answer.body)")
            try await eventually(within: .seconds(10), "a line in the log") { process.log.contains("waiting for the database") }
            process.send(SIGTERM)
            #expect(try await process.waitForEnd(within: .seconds(30)) == .exited(0), "\(process.log)")
        }
    }

    @Test func `A port in use is told with its address and key before anything is served`() async throws {
        try await Workspace.open("serve") { workspace in
            let setting = try await ServeSetting(in: workspace, database: nil)
            let socket = try BoundSocket.tcp(ListenAddress(host: "127.0.0.1", port: setting.healthPort), key: "")
            let result = try await setting.run("serve")
            #expect(result.status == 1)
            #expect(
                result.errors
                    == "signet: 127.0.0.1:\(setting.healthPort) is in use by another process: stop it, or set listen.health to another address\n"
            )
            withExtendedLifetime(socket) {}
        }
    }

    @Test func `A journal that others may write to, and one whose memory is damaged, end the start with their names`()
        async throws
    {
        try await Workspace.open("serve") { workspace in
            let setting = try await ServeSetting(in: workspace, database: nil)
            let directory = workspace.file("journal")
            let option = "journal.directory=\(directory)"
            mkdir(directory, 0o700)
            chmod(directory, 0o777)
            let open = try await setting.run("serve", "--set", option)
            #expect(open.status == 1 && open.errors.contains("signet: \(directory) cannot be used: it has mode 0777"), "\(open)")
            #expect(open.errors.contains("chmod 0700"), "\(open)")
            rmdir(directory)
            try workspace.write("a file", to: "journal")
            let file = try await setting.run("serve", "--set", option)
            #expect(file.status == 1 && file.errors.contains("\(directory) cannot be used: it is no directory"), "\(file)")
            unlink(directory)
            mkdir(directory, 0o700)
            let memory = try workspace.write("{\"position\": 1}", to: "journal/ledger.json")
            let damaged = try await setting.run("serve", "--set", option)
            #expect(damaged.status == 1 && damaged.errors.contains("signet: \(memory) cannot be read"), "\(damaged)")
            #expect(damaged.errors.contains("move the file away and start again"), "\(damaged)")
        }
    }

    @Test func `A key file that others can read, and a missing certificate, are refused`() async throws {
        try await Workspace.open("serve") { workspace in
            let setting = try await ServeSetting(in: workspace, database: nil)
            chmod(workspace.file("key"), 0o444)
            let open = try await setting.run("serve")
            #expect(open.status == 2 && open.errors.contains("chmod 0400"), "\(open)")
            unlink(workspace.file("key"))
            // It may be on a disk that is not there yet.
            let absent = try await setting.run("serve")
            #expect(absent.status == 1 && absent.errors.contains("there is no key-encryption key"), "\(absent)")
            #expect(!absent.errors.contains("chmod"), "\(absent)")
            try workspace.write("short", to: "key")
            chmod(workspace.file("key"), 0o400)
            let short = try await setting.run("serve")
            #expect(short.status == 2 && short.errors.contains("has 5 octets"), "\(short)")
            unlink(workspace.file("key"))
            try await ServeSetting.makeKey(workspace.file("key"))
            unlink(workspace.file("tls.crt"))
            let missing = try await setting.run("serve")
            #expect(missing.status == 1 && missing.errors.contains(workspace.file("tls.crt")), "\(missing)")
        }
    }
}
