import Glibc

/// Ends a private cluster and removes its folder when this process has ended, be it by `kill -9`.
///
/// A shell in a session of its own reads from a socket whose other end only this process holds: its end is the end of file.
package enum ClusterWatchdog {
    package struct SpawnFailed: Error, CustomStringConvertible {
        package let code: CInt
        package var description: String { "no watchdog for the test database: \(String(cString: strerror(code)))" }
    }

    /// Watches from now on; the folder need not exist yet.
    package static func watch(_ directory: String) throws {
        // A socket pair rather than a pipe: it can be made close-on-exec at once, so that no process that is being started on
        // another thread inherits our end and outlives us with it.
        var ends: [CInt] = [-1, -1]
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw SpawnFailed(code: errno) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID of <spawn.h>, which the Glibc module hides.
        posix_spawnattr_setflags(&attributes, 0x80)
        // A server that is still starting writes its number a moment later: two seconds of looking cover it.
        let script = """
            cat >/dev/null
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -CONT "$pid" && kill -QUIT "$pid"
                sleep 0.1
            done
            rm -rf "$0"
            """
        let words: [String] = ["/bin/sh", "-c", script, directory]
        let arguments = words.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        var pid = pid_t()
        let status = posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments + [nil], environ)
        guard status == 0 else {
            close(ends[1])
            throw SpawnFailed(code: status)
        }
        // Our end stays open, on purpose and unnamed, until the kernel closes it.
    }
}
