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
    /// Whoever reaches the socket is the database's superuser. So for root the folder belongs to the server's account, and to
    /// root's group so that a root without the capability to override permissions gets in too; else it is ours alone. One that
    /// was open to more is refused, since nobody knows what others did in it meanwhile.
    init(preparing path: String, account: ServerAccount? = .needed()) throws(PrivateClusterError) {
        self.account = account
        let isNew = try ClusterDirectory.makeDirectories(path)
        guard let resolved = realpath(path, nil) else { throw .notWritable(path: path, reason: Self.reason()) }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        do throws(PostgresConfigurationError) {
            try UnixSocketPath.validate(directory: run, port: PostgresHost.defaultPort)
        } catch {
            throw .socketPath(error)
        }
        let wasEmpty = try isEmpty()
        if !isNew { try refuseStrangers() }
        if !wasEmpty {
            try refuseOpen(self.path, allowed: mode)
            try refuseOpen(run, allowed: mode)
            // As initdb made it.
            try refuseOpen(data, allowed: 0o700)
        }
        if let account, let wall = ancestors.first(where: { !account.canPass($0) }) {
            throw .unreachable(path: wall, account: account.name, dataDirectory: self.path)
        }
        try own(self.path)
        // Closed now: what came into it before that is not ours.
        if wasEmpty, try !isEmpty() { throw .notPrivate(path: self.path, mode: mode) }
        if mkdir(run, mode) != 0, errno != EEXIST { throw .notWritable(path: run, reason: Self.reason()) }
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

    /// Of the folder and of the socket's: without an account of its own, the server is us.
    private var mode: mode_t { account == nil ? 0o700 : 0o750 }

    private func refuseStrangers() throws(PrivateClusterError) {
        if access(marker, F_OK) == 0 { return }
        // What a first start may leave that was killed before it wrote the marker.
        let known: Set = ["run", "lock", "signet-cluster.new"]
        if try !entries().isSubset(of: known) { throw .notACluster(path: path) }
    }

    /// Refuses a directory that is another's, or that gives anybody more than `allowed`; nothing when it is not there.
    private func refuseOpen(_ directory: String, allowed: mode_t) throws(PrivateClusterError) {
        var status = stat()
        guard lstat(directory, &status) == 0 else {
            if errno == ENOENT { return }
            throw .notWritable(path: directory, reason: Self.reason())
        }
        let isOurs = status.st_uid == geteuid() || status.st_uid == account?.user
        guard status.st_mode & S_IFMT == S_IFDIR, isOurs, status.st_mode & 0o777 & ~allowed == 0 else {
            throw .notPrivate(path: directory, mode: allowed)
        }
    }

    private func isEmpty() throws(PrivateClusterError) -> Bool { try entries().isEmpty }

    private func entries() throws(PrivateClusterError) -> Set<String> {
        guard let stream = opendir(path) else { throw .notWritable(path: path, reason: Self.reason()) }
        defer { closedir(stream) }
        var names: Set<String> = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.insert(name)
        }
        return names.subtracting([".", ".."])
    }

    private func own(_ directory: String) throws(PrivateClusterError) {
        if let account, chown(directory, account.user, 0) != 0 {
            throw .notWritable(path: directory, reason: Self.reason())
        }
        guard chmod(directory, mode) == 0, access(directory, W_OK | X_OK) == 0 else {
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
