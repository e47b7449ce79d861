internal import Glibc

/// The user that the server runs as when signet is root: PostgreSQL refuses to be.
struct ServerAccount: Hashable, Sendable {
    var name: String
    var user: UInt32
    var group: UInt32

    /// Nil unless this process is root. `postgres` where the packages made it, else `nobody`.
    static func needed() -> ServerAccount? {
        guard geteuid() == 0 else { return nil }
        return named("postgres") ?? named("nobody")
    }

    private static func named(_ name: String) -> ServerAccount? {
        var entry = passwd()
        // The limit that sysconf(_SC_GETPW_R_SIZE_MAX) gives on Linux is 1 KiB; an entry of LDAP may be longer.
        var buffer = [CChar](repeating: 0, count: 16_384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return ServerAccount(name: name, user: entry.pw_uid, group: entry.pw_gid)
    }

    /// Whether the account may pass through a directory, by its owner, group and mode.
    func canPass(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return true }
        if status.st_uid == user { return status.st_mode & S_IXUSR != 0 }
        if status.st_gid == group { return status.st_mode & S_IXGRP != 0 }
        return status.st_mode & S_IXOTH != 0
    }
}
