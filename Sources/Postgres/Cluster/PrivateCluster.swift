internal import FoundationEssentials
internal import Glibc
package import Logging
internal import PKI
internal import Synchronization

/// A PostgreSQL of our own, in a folder of its own, behind a unix socket alone: what `signet dev` and the tests run on.
///
/// The server outlives a signet that was killed; the next start finds it, or what it left. While a signet has the folder, no
/// other gets it.
package final class PrivateCluster: Sendable {
    package enum Durability: Sendable {
        /// What was committed survives a power cut.
        case durable
        /// For tests: what was committed survives `kill -9` of every process, but no power cut. Several times as fast.
        case volatile
    }

    /// The superuser, and the owner of the databases.
    package static let user = "signet"
    /// The database that `start` makes.
    package static let database = "signet"

    let path: String
    private let durability: Durability
    private let maximumConnections: Int
    private let logger: Logger
    private let running = Mutex<Running?>(nil)

    private struct Running {
        let directory: ClusterDirectory
        let lock: ClusterLock
    }

    /// `dataDirectory` is the cluster's alone; it is made when missing. 100 connections: PostgreSQL's own default.
    package init(
        dataDirectory: String, durability: Durability = .durable, maximumConnections: Int = 100, logger: Logger
    ) {
        path = dataDirectory
        self.durability = durability
        self.maximumConnections = maximumConnections
        self.logger = logger
    }

    /// Starts the server, or finds it running; returns how to reach it.
    ///
    /// A crash at any point leaves a folder that the next start can use: `initdb` works beside, and its result is renamed into
    /// place.
    package func start() async throws(PrivateClusterError) -> PostgresConfiguration {
        let directory = try ClusterDirectory(preparing: path)
        // 10 s: what a signet that is just ending may need to stop its server.
        let lock = try await ClusterLock(directory, deadline: .now + .seconds(10))
        try directory.mark()
        let binaries = try await PostgresBinaries.find(major: directory.majorVersion())
        if directory.majorVersion() == nil { try await initialise(directory, binaries) }
        let processes = ClusterProcesses(directory: directory)
        if let pid = processes.postmaster() {
            logger.info("Found the private PostgreSQL running.", metadata: ["pid": "\(pid)"])
        } else {
            try await launch(directory, binaries, processes)
        }
        running.withLock { $0 = Running(directory: directory, lock: lock) }
        return try await createDatabase(PrivateCluster.database)
    }

    /// Stops the server and gives the folder back; nothing when it was not started. Clients are disconnected.
    package func stop() async {
        guard let directory = running.withLock({ $0?.directory }) else { return }
        let processes = ClusterProcesses(directory: directory)
        // 20 s for the last checkpoint; after that a crash stop, which loses nothing that was committed.
        if await !processes.stop(signal: SIGINT, patience: .seconds(20)) {
            logger.warning("The private PostgreSQL does not stop: stopping it at once.")
            _ = await processes.stop(signal: SIGQUIT, patience: .seconds(5))
        }
        running.withLock { $0 = nil }
    }

    /// The file that the server writes its log to; nil while it was not started.
    package var log: String? { running.withLock { $0?.directory.log } }

    /// The main process of the running server.
    package var serverPID: Int32? {
        running.withLock { $0?.directory }.flatMap { ClusterProcesses(directory: $0).postmaster() }
    }

    /// Starts the server again, which ended by itself; nothing while it runs, or was not started.
    package func restart() async throws(PrivateClusterError) {
        guard let directory = running.withLock({ $0?.directory }) else { return }
        let processes = ClusterProcesses(directory: directory)
        guard processes.postmaster() == nil else { return }
        try await launch(directory, try await PostgresBinaries.find(major: directory.majorVersion()), processes)
    }

    /// Makes a database, as a copy of `template`, unless it exists; returns how to reach it.
    ///
    /// `name` and `template` are lower-case letters, digits and underscores.
    package func createDatabase(
        _ name: String, template: String = "template1"
    ) async throws(PrivateClusterError) -> PostgresConfiguration {
        for identifier in [name, template] {
            let isPlain = identifier.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
            }
            precondition(isPlain && !identifier.isEmpty, "database names are literals of this program")
        }
        let maintenance = try configuration("postgres")
        do throws(PostgresError) {
            // 30 s: a server that recovers from a crash refuses connections meanwhile.
            let deadline = ContinuousClock.now + .seconds(30)
            let connection = try await PrivateCluster.connect(maintenance, deadline: deadline)
            let found = try await connection.execute(
                [PostgresStatement("SELECT FROM pg_database WHERE datname = $1", [.text(name)])], deadline: deadline)
            if found[0].rows.isEmpty {
                // Alone in its round trip: CREATE DATABASE refuses to be part of a transaction.
                _ = try await connection.execute(
                    [PostgresStatement("CREATE DATABASE \(name) TEMPLATE \(template)")], deadline: deadline)
            }
        } catch {
            throw .database(error)
        }
        return try configuration(name)
    }

    // MARK: -

    private func initialise(_ directory: ClusterDirectory, _ binaries: PostgresBinaries) async throws(PrivateClusterError) {
        let unfinished = directory.data + ".new"
        try? FileManager.default.removeItem(atPath: unfinished)
        // The locale is pinned: text sorts by code point everywhere, and an upgrade of glibc cannot break an index. Everybody
        // who reaches the socket is trusted, and the folder keeps everybody else away.
        let sync = durability == .volatile ? ["--no-sync"] : []
        let answer = try await ClusterCommand.run(
            binaries.path("initdb"),
            [
                "--pgdata=\(unfinished)", "--username=\(PrivateCluster.user)", "--encoding=UTF8", "--locale=C.UTF-8",
                "--auth-local=trust", "--auth-host=reject", "--data-checksums",
            ] + sync, as: directory.account)
        guard answer.isSuccess else { throw .command(name: "initdb", detail: answer.complaint) }
        guard var text = FileBytes.text("\(unfinished)/postgresql.conf") else {
            throw .command(name: "initdb", detail: "it made no postgresql.conf")
        }
        text += "\ninclude = 'signet.conf'\n"
        try directory.write(text, to: "\(unfinished)/postgresql.conf")
        guard rename(unfinished, directory.data) == 0 else {
            throw .notWritable(path: directory.data, reason: String(cString: strerror(errno)))
        }
    }

    private func launch(
        _ directory: ClusterDirectory, _ binaries: PostgresBinaries, _ processes: ClusterProcesses
    ) async throws(PrivateClusterError) {
        // Children of a main process that was killed end by themselves, once they notice.
        let deadline = ContinuousClock.now + .seconds(20)
        while case let orphans = processes.living(), !orphans.isEmpty {
            guard ContinuousClock.now < deadline, !Task.isCancelled else { throw .orphans(orphans) }
            try? await Task.sleep(for: .milliseconds(50))
        }
        processes.removeLeftovers()
        try directory.write(settings(directory), to: "\(directory.data)/signet.conf")
        // 60 s: the recovery after a crash.
        let answer = try await ClusterCommand.run(
            binaries.path("pg_ctl"),
            ["start", "--wait", "--silent", "--timeout=60", "--pgdata=\(directory.data)", "--log=\(directory.log)"],
            as: directory.account)
        guard answer.isSuccess else {
            let log = FileBytes.tail(directory.log).map(ClusterCommand.lastLines) ?? answer.complaint
            throw .command(name: "pg_ctl start", detail: log)
        }
    }

    private func settings(_ directory: ClusterDirectory) -> String {
        func quoted(_ text: String) -> String {
            "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
        var lines = [
            "# Written at each start.",
            "listen_addresses = ''",
            "port = \(PostgresHost.defaultPort)",
            "unix_socket_directories = \(quoted(directory.run))",
            "cluster_name = \(quoted(directory.clusterName))",
            "max_connections = \(maximumConnections)",
            // The ends of the indexes that a week's certificates go into, and the state: on one machine with everything else. What does
            // not fit is in the system's own cache.
            "shared_buffers = '128MB'",
            // A minute of 15,000 certificates/s writes 0.7 GB of log, and a checkpoint begins at half of this size: so none is forced
            // within that minute, after which every page that is touched would be logged whole again. The log is kept at 80 MB when
            // little is written.
            "max_wal_size = '3GB'",
            // Ten minutes rather than five, for the same reason, and still few seconds of recovery after a crash.
            "checkpoint_timeout = '10min'",
            // Compiling a plan costs more than any statement here takes.
            "jit = off",
            "timezone = 'UTC'",
            "log_timezone = 'UTC'",
        ]
        if durability == .volatile { lines += ["fsync = off", "full_page_writes = off"] }
        return lines.joined(separator: "\n") + "\n"
    }

    private func configuration(_ database: String) throws(PrivateClusterError) -> PostgresConfiguration {
        guard let directory = running.withLock({ $0?.directory }) else {
            throw .command(name: "createDatabase", detail: "the cluster is not running")
        }
        do throws(PostgresConfigurationError) {
            return try PostgresConfiguration(socketDirectory: directory.run, user: PrivateCluster.user, database: database)
        } catch {
            throw .socketPath(error)
        }
    }

    private static func connect(
        _ configuration: PostgresConfiguration, deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> PostgresConnection {
        while true {
            do throws(PostgresError) {
                return try await PostgresConnection.open(configuration, deadline: deadline)
            } catch {
                guard case .connectionFailed = error, ContinuousClock.now + .milliseconds(100) < deadline, !Task.isCancelled
                else { throw error }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
