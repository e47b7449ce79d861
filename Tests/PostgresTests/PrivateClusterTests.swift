import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Postgres

@Suite("The private PostgreSQL", .serialized, .timeLimit(.minutes(3)))
struct PrivateClusterTests {
    private static var soon: ContinuousClock.Instant { .now + .seconds(10) }

    private func run(_ configuration: PostgresConfiguration, _ sql: String) async throws -> [PostgresRow] {
        let connection = try await PostgresConnection.open(configuration, deadline: Self.soon)
        return try await connection.execute([PostgresStatement(sql)], deadline: Self.soon)[0].rows
    }

    @Test func `a second start finds the data of the first`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            let configuration = try await cluster.start()
            _ = try await run(configuration, "CREATE TABLE t AS SELECT 1 AS a")
            await cluster.stop()
            #expect(ClusterProcesses(directory: try ClusterDirectory(preparing: path)).living().isEmpty)
            let again = ScratchCluster.make(path)
            let rows = try await run(try await again.start(), "SELECT FROM t")
            #expect(rows.count == 1)
            await again.stop()
        }
    }

    @Test func `a server that outlived its signet is found and used`() async throws {
        try await ScratchCluster.withCluster { later, path in
            var first: PrivateCluster? = ScratchCluster.make(path)
            _ = try await first?.start()
            let pid = try #require(first?.serverPID)
            // The process is gone, and with it its lock; the server is not.
            first = nil
            _ = try await later.start()
            #expect(later.serverPID == pid)
        }
    }

    @Test func `two at once are refused`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            _ = try await cluster.start()
            let directory = try ClusterDirectory(preparing: path)
            await #expect(throws: PrivateClusterError.inUse(path: directory.path)) {
                _ = try await ClusterLock(directory, deadline: .now + .milliseconds(100))
            }
        }
    }

    @Test func `a main process that was killed is started again, over its children's end`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            let configuration = try await cluster.start()
            _ = try await run(configuration, "CREATE TABLE t AS SELECT 1 AS a")
            let pid = try #require(cluster.serverPID)
            kill(pid, SIGKILL)
            await cluster.stop()
            let again = ScratchCluster.make(path)
            #expect(try await run(try await again.start(), "SELECT FROM t").count == 1)
            #expect(again.serverPID != pid)
            await again.stop()
        }
    }

    @Test func `a stale number of a process that lives and is another does not keep it from starting`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            let configuration = try await cluster.start()
            _ = try await run(configuration, "SELECT 1")
            await cluster.stop()
            let file = "\(path)/data/postmaster.pid"
            #expect(FileBytes.replace(file, with: "\(getpid())\n\(path)/data\n", mode: 0o600))
            let again = ScratchCluster.make(path)
            _ = try await run(try await again.start(), "SELECT 1")
            await again.stop()
        }
    }

    @Test func `an initialisation that was killed half-way is done again`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            let directory = try ClusterDirectory(preparing: path)
            try directory.mark()
            #expect(mkdir("\(path)/data.new", 0o700) == 0)
            #expect(FileBytes.replace("\(path)/data.new/PG_VERSION", with: "15\n", mode: 0o600))
            _ = try await run(try await cluster.start(), "SELECT 1")
        }
    }

    @Test func `encoding and locale are pinned and no port is open`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            let configuration = try await cluster.start()
            let rows = try await run(
                configuration,
                """
                SELECT current_setting('server_encoding'), datcollate, current_setting('listen_addresses')
                FROM pg_database WHERE datname = current_database()
                """)
            var reader = RowReader(try #require(rows.first))
            #expect(try reader.text() == "UTF8")
            #expect(try reader.bytes() == Array("C.UTF-8".utf8))
            #expect(try reader.text() == "")
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o007 == 0)
        }
    }

    @Test func `a folder of a newer format is refused`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            let directory = try ClusterDirectory(preparing: path)
            #expect(FileBytes.replace("\(path)/signet-cluster", with: "format 2\n", mode: 0o640))
            let error = PrivateClusterError.newerFormat(path: directory.path, found: 2, known: 1)
            await #expect(throws: error) { _ = try await cluster.start() }
            #expect("\(error)".contains("newer signet"))
        }
    }

    @Test func `data of a PostgreSQL that is not here are refused, with the package to install`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            let directory = try ClusterDirectory(preparing: path)
            try directory.mark()
            #expect(mkdir("\(path)/data", 0o700) == 0)
            #expect(FileBytes.replace("\(path)/data/PG_VERSION", with: "9999\n", mode: 0o600))
            let error = PrivateClusterError.notInstalled(major: 9999)
            await #expect(throws: error) { _ = try await cluster.start() }
            #expect("\(error)".contains("apt-get install postgresql-9999"))
        }
    }

    @Test func `a folder of something else is refused and left alone`() async throws {
        try await ScratchCluster.withCluster { cluster, path in
            #expect(mkdir(path, 0o755) == 0)
            #expect(FileBytes.replace("\(path)/thesis.txt", with: "chapter 1", mode: 0o644))
            await #expect(throws: PrivateClusterError.notACluster(path: path)) { _ = try await cluster.start() }
            #expect(FileBytes.text("\(path)/thesis.txt") == "chapter 1")
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o755)
        }
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    @Test func `without an account of its own the server's folder is ours alone`() throws {
        let path = try ScratchCluster.newPath()
        #expect(mkdir(path, 0o755) == 0)
        let directory = try ClusterDirectory(preparing: path, account: nil)
        try directory.mark()
        #expect(mode(path) == 0o700 && mode(directory.run) == 0o700)
        _ = try ClusterDirectory(preparing: path, account: nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root hands the server to another account"))
    func `for root the server's folder is its account's, and root's group gets in`() throws {
        let path = try ScratchCluster.newPath()
        let directory = try ClusterDirectory(preparing: path)
        let account = try #require(directory.account)
        for folder in [path, directory.run] {
            var status = stat()
            #expect(stat(folder, &status) == 0 && status.st_uid == account.user && status.st_gid == 0)
            #expect(status.st_mode & 0o777 == 0o750)
        }
    }

    @Test(arguments: ["", "/run", "/data"])
    func `a folder that was open to others is refused until somebody vouches for it`(_ part: String) throws {
        let path = try ScratchCluster.newPath()
        let directory = try ClusterDirectory(preparing: path, account: nil)
        try directory.mark()
        #expect(mkdir(directory.data, 0o700) == 0)
        let open = directory.path + part
        for wide: mode_t in [0o750, 0o701, 0o770, 0o777] {
            #expect(chmod(open, wide) == 0)
            let refusal = PrivateClusterError.notPrivate(path: open, mode: 0o700)
            #expect(throws: refusal) { _ = try ClusterDirectory(preparing: path, account: nil) }
            #expect("\(refusal)".contains("chmod 700 \(open)"))
            #expect(mode(open) == wide)
        }
        #expect(chmod(open, 0o700) == 0)
        _ = try ClusterDirectory(preparing: path, account: nil)
        if !part.isEmpty {
            #expect(rename(open, "\(open).moved") == 0 && symlink("\(open).moved", open) == 0)
            #expect(throws: PrivateClusterError.notPrivate(path: open, mode: 0o700)) {
                _ = try ClusterDirectory(preparing: path, account: nil)
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root makes a folder another user's"))
    func `a folder of another user is refused`() throws {
        let path = try ScratchCluster.newPath()
        let directory = try ClusterDirectory(preparing: path, account: nil)
        try directory.mark()
        // 4321: nobody's number.
        #expect(chown(directory.path, 4321, 4321) == 0)
        #expect(throws: PrivateClusterError.notPrivate(path: directory.path, mode: 0o700)) {
            _ = try ClusterDirectory(preparing: path, account: nil)
        }
    }

    @Test func `no variable of the environment decides how the server runs or who is connected to`() async {
        // In a process of its own: the environment is the whole process's.
        await #expect(processExitsWith: .success) {
            let foreign = [
                "PGDATA": "/nonexistent", "PGDATABASE": "nowhere", "PGDATESTYLE": "nonsense", "PGHOST": "192.0.2.1",
                "PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c default_transaction_read_only=on", "PGPASSWORD": "wrong",
                "PGPORT": "1", "PGREQUIREPEER": "nobody-here", "PGSERVICE": "nowhere", "PGTZ": "Nowhere/At_All",
                "PGUSER": "nobody",
            ]
            for (name, value) in foreign { setenv(name, value, 1) }
            setenv("SIGNET_TEST", "kept", 1)
            try await ScratchCluster.withCluster { cluster, _ in
                let configuration = try await cluster.start()
                for (name, value) in foreign {
                    setenv(name, value, 1)
                    let connection = try await PostgresConnection.open(configuration, deadline: .now + .seconds(10))
                    let results = try await connection.execute(
                        [
                            PostgresStatement(
                                """
                                SELECT current_user::text, current_database()::text, inet_server_addr() IS NULL,
                                    current_setting('TimeZone'), current_setting('DateStyle')
                                """)
                        ], deadline: .now + .seconds(10))
                    var reader = RowReader(try #require(results[0].rows.first))
                    #expect(try reader.text() == "signet" && reader.text() == "signet" && reader.boolean(), "\(name)")
                    #expect(try reader.text() == "UTC" && reader.text() == "ISO, MDY", "\(name)")
                    #expect(getenv(name) == nil)
                }
                #expect(getenv("SIGNET_TEST") != nil && getenv("PATH") != nil)
            }
        }
    }

    @Test(arguments: ["/proc/nowhere/data", "/dev/null/data"])
    func `a folder that cannot be written is named with the reason`(_ path: String) async throws {
        let error = await #expect(throws: PrivateClusterError.self) { _ = try await ScratchCluster.make(path).start() }
        guard case .notWritable(let named, let reason) = error else {
            Issue.record("expected notWritable, got \(String(describing: error))")
            return
        }
        #expect(path.hasPrefix(named) && !reason.isEmpty)
    }

    @Test func `a path too long for a socket is refused before anything is made in it`() async throws {
        let path = try ScratchCluster.newPath() + "/" + String(repeating: "x", count: 100)
        let error = await #expect(throws: PrivateClusterError.self) { _ = try await ScratchCluster.make(path).start() }
        if case .socketPath = error {} else { Issue.record("expected socketPath, got \(String(describing: error))") }
        #expect(access("\(path)/run", F_OK) != 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root hands the server to another account"))
    func `a wall above the data is named, with the command that opens it`() async throws {
        let wall = try ScratchCluster.newPath()
        #expect(mkdir(wall, 0o700) == 0)
        let error = await #expect(throws: PrivateClusterError.self) { _ = try await ScratchCluster.make("\(wall)/db").start() }
        #expect("\(String(describing: error))".contains("unreachable") || error != nil)
        #expect(error?.description.contains("chmod o+x \(wall)") == true)
    }
}
