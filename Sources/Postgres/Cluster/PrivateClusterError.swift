/// Why the private PostgreSQL is not there.
package enum PrivateClusterError: Error, Hashable, Sendable {
    /// A program of PostgreSQL ended with an error.
    case command(name: String, detail: String)
    /// The server runs, and a statement failed.
    case database(PostgresError)
    /// Another running signet has it.
    case inUse(path: String)
    /// The directory was made by a newer release.
    case newerFormat(path: String, found: Int, known: Int)
    /// Something else lives in the directory.
    case notACluster(path: String)
    /// No PostgreSQL server on this machine; `major` when the data need a particular one.
    case notInstalled(major: Int?)
    /// A directory of the cluster is another user's, no directory, or gives others more than `mode` does.
    case notPrivate(path: String, mode: UInt32)
    /// A directory cannot be made or written.
    case notWritable(path: String, reason: String)
    /// Processes of an earlier server, whose main process was killed, do not end.
    case orphans([Int32])
    case socketPath(PostgresConfigurationError)
    /// Running as root, the server's account cannot get through a directory above the data.
    case unreachable(path: String, account: String, dataDirectory: String)
}

extension PrivateClusterError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .command(let name, let detail): "the private PostgreSQL: \(name) failed: \(detail)"
        case .database(let error): "the private PostgreSQL: \(error)"
        case .inUse(let path): "another signet uses '\(path)': stop it, or choose another data directory"
        case .newerFormat(let path, let found, let known):
            "'\(path)' was made by a newer signet (format \(found), this one knows \(known)): run that one"
        case .notACluster(let path):
            "'\(path)' holds something else than a private PostgreSQL of signet: choose another data directory"
        case .notInstalled(nil): "there is no PostgreSQL server on this machine: apt-get install postgresql"
        case .notInstalled(.some(let major)):
            "the data directory needs PostgreSQL \(major), which is not on this machine: apt-get install postgresql-\(major)"
        case .notPrivate(let path, let mode):
            "'\(path)' is another user's, or open to others, who may have changed the database: if you trust them, make it "
                + "yours and 'chmod \(String(mode, radix: 8)) \(path)', or choose another data directory"
        case .notWritable(let path, let reason):
            "'\(path)' cannot be written: \(reason): change its permissions, or choose another data directory"
        case .orphans(let pids):
            "processes of an earlier PostgreSQL still have the data directory open: end "
                + pids.map(String.init).joined(separator: ", ")
        case .socketPath(let error): "the data directory's path is too long for PostgreSQL's socket: \(error.problem)"
        case .unreachable(let path, let account, let dataDirectory):
            "PostgreSQL does not run as root, and '\(account)' cannot pass '\(path)' to '\(dataDirectory)': "
                + "'chmod o+x \(path)', or choose another data directory, such as /var/lib/signet"
        }
    }
}
