/// The kernel's limit on the path of a unix socket.
enum UnixSocketPath {
    /// `sun_path` has 108 bytes on Linux, one of them for the final NUL (unix(7)).
    static let maximumBytes = 107

    /// Throws unless the server's socket fits into `directory`, which must be an absolute path.
    static func validate(directory: String, port: UInt16) throws(PostgresConfigurationError) {
        guard directory.hasPrefix("/") else {
            throw PostgresConfigurationError(key: "socketDirectory", problem: "'\(directory)' is not an absolute path")
        }
        // libpq reads a comma as the beginning of another host.
        guard !directory.contains(where: { $0 == "," || $0 == "\0" }) else {
            throw PostgresConfigurationError(key: "socketDirectory", problem: "'\(directory)' must not contain a comma or NUL")
        }
        let bytes = path(directory: directory, port: port).utf8.count
        guard bytes <= maximumBytes else {
            throw PostgresConfigurationError(
                key: "socketDirectory",
                problem: "'\(directory)' makes a socket path of \(bytes) bytes, and the kernel allows \(maximumBytes): "
                    + "choose a shorter directory")
        }
    }

    static func path(directory: String, port: UInt16) -> String { "\(directory)/.s.PGSQL.\(port)" }
}
