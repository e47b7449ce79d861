import Foundation
import Postgres
import TestSupport
import Testing

/// What a thief of the database, of its files or of the logs has in hand.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SecretsAtRestTests {
    @Test func `no dump, data file, write-ahead log or log line of the service holds a private key in any encoding`() async throws
    {
        try await World.open("dump") { world in
            try await world.makeMesh("payments")
            try await world.makeMesh("orders")
            let pair = try await world.startPair(in: "payments")
            let token = try await world.makeToken("client.token", mesh: "payments", service: "client")
            let identity = try await world.fetchIdentity(token: token, named: "client")

            let dump = try world.workspace.write(try await world.database.dump(), to: "dump.sql")
            #expect(try String(contentsOfFile: dump, encoding: .utf8).contains("INSERT INTO"), "the dump has rows")
            let roots =
                try await world.signet.command("bundle", "show", "--mesh", "payments")
                + world.signet.command("bundle", "show", "--mesh", "orders")
            let chain = try String(contentsOfFile: identity.chain, encoding: .utf8)
            let certificates = try world.workspace.write(roots + chain, to: "certificates.pem")
            let files = [dump, world.dataLog] + world.database.files()
            #expect(files.contains { $0.contains("/pg_wal/") } && files.contains { $0.contains("/base/") })

            let search = KeySearch(
                certificates: certificates,
                secrets: [identity.key, world.keyEncryptionKeyFile, world.signet.adminTokenFile, token])
            let result = try await search.run(files)
            #expect(result.status == 0, "\(result.output)")

            for planted in [
                "\\\\x" + (try Data(contentsOf: URL(filePath: identity.key))).map { String(format: "%02x", $0) }.joined(),
                (try Data(contentsOf: URL(filePath: identity.key))).base64EncodedString(),
            ] {
                let found = try await search.run([try world.workspace.write("1\t\(planted)\n", to: "planted.sql")])
                #expect(found.status == 1, "the search finds a key that is there: \(found)")
            }
            _ = pair
        }
    }

    @Test func `a wrong key-encryption key refuses to start and overwrites nothing`() async throws {
        try await World.open("kek") { world in
            try await world.makeMesh("payments")
            let before = try await world.database.keys()
            #expect(!before.isEmpty)
            try await world.signet.kill()
            let file = world.keyEncryptionKeyFile
            let right = try Data(contentsOf: URL(filePath: file))
            #expect(right.count == 32)
            try world.replaceKeyEncryptionKey(with: Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }))

            let refused = try await world.signet.launch()
            let end = try await refused.waitForEnd(within: .seconds(40))
            #expect(end == .exited(1) || end == .exited(2), "\(end)")
            let line = try #require(refused.log.split(separator: "\n").last { $0.hasPrefix("signet: ") })
            #expect(line.contains("key-encryption key"), "\(line)")

            try world.replaceKeyEncryptionKey(with: right)
            try await world.signet.start()
            #expect(try await world.database.keys() == before)
            #expect(try await world.signet.command("get", "meshes").contains("payments"))
        }
    }

    @Test func `two sealed root keys that were swapped in the database are refused`() async throws {
        try await World.open("swap") { world in
            try await world.makeMesh("payments")
            try await world.makeMesh("orders")
            try await world.signet.kill()
            try await world.database.swapRootKeys()

            let service = try await world.signet.launch()
            let end = try await service.waitForEnd(within: .seconds(40))
            #expect(end == .exited(1) || end == .exited(2), "\(end)")
            let line = try #require(service.log.split(separator: "\n").last { $0.hasPrefix("signet: ") }, "\(service.log)")
            #expect(line.contains("key"), "\(line)")

            let cluster = PrivateCluster(
                dataDirectory: world.signet.dataDirectory + "/postgres", logger: TestDatabase.logger)
            _ = try await cluster.start()
            for mesh in ["payments", "orders"] {
                let issuing = try await world.database.count("certificate", where: "kind = 'issuing' AND mesh = '\(mesh)'")
                #expect(issuing == 1, "no certificate was signed with the other mesh's key")
            }
            try await world.database.swapRootKeys()
            await cluster.stop()
            try await world.signet.start()
            #expect(try await world.signet.command("get", "meshes").contains("payments"))
        }
    }
}

/// The search for keys, by a program of its own.
struct KeySearch: Sendable {
    let certificates: String
    let secrets: [String]

    func run(_ files: [String]) async throws -> Tool.Result {
        let arguments = ["--certificates", certificates] + secrets.flatMap { ["--secret", $0] } + files
        return try await Tool.python().run(
            [Repository.path("Tests/EndToEndTests/key_search.py")] + arguments, within: .seconds(120))
    }
}
