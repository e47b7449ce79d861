import ArgumentParser
import AuthorityService
import Foundation
import Listeners
import Logging
import NIOSSL
import PKI
import PKICrypto
import Postgres

/// `signet dev`: everything with nothing prepared.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Run everything with nothing prepared: database, keys, certificates and a first mesh.",
        discussion: """
            Example: signet dev --data-dir ./signet-data

            A second start with the same directory finds all of it again. It listens on 127.0.0.1; --set changes that, \
            as it changes every other key of docs/configuration.md.
            """)

    @Option(
        help: ArgumentHelp(
            """
            Where everything is kept (default: SIGNET_DATA_DIR, or signet below XDG's data home).
            """, valueName: "dir"))
    var dataDir: String?

    @Option(help: ArgumentHelp("gRPC over TLS with a token (default: 5678; 0: any free port).", valueName: "port"))
    var sdsPort: Int?

    @Option(help: ArgumentHelp("gRPC over mTLS (default: 5679; 0: any free port).", valueName: "port"))
    var mtlsPort: Int?

    @Option(help: ArgumentHelp("The admin REST API (default: 5682; 0: any free port).", valueName: "port"))
    var adminPort: Int?

    @Option(help: ArgumentHelp("Health and metrics (default: 5680; 0: any free port).", valueName: "port"))
    var healthPort: Int?

    @OptionGroup var options: ConfigurationOptions

    /// The ports that were named, by the configuration key that each is short for.
    private var ports: [(name: String, key: String, port: Int?)] {
        [
            ("sds", "listen.sds", sdsPort), ("mtls", "listen.mtls", mtlsPort), ("admin", "listen.admin", adminPort),
            ("health", "listen.health", healthPort),
        ]
    }

    func validate() throws {
        for (name, _, port) in ports {
            guard let port, !(0...65_535).contains(port) else { continue }
            throw ValidationError("--\(name)-port \(port) is not between 0 and 65535")
        }
        if dataDir?.isEmpty == true { throw ValidationError("--data-dir is empty") }
    }

    func run() async throws {
        let configuration = try Starting.configuration(
            options,
            defaults: [
                "listen.sds": "127.0.0.1:5678", "listen.mtls": "127.0.0.1:5679", "listen.admin": "127.0.0.1:5682",
                "listen.health": "127.0.0.1:5680",
            ],
            overrides: ports.compactMap { item in item.port.map { "\(item.key)=127.0.0.1:\($0)" } })
        guard configuration.postgres == nil else {
            throw CommandFailure.usage(
                "signet dev has a PostgreSQL of its own: leave postgres.hosts and postgres.socketDirectory out, or run 'signet serve'"
            )
        }
        guard configuration.certificateFiles == nil || configuration.certificateFiles?.authority != nil else {
            throw CommandFailure.usage(
                "tls.caFile is not set: name the PEM file of the CA that signed tls.certificateFile, so that the commands know it"
            )
        }
        ProcessHardening.apply()
        let logger = Starting.logging(at: configuration.logLevel)
        let stop = StopSignal()
        let directory = try DataDirectory.open(dataDir ?? DataDirectory.standard())
        unlink(directory.endpoints)
        try await run(in: directory, configuration, stop, logger)
    }

    private func run(
        in directory: DataDirectory, _ configuration: ServiceConfiguration, _ stop: StopSignal, _ logger: Logger
    ) async throws {
        var configuration = configuration
        configuration.adminTokenFile = configuration.adminTokenFile ?? directory.adminToken
        configuration.journalDirectory = configuration.journalDirectory ?? directory.journal
        let doors = try BoundDoors(configuration)
        let keyRing = try await keyRing(directory, configuration)
        let serving = try serving(directory, configuration, logger)
        let cluster = PrivateCluster(dataDirectory: directory.database, logger: logger.labelled("postgres"))
        let database: PostgresConfiguration
        do {
            database = try await cluster.start()
        } catch {
            // A Ctrl-C reaches the programs that were starting it, too: their end is what was asked for.
            await cluster.stop()
            if stop.isReceived { return }
            throw CommandFailure.failed("\(error)")
        }
        // A start that was half done could not be stopped; a whole one can.
        if stop.isReceived { return await cluster.stop() }
        let endpoints = Endpoints(doors, in: directory, configuration: configuration)
        let outcome: Result<Void, any Error>
        do {
            _ = try await SchemaMigrator(database, logger: logger.labelled("postgres")).migrate()
            try await RunningService(
                configuration: configuration, database: database, keyRing: keyRing, serving: serving, doors: doors,
                logger: logger, stop: stop, companion: ClusterKeeper(cluster: cluster, logger: logger.labelled("postgres")),
                onStart: {
                    try endpoints.write(to: directory.endpoints)
                    try Console.out(DevBanner.text(endpoints, directory: directory.path))
                },
                onDoubt: {
                    // The commands that end the doubt find the admin door by this.
                    try endpoints.write(to: directory.endpoints)
                    try Console.out(
                        "the database is not believed: the admin API at \(endpoints.admin) waits for 'signet ledger status', "
                            + "then 'signet ledger confirm'")
                }
            ).run()
            outcome = .success(())
        } catch let error as SchemaError {
            outcome = .failure(CommandFailure.failed(error.description))
        } catch {
            outcome = .failure(error)
        }
        unlink(directory.endpoints)
        await cluster.stop()
        try outcome.get()
    }

    /// The key of the data directory, made at the first start and never again.
    private func keyRing(
        _ directory: DataDirectory, _ configuration: ServiceConfiguration
    ) async throws(CommandFailure) -> KeyRing {
        let path = configuration.keyEncryptionKeyPlace ?? directory.keyEncryptionKey
        do {
            if configuration.keyEncryptionKeyURI == nil, access(path, F_OK) != 0 {
                guard access(directory.database, F_OK) != 0 else {
                    throw CommandFailure.failed(
                        "\(path) is missing, and the database beside it was sealed with it: put it back, or choose another --data-dir"
                    )
                }
                try KeyEncryptionKey.generate(file: path)
            }
            return try await KeyRing(path, additional: configuration.additionalKeyEncryptionKeys)
        } catch let failure as KeyEncryptionKeyFailure {
            throw .failed(failure.description)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .failed("\(error)")
        }
    }

    /// The operator's files where they are named, else a certificate of the directory's own authority.
    private func serving(
        _ directory: DataDirectory, _ configuration: ServiceConfiguration, _ logger: Logger
    ) throws(CommandFailure) -> RunningService.Serving {
        do {
            if let files = configuration.certificateFiles {
                if let authority = files.authority { try checkAuthorities(in: authority) }
                let watched = try CertificateFiles(certificate: files.certificate, key: files.key, logger: logger.labelled("tls"))
                return .init(certificates: watched.certificates, renewal: watched)
            }
            let clock = ServiceClock.system
            let authority = try ServingAuthority.open(directory: directory.path, at: clock.now)
            let renewal = try ServingAuthorityRenewal(
                authority: authority, names: serverNames(configuration), now: { clock.now }, logger: logger.labelled("tls"))
            return .init(certificates: renewal.certificates, renewal: renewal)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .failed("the serving certificate cannot be made: \(error)")
        }
    }

    /// What the commands are told to trust must be there when they are told.
    private func checkAuthorities(in path: String) throws(CommandFailure) {
        guard let found = try? NIOSSLCertificate.fromPEMFile(path), !found.isEmpty else {
            throw .failed("\(path) has no PEM certificates that can be read: name another file in tls.caFile")
        }
    }

    /// Every name by which a proxy on this machine or beside it may call this service.
    private func serverNames(_ configuration: ServiceConfiguration) -> [String] {
        var names = ["localhost", "127.0.0.1", "::1"]
        let others =
            [ProcessInfo.processInfo.hostName] + [configuration.sds, configuration.mtls, configuration.admin].map(\.host)
        for name in others where !names.contains(name) && name != "0.0.0.0" && name != "::" && !name.isEmpty {
            names.append(name)
        }
        return names
    }
}
