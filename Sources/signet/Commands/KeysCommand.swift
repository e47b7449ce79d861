import ArgumentParser
import PKICrypto
import Postgres

/// `signet keys …`: the key-encryption key, beside the service and not through it.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make and exchange the key under which all keys in the database are sealed.",
        discussion: """
            Example: signet keys status --config /etc/signet/signet.yaml

            These commands need the service's configuration, and go to the database itself: no key ever crosses the API.
            """,
        subcommands: [KeysCreate.self, KeysStatus.self, KeysRewrap.self])
}

/// What the commands that go to the database share: its ledger, and the keys of the configuration.
struct KeyCustodian {
    let configuration: ServiceConfiguration
    let ring: KeyRing
    let ledger: PostgresLedger

    /// Runs `body` with what the configuration names; the schema must be the one that this program knows.
    static func with<Result: Sendable>(
        _ options: ConfigurationOptions, _ body: @escaping @Sendable (KeyCustodian) async throws -> Result
    ) async throws -> Result {
        let configuration = try Starting.configuration(options)
        let database = try DirectLedger.database(configuration)
        guard let place = configuration.keyEncryptionKeyPlace else {
            throw CommandFailure.usage(
                "keyEncryptionKeyFile is not set: name the key, in the file or as SIGNET_KEY_ENCRYPTION_KEY_FILE")
        }
        ProcessHardening.apply()
        let logger = Starting.logging(at: max(configuration.logLevel, .warning))
        let ring: KeyRing
        do {
            ring = try await KeyRing(place, additional: configuration.additionalKeyEncryptionKeys)
        } catch {
            throw CommandFailure.failed(error.description)
        }
        return try await DirectLedger.with(database, logger: logger) { ledger in
            try await body(KeyCustodian(configuration: configuration, ring: ring, ledger: ledger))
        }
    }
}
