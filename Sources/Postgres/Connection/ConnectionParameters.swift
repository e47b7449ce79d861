internal import CLibPQ
internal import Glibc
internal import PKI

/// What libpq is told for one attempt at one server. Everything that matters is stated, and the `PG…` variables are removed
/// from the environment first, so that neither these nor `~/.pgpass` decide instead.
struct ConnectionParameters {
    private var pairs: [(String, String)]

    /// One for each server of `location`, in its order. Reads the password file now.
    static func all(
        for configuration: PostgresConfiguration, location: PostgresConfiguration.Location
    ) throws(PostgresError) -> [(name: String, parameters: ConnectionParameters)] {
        var common: [(String, String)] = [
            ("user", configuration.user),
            ("dbname", configuration.database),
            ("application_name", configuration.applicationName),
            ("client_encoding", "UTF8"),
            ("gssencmode", "disable"),
            // No password from anybody's ~/.pgpass. A missing file is silent; a device, such as /dev/null, draws a warning.
            ("passfile", "/nonexistent"),
            ("target_session_attrs", "read-write"),
        ]
        if let password = configuration.password { common.append(("password", try read(password))) }
        switch location {
        case .socketDirectory(let path, let port):
            let pairs = common + [("host", path), ("port", "\(port)"), ("sslmode", "disable")]
            return [(UnixSocketPath.path(directory: path, port: port), ConnectionParameters(pairs: pairs))]
        case .hosts(let hosts):
            let tls = configuration.tls
            let timing = configuration.timing
            let idle = max(1, timing.keepalive.components.seconds)
            common += [
                ("sslmode", tls.mode.rawValue),
                ("ssl_min_protocol_version", "TLSv1.2"),
                ("keepalives", "1"),
                ("keepalives_idle", "\(idle)"),
                ("keepalives_interval", "\(max(1, idle / 3))"),
                ("keepalives_count", "2"),
                ("tcp_user_timeout", "\(timing.tcpUser.wholeMilliseconds)"),
            ]
            // Without a name libpq would look into ~/.postgresql.
            common.append(("sslrootcert", tls.rootCertificateFile ?? "/nonexistent/root.crt"))
            common.append(("sslcert", tls.certificateFile ?? "/nonexistent/client.crt"))
            common.append(("sslkey", tls.keyFile ?? "/nonexistent/client.key"))
            common.append(("sslcrl", "/nonexistent/root.crl"))
            return hosts.map { host in
                let pairs = common + [("host", host.name), ("port", "\(host.port)")]
                return (host.description, ConnectionParameters(pairs: pairs))
            }
        }
    }

    /// Begins an attempt; nil when libpq is out of memory. The copies of the texts are wiped.
    func start() -> OpaquePointer? {
        guard PostgresEnvironment.clear() else { return nil }
        let copies = pairs.map { (strdup($0.0), strdup($0.1)) }
        defer {
            for (key, value) in copies {
                if let value { explicit_bzero(value, strlen(value)) }
                free(key)
                free(value)
            }
        }
        let keys = copies.map { UnsafePointer($0.0) } + [nil]
        let values = copies.map { UnsafePointer($0.1) } + [nil]
        return PQconnectStartParams(keys, values, 0)
    }

    private static func read(_ password: PostgresPassword) throws(PostgresError) -> String {
        switch password {
        case .literal(let text): return text
        case .file(let path):
            guard let bytes = FileBytes.read(path, limit: 4096) else {
                throw .connectionFailed(
                    detail: "the password file '\(path)' cannot be read: \(String(cString: strerror(errno)))")
            }
            return String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        }
    }
}
