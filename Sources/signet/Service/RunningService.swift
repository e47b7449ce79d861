import AdminAPI
import AuthorityService
import Listeners
import Logging
import Metrics
import PKICrypto
import Postgres
import SDS
import ServiceLifecycle

/// The whole service, composed: what `serve` and `dev` run.
struct RunningService {
    /// What the doors show, and the service that keeps it fresh.
    struct Serving {
        var certificates: ServingCertificates
        var renewal: any Service
    }

    var configuration: ServiceConfiguration
    var database: PostgresConfiguration
    var keyRing: KeyRing
    var serving: Serving
    var doors: BoundDoors
    var logger: Logger
    /// Ends the run in place of a handler of its own, for who must be asked to stop before the run begins.
    var stop: StopSignal?
    /// What runs beside it and ends it when it fails, and ends after the doors.
    var companion: (any Service)?
    /// Called when the service has its state and its admin token.
    var onStart: @Sendable () async throws -> Void = {}
    /// Called when the start waits for an operator's word on the ledger: the admin door answers by then.
    var onDoubt: @Sendable () throws -> Void = {}

    /// Runs until SIGTERM or SIGINT; then proxies are let go, requests finished, and the connections closed.
    func run() async throws {
        if let openFiles = ProcessHardening.openFiles, openFiles <= configuration.limits.connections {
            logger.warning(
                "fewer files may be open than limits.connections allows connections: raise the limit (ulimit -n, LimitNOFILE=)",
                metadata: ["open-files": "\(openFiles)", "limits.connections": "\(configuration.limits.connections)"])
        }
        let metrics = MetricsRegistry(help: MetricsHelp.texts)
        MetricsSystem.bootstrap(metrics)
        let ledger = PostgresLedger(database, logger: logger.labelled("ledger"))
        let authority: MeshAuthority
        do {
            let journal = try configuration.journalDirectory.map { directory throws(JournalFailure) in
                try IssueJournal(directory: directory)
            }
            if let tear = journal?.tear {
                logger.warning(
                    "a torn step was cut off the journal, as a crash leaves it: nothing of it had left the process",
                    metadata: [
                        "file": "\(tear.path)", "octets": "\(tear.octets)", "from-octet": "\(tear.offset)",
                        "kept-in": "\(tear.copy ?? "nothing: it could not be written")",
                    ])
            }
            authority = try MeshAuthority(
                ledger: ledger, keyRing: keyRing, settings: configuration.authority, journal: journal, clock: .system,
                logger: logger.labelled("authority"))
        } catch let failure as JournalFailure {
            throw CommandFailure.failed(failure.description)
        } catch {
            throw CommandFailure.failed("the certificate profiles cannot be used: \(error)")
        }
        let tokenFile = configuration.adminTokenFile.map {
            AdminTokenFile(path: $0, authority: authority, logger: logger)
        }
        var runner = AuthorityRunner(authority: authority, database: database, logger: logger) {
            try await tokenFile?.renew()
            try await onStart()
        }
        runner.onDoubt = onDoubt
        var services: [any Service] = [LedgerRunner(ledger: ledger), runner, serving.renewal]
        if let companion { services.append(companion) }
        if let tokenFile { services.append(AdminTokenRenewal(file: tokenFile)) }
        var streams = StreamLimits()
        streams.ackTimeout = configuration.authority.ackTimeout
        let secrets = SecretServices(authority: authority, limits: streams, logger: logger.labelled("sds"))
        services.append(secrets)
        services += try doorServices(authority: authority, secrets: secrets, metrics: metrics)
        // Doors stop first, the ledger last. The grace of a stop is 30 s; each door takes at most its own five.
        var members = services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        if let stop { members.append(.init(service: stop, successTerminationBehavior: .gracefullyShutdownGroup)) }
        var group = ServiceGroupConfiguration(
            services: members, gracefulShutdownSignals: stop == nil ? [.sigterm, .sigint] : [],
            logger: logger.labelled("lifecycle"))
        group.maximumGracefulShutdownDuration = .seconds(25)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let failure as CommandFailure {
            throw failure
        } catch let failure as DoorFailure {
            throw CommandFailure.failed(failure.description)
        } catch {
            throw CommandFailure.failed("the service ended: \(error)")
        }
    }

    private func doorServices(
        authority: MeshAuthority, secrets: SecretServices, metrics: MetricsRegistry
    ) throws -> [any Service] {
        let limits = configuration.limits
        let doorLogger = logger.labelled("door")
        func tls(_ certificate: TLSDoor.ClientCertificate, _ application: TLSDoor.ApplicationProtocol) -> TLSDoor {
            TLSDoor(
                certificates: serving.certificates, clientCertificate: certificate,
                minimumVersion: configuration.minimumVersion, applicationProtocol: application)
        }
        do {
            var services: [any Service] = [
                try HTTPDoor(
                    "listen.health", socket: doors.health, tls: nil,
                    responder: Health.responder(metrics: metrics) {
                        authority.obstacle.map { .notReady($0) } ?? .ready
                    },
                    limits: limits, logger: doorLogger),
                try HTTPDoor(
                    "listen.admin", socket: doors.admin, tls: tls(.notAsked, .http),
                    responder: AdminResponder(
                        authority: authority, version: Signet.version, logger: logger.labelled("admin")),
                    limits: limits, logger: doorLogger),
                try GRPCDoor(
                    "listen.mtls", socket: doors.mtls,
                    tls: tls(.required { authority.verifyHandshake(chain: $0, source: $1) == nil }, .grpc),
                    router: secrets.router(for: .certificate), limits: limits, logger: doorLogger),
                try GRPCDoor(
                    "listen.sds", socket: doors.sds, tls: tls(.notAsked, .grpc), router: secrets.router(for: .token),
                    limits: limits, logger: doorLogger),
            ]
            if let unix = doors.unix {
                services.append(
                    try GRPCDoor(
                        "listen.unix", socket: unix, tls: nil, router: secrets.router(for: .token), limits: limits,
                        logger: doorLogger))
            }
            return services
        } catch {
            throw CommandFailure.failed(error.description)
        }
    }
}

/// Keeps the admin token file fresh while the service runs.
private struct AdminTokenRenewal: Service, CustomStringConvertible {
    let description = "admin token renewal"
    let file: AdminTokenFile

    func run() async {
        await cancelWhenGracefulShutdown { await file.keepFresh() }
    }
}

extension Logger {
    /// The same handler and level under another label.
    func labelled(_ label: String) -> Logger {
        var logger = Logger(label: label)
        logger.logLevel = logLevel
        return logger
    }
}
