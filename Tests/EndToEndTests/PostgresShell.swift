import Foundation
import Postgres
import TestSupport

/// `psql` at a PostgreSQL on a unix socket.
struct PostgresShell: Sendable {
    let directory: String
    let port: Int
    let user: String
    let database: String

    init(directory: String, port: Int = 5432, user: String = "signet", database: String = "signet") {
        self.directory = directory
        self.port = port
        self.user = user
        self.database = database
    }

    init(_ configuration: PostgresConfiguration) throws {
        guard case .socketDirectory(let directory, let port) = configuration.location else {
            throw ChildProcess.Failure(name: "psql", detail: "the database is not on a unix socket")
        }
        self.init(
            directory: directory, port: Int(port), user: configuration.user, database: configuration.database)
    }

    /// Where it is, for PostgreSQL's own programs.
    var connection: [String] {
        ["--host", directory, "--port", "\(port)", "--username", user, "--dbname", database]
    }

    /// Runs SQL and returns the rows, unaligned.
    @discardableResult func query(_ sql: String) async throws -> String {
        try await Self.program("psql").output(
            connection + ["--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--command", sql]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A program of the newest PostgreSQL that is installed.
    static func program(_ name: String) -> Tool {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let newest = versions.compactMap { Int($0) }.max()
        return Tool(newest.map { "/usr/lib/postgresql/\($0)/bin/\(name)" } ?? name, install: "apt-get install postgresql")
    }

    /// The laws that any row may break alone, held against what is there now: what breaks them, or nothing.
    func brokenLaws() async throws -> String {
        try await query(
            """
            SELECT 'two active issuers: ' || mesh FROM mesh_issuer WHERE state = 'active' GROUP BY mesh HAVING count(*) > 1
            UNION ALL
            SELECT 'no active issuer: ' || m.name FROM mesh m
            WHERE EXISTS (SELECT FROM mesh_issuer i WHERE i.mesh = m.name)
              AND NOT EXISTS (SELECT FROM mesh_issuer i WHERE i.mesh = m.name AND i.state = 'active')
            UNION ALL
            SELECT 'two running rotations: ' || mesh FROM rotation_mesh WHERE is_running GROUP BY mesh HAVING count(*) > 1
            UNION ALL
            SELECT 'two certificates: ' || encode(serial, 'hex') FROM certificate GROUP BY serial HAVING count(*) > 1
            UNION ALL
            SELECT 'outlives its signer: ' || encode(c.serial, 'hex') FROM certificate c
            JOIN certificate s ON s.serial = c.signed_by WHERE c.not_after_ms > s.not_after_ms
            """)
    }
}
