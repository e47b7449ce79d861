import Foundation
import Glibc
import Postgres
import TestSupport

/// A PostgreSQL of one test's own and, if needed, a synchronous standby of it, behind one address: a folder that leads to the socket of
/// whichever serves.
struct Standby: Sendable {
    let configuration: PostgresConfiguration
    private let primary: PrivateCluster
    private let workspace: Workspace

    private var primaryFolder: String { workspace.file("primary") }
    private var standbyFolder: String { workspace.file("standby") }
    private var address: String { workspace.file("socket") }

    init(in workspace: Workspace, isNeeded: Bool) async throws {
        self.workspace = workspace
        primary = PrivateCluster(
            dataDirectory: workspace.file("primary"), durability: .volatile, logger: TestDatabase.logger)
        let direct = try await primary.start()
        guard case .socketDirectory(let directory, _) = direct.location else {
            throw ChildProcess.Failure(name: "PostgreSQL", detail: "it is not on a unix socket")
        }
        try FileManager.default.createSymbolicLink(atPath: workspace.file("socket"), withDestinationPath: directory)
        configuration = try PostgresConfiguration(
            socketDirectory: workspace.file("socket"), user: direct.user, database: direct.database)
        if isNeeded { try await startStandby() }
    }

    /// Every connection breaks; a moment later it serves again.
    func restartPrimary() async throws {
        await primary.stop()
        _ = try await primary.start()
    }

    /// The primary dies as in a power cut, and the standby takes its place and its address.
    func promote() async throws {
        guard let server = primary.serverPID else { throw ChildProcess.Failure(name: "PostgreSQL", detail: "it does not run") }
        kill(server, SIGKILL)
        try await run("pg_ctl", ["promote", "--wait", "--pgdata=\(standbyFolder)/data"])
        // By rename: there is no moment without an address.
        let next = address + ".next"
        try FileManager.default.createSymbolicLink(atPath: next, withDestinationPath: standbyFolder + "/run")
        guard rename(next, address) == 0 else {
            throw ChildProcess.Failure(name: "rename", detail: String(cString: strerror(errno)))
        }
    }

    func stop() async {
        await primary.stop()
    }

    /// What the primary has acknowledged is on the standby.
    private func startStandby() async throws {
        let shell = try PostgresShell(configuration)
        for folder in [standbyFolder, standbyFolder + "/run"] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
            chmod(folder, 0o777)
        }
        try await run(
            "pg_basebackup",
            [
                "--pgdata=\(standbyFolder)/data", "--host=\(primaryFolder)/run", "--username=\(shell.user)",
                "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
            ])
        try await run(
            "pg_ctl",
            [
                "start", "--wait", "--silent", "--pgdata=\(standbyFolder)/data", "--log=\(standbyFolder)/log",
                "--options=-c unix_socket_directories=\(standbyFolder)/run -c cluster_name=standby",
            ])
        try await shell.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try await shell.query("SELECT pg_reload_conf()")
        try await eventually(within: .seconds(20), "a synchronous standby") {
            try await shell.query("SELECT sync_state FROM pg_stat_replication") == "sync"
        }
    }

    /// As the user that PostgreSQL runs as: it refuses to be root.
    private func run(_ program: String, _ arguments: [String]) async throws {
        let tool = PostgresShell.program(program)
        if geteuid() != 0 {
            try await tool.output(arguments, within: .seconds(60))
        } else {
            try await Tool("runuser", install: "apt-get install util-linux").output(
                ["-u", "postgres", "--", tool.executable] + arguments, within: .seconds(60))
        }
    }
}
