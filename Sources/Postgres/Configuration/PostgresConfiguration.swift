/// Where the database is, who we are to it, and how long anything may take.
package struct PostgresConfiguration: Sendable {
    package enum Location: Hashable, Sendable {
        /// Tried in this order; the first that accepts writes is taken.
        case hosts([PostgresHost])
        /// The directory of a unix socket: no TLS, the file system keeps strangers out.
        case socketDirectory(String, port: UInt16)
    }

    package struct Timing: Hashable, Sendable {
        /// For each host; 5 s is twice what a TLS handshake over a bad link needs.
        package var connect: Duration
        /// How long a caller waits for a connection of the pool, 5 s by default: about the patience of an SDS stream's client.
        package var acquire: Duration
        /// What the server may spend on a statement, 10 s by default: a hundred times the slowest seen.
        package var statement: Duration
        /// How long sent data may stay unacknowledged before the kernel gives a connection up.
        package var tcpUser: Duration
        /// Idle time before the first keepalive probe; the two further probes follow at a third of it.
        package var keepalive: Duration

        package init(
            connect: Duration = .seconds(5), acquire: Duration = .seconds(5), statement: Duration = .seconds(10),
            tcpUser: Duration = .seconds(10), keepalive: Duration = .seconds(30)
        ) {
            self.connect = connect
            self.acquire = acquire
            self.statement = statement
            self.tcpUser = tcpUser
            self.keepalive = keepalive
        }

        /// What the client waits for an answer: the server's own time-out comes first, by a second for the way.
        var answer: Duration { statement + .seconds(1) }
    }

    package var location: Location
    /// Where LISTEN connects, when `location` is a transaction pooler, which cannot carry it; nil: the same.
    package var listenLocation: Location?
    package var user: String
    package var database: String
    package var password: PostgresPassword?
    package var tls: PostgresTLS
    package var timing: Timing
    /// The most connections at a time, beside the one that listens. 8: two cores' worth of commits, and slow reads beside them.
    package var poolSize: Int
    package var applicationName: String

    /// Throws for the first value that cannot be used, with its key.
    package init(
        location: Location, listenLocation: Location? = nil, user: String, database: String,
        password: PostgresPassword? = nil, tls: PostgresTLS, timing: Timing = Timing(), poolSize: Int = 8,
        applicationName: String = "signet"
    ) throws(PostgresConfigurationError) {
        self.location = location
        self.listenLocation = listenLocation
        self.user = user
        self.database = database
        self.password = password
        self.tls = tls
        self.timing = timing
        self.poolSize = poolSize
        self.applicationName = applicationName
        try validate()
    }

    /// A server behind a unix socket, to which TLS does not apply.
    package init(
        socketDirectory: String, port: UInt16 = PostgresHost.defaultPort, user: String, database: String,
        password: PostgresPassword? = nil, timing: Timing = Timing(), poolSize: Int = 8, applicationName: String = "signet"
    ) throws(PostgresConfigurationError) {
        try self.init(
            location: .socketDirectory(socketDirectory, port: port), user: user, database: database, password: password,
            tls: PostgresTLS(mode: .disable), timing: timing, poolSize: poolSize, applicationName: applicationName)
    }

    private func validate() throws(PostgresConfigurationError) {
        try PostgresConfiguration.validate(location, key: "hosts")
        if let listenLocation { try PostgresConfiguration.validate(listenLocation, key: "listenHosts") }
        for (key, value) in [("user", user), ("database", database)] where value.isEmpty || value.contains("\0") {
            throw PostgresConfigurationError(key: key, problem: "must be named")
        }
        if case .hosts = location { try tls.validate() }
        // 1,000 is far above any server's max_connections for one client; 1 is enough to work.
        guard (1...1000).contains(poolSize) else {
            throw PostgresConfigurationError(key: "poolSize", problem: "\(poolSize) is not between 1 and 1000")
        }
        let hour = Duration.seconds(3600)
        for (key, value) in [
            ("connectTimeout", timing.connect), ("acquireTimeout", timing.acquire), ("statementTimeout", timing.statement),
            ("tcpUserTimeout", timing.tcpUser), ("keepalive", timing.keepalive),
        ] where value < .milliseconds(1) || value > hour {
            throw PostgresConfigurationError(key: key, problem: "must be between 1ms and 1h")
        }
    }

    private static func validate(_ location: Location, key: String) throws(PostgresConfigurationError) {
        switch location {
        case .hosts(let hosts):
            guard !hosts.isEmpty else { throw PostgresConfigurationError(key: key, problem: "name at least one host:port") }
        case .socketDirectory(let path, let port):
            try UnixSocketPath.validate(directory: path, port: port)
        }
    }
}

extension PostgresConfiguration: CustomStringConvertible {
    /// Who and where; no secret.
    package var description: String {
        let place =
            switch location {
            case .hosts(let hosts): hosts.map(\.description).joined(separator: ",") + ", TLS \(tls.mode.rawValue)"
            case .socketDirectory(let path, let port): "\(path)/.s.PGSQL.\(port)"
            }
        return "\(user)@\(place), database \(database)"
    }
}
