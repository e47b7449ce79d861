import ArgumentParser
import Listeners
import Logging
import PKICrypto

/// `signet serve`: the service, against the PostgreSQL that the configuration names.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the service against the PostgreSQL that the configuration names.",
        discussion: """
            Example: signet serve --config /etc/signet/signet.yaml

            Every key is described in docs/configuration.md. The schema must have been brought up to date by 'signet migrate'.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration: ServiceConfiguration
        do {
            configuration = try Starting.configuration(options).checkedForServe()
        } catch let problem as ConfigurationProblem {
            throw CommandFailure.usage(problem.description)
        }
        guard let database = configuration.postgres, let keyPlace = configuration.keyEncryptionKeyPlace,
            let files = configuration.certificateFiles
        else { throw CommandFailure.usage("the configuration is incomplete: see docs/configuration.md") }
        ProcessHardening.apply()
        let logger = Starting.logging(at: configuration.logLevel)
        let keyRing: KeyRing
        let certificates: CertificateFiles
        do {
            keyRing = try await KeyRing(keyPlace, additional: configuration.additionalKeyEncryptionKeys)
            certificates = try CertificateFiles(certificate: files.certificate, key: files.key, logger: logger.labelled("tls"))
        } catch let failure as KeyEncryptionKeyFailure {
            throw failure.isWrongFile ? CommandFailure.usage(failure.description) : .failed(failure.description)
        } catch let failure as DoorFailure {
            throw CommandFailure.failed(failure.description)
        }
        let doors = try BoundDoors(configuration)
        logger.notice(
            "starting",
            metadata: [
                "version": "\(Signet.version)", "sds": "\(doors.sds.address)", "mtls": "\(doors.mtls.address)",
                "admin": "\(doors.admin.address)", "health": "\(doors.health.address)", "database": "\(database)",
            ])
        try await RunningService(
            configuration: configuration, database: database, keyRing: keyRing,
            serving: .init(certificates: certificates.certificates, renewal: certificates), doors: doors, logger: logger,
            onStart: { logger.notice("ready") }
        ).run()
    }
}
