import Foundation
import TestSupport

/// The private PostgreSQL of a `signet dev`, reached beside the service, as an administrator or a thief would.
struct Database: Sendable {
    let dataDirectory: String

    private var folder: String { dataDirectory + "/postgres" }

    /// Everything in it, as one INSERT a row.
    func dump() async throws -> String {
        try await PostgresShell.program("pg_dump").output(shell.connection + ["--inserts"])
    }

    /// The sealed keys as stored.
    func keys() async throws -> String {
        try await query("SELECT * FROM issuer_key ORDER BY issuer")
    }

    /// Exchanges the sealed keys of the two roots that are there.
    func swapRootKeys() async throws {
        try await query(
            """
            UPDATE issuer_key SET wrapped_data_key = other.wrapped_data_key, ciphertext = other.ciphertext
            FROM issuer_key other WHERE other.issuer <> issuer_key.issuer
              AND other.issuer IN (SELECT issuer FROM mesh_issuer WHERE mesh IN ('payments', 'orders'))
              AND issuer_key.issuer IN (SELECT issuer FROM mesh_issuer WHERE mesh IN ('payments', 'orders'))
            """)
    }

    func count(_ table: String, where condition: String) async throws -> Int {
        Int(try await query("SELECT count(*) FROM \(table) WHERE \(condition)")) ?? -1
    }

    /// Runs SQL and returns the rows, unaligned.
    @discardableResult func query(_ sql: String) async throws -> String { try await shell.query(sql) }

    /// The files of the data folder: tables, indexes, write-ahead log.
    func files() -> [String] {
        let all = FileManager.default.enumerator(atPath: folder + "/data")?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasPrefix("base/") || $0.hasPrefix("pg_wal/") || $0.hasPrefix("global/") }
            .map { folder + "/data/" + $0 }
            .filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue
            }
    }

    private var shell: PostgresShell { PostgresShell(directory: folder + "/run") }
}

extension World {
    var database: Database { Database(dataDirectory: signet.dataDirectory) }

    var keyEncryptionKeyFile: String { signet.dataDirectory + "/key-encryption.key" }

    /// What the service has logged.
    var dataLog: String { signet.dataDirectory + ".log" }

    func replaceKeyEncryptionKey(with data: Data) throws {
        try FileManager.default.removeItem(atPath: keyEncryptionKeyFile)
        guard
            FileManager.default.createFile(
                atPath: keyEncryptionKeyFile, contents: data, attributes: [.posixPermissions: 0o400])
        else { throw ChildProcess.Failure(name: "key-encryption key", detail: "cannot be written") }
    }
}
