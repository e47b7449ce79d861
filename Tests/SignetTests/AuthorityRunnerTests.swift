import AuthorityService
import Foundation
import Logging
import PKICrypto
import ServiceLifecycle
import TestSupport
import Testing

@testable import signet

@Suite struct AuthorityRunnerTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func authority(_ ledger: MemoryLedger) throws -> MeshAuthority {
        try MeshAuthority(
            ledger: ledger, keyEncryptionKey: try KeyEncryptionKey(bytes: SecretBytes.random(32)), logger: quiet)
    }

    @Test func `A database that is away while the admin token is made is waited for`() async throws {
        let database = try await TestDatabase.make()
        try await Workspace.open("runner") { workspace in
            let ledger = MemoryLedger()
            let authority = try authority(ledger)
            try await authority.start()
            let file = AdminTokenFile(path: workspace.file("admin.token"), authority: authority, logger: quiet)
            ledger.inject(.unavailable, into: .commit)
            ledger.inject(.persistedThenFailed, into: .commit)
            let runner = AuthorityRunner(authority: authority, database: database.configuration, logger: quiet) {
                try await file.renew()
            }
            let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [runner], logger: quiet))
            async let end: Void = group.run()
            try await eventually(within: .seconds(20), "the token") { FileManager.default.fileExists(atPath: file.path) }
            let token = try String(contentsOfFile: file.path, encoding: .utf8)
            #expect(try await authority.administrator(token: token, source: "test", requestID: "").name == "local-admin")
            await group.triggerGracefulShutdown()
            try await end
        }
    }

    @Test func `An admin token that cannot be written ends the service with the reason`() async throws {
        let database = try await TestDatabase.make()
        let authority = try authority(MemoryLedger())
        let file = AdminTokenFile(path: "/nonexistent/admin.token", authority: authority, logger: quiet)
        let runner = AuthorityRunner(authority: authority, database: database.configuration, logger: quiet) {
            try await file.renew()
        }
        await #expect(throws: CommandFailure.self) {
            try await within(.seconds(20), "the end of the service") {
                try await ServiceGroup(configuration: ServiceGroupConfiguration(services: [runner], logger: quiet)).run()
            }
        }
    }
}
