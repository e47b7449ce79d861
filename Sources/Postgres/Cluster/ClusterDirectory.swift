internal import Glibc
internal import PKI

/// The folder of a private cluster: `data` (PostgreSQL's own), `run` (the socket), `log`, `lock`, and the marker
/// `signet-cluster`, which says what the rest is.
struct ClusterDirectory: Sendable {
    /// Absolute, without symbolic links.
    let path: String
    /// The server's user, when that is another than ours.
    let account: ServerAccount?

    /// Of the layout described above.
    static let format = 1

    var data: String { "\(path)/data" }
    var run: String { "\(path)/run" }
    var log: String { "\(path)/log" }
    var lock: String { "\(path)/lock" }
    private var marker: String { "\(path)/signet-cluster" }

    /// Makes the folder, or finds it again; refuses one that is something else.
    ///
    /// For root it belongs to the server's account, and to root's group so that a root without the capability to override
    /// permissions gets in too. Nobody else does.
    init(preparing path: String) throws(PrivateClusterError) {
        account = ServerAccount.needed()
        let isNew = try ClusterDirectory.makeDirectories(path)
        guard let resolved = realpath(path, nil) else { throw .notWritable(path: path, reason: Self.reason()) }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        do throws(PostgresConfigurationError) {
            try UnixSocketPath.validate(directory: run, port: PostgresHost.defaultPort)
        } catch {
            throw .socketPath(error)
        }
        if !isNew { try refuseStrangers() }
        if let account, let wall = ancestors.first(where: { !account.canPass($0) }) {
            throw .unreachable(path: wall, account: account.name, dataDirectory: self.path)
        }
        try own(self.path)
        if mkdir(run, 0o750) != 0, errno != EEXIST { throw .notWritable(path: run, reason: Self.reason()) }
        try own(run)
    }

    /// The PostgreSQL version of the data; nil before the first start.
    func majorVersion() -> Int? {
        FileBytes.text("\(data)/PG_VERSION").flatMap { Int($0.prefix { $0.isNumber }) }
    }

    /// Checks the marker, or writes the first one.
    func mark() throws(PrivateClusterError) {
        if let text = FileBytes.text(marker) {
            let found = text.split(separator: "\n").first.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
            guard found <= ClusterDirectory.format else {
                throw .newerFormat(path: path, found: found, known: ClusterDirectory.format)
            }
        } else if !FileBytes.replace(marker, with: "format \(ClusterDirectory.format)\n", mode: 0o640) {
            throw .notWritable(path: marker, reason: Self.reason())
        }
    }

    /// Writes a file that the server reads.
    func write(_ text: String, to file: String) throws(PrivateClusterError) {
        guard FileBytes.replace(file, with: text, mode: 0o640) else { throw .notWritable(path: file, reason: Self.reason()) }
        if let account, chown(file, account.user, account.group) != 0 {
            throw .notWritable(path: file, reason: Self.reason())
        }
    }

    /// Different for each folder: what its processes are known by.
    var clusterName: String {
        // FNV-1a, 64 bits.
        let hash = path.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return "signet-" + Hex.encode(withUnsafeBytes(of: hash.bigEndian) { Array($0) })
    }

    // MARK: -

    private var ancestors: [String] {
        var paths: [String] = []
        var rest = path[...]
        while let slash = rest.lastIndex(of: "/") {
            rest = rest[..<slash]
            paths.append(rest.isEmpty ? "/" : String(rest))
        }
        return paths.reversed()
    }

    private func refuseStrangers() throws(PrivateClusterError) {
        if access(marker, F_OK) == 0 { return }
        guard let entries = opendir(path) else { throw .notWritable(path: path, reason: Self.reason()) }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            // What a first start may leave that was killed before it wrote the marker.
            if ![".", "..", "run", "lock", "signet-cluster.new"].contains(name) { throw .notACluster(path: path) }
        }
    }

    private func own(_ directory: String) throws(PrivateClusterError) {
        if let account, chown(directory, account.user, 0) != 0 {
            throw .notWritable(path: directory, reason: Self.reason())
        }
        guard chmod(directory, 0o750) == 0, access(directory, W_OK | X_OK) == 0 else {
            throw .notWritable(path: directory, reason: Self.reason())
        }
    }

    /// Makes `path` and what is missing above it; false when it was there.
    private static func makeDirectories(_ path: String) throws(PrivateClusterError) -> Bool {
        var made = ""
        var isNew = false
        if !path.hasPrefix("/"), let here = getcwd(nil, 0) {
            made = String(cString: here)
            free(here)
        }
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if mkdir(made, 0o755) == 0 {
                isNew = true
            } else if errno == EEXIST {
                isNew = false
            } else {
                throw .notWritable(path: made, reason: reason())
            }
        }
        return isNew
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
