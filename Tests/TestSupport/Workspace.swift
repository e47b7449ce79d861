import Foundation

/// A folder for one test that disappears with it, and with it every PostgreSQL that runs in it.
///
/// Short, for the path of a unix socket ends at 107 bytes; readable for others, because a PostgreSQL started by root
/// runs as another user.
package struct Workspace: Sendable {
    package let path: String
    /// Ends with the workspace.
    package let processes: ProcessScope

    /// Kills the PostgreSQL servers of the folder, then removes it; run at the end of the test, also when the test's
    /// process is killed.
    private static let reaper = """
        folder=$1
        reap() {
            trap '' TERM
            find "$folder" -name postmaster.pid 2>/dev/null | while read -r file; do
                server=$(head -n 1 "$file")
                case $(cat "/proc/$server/comm" 2>/dev/null) in
                postgres|postmaster)
                    kill -QUIT "$server"
                    for _ in $(seq 100); do [ -d "/proc/$server" ] || break; sleep 0.05; done ;;
                esac
            done
            for _ in $(seq 20); do rm -rf "$folder" 2>/dev/null && break; sleep 0.1; done
            kill "$waiting" 2>/dev/null
            exit 0
        }
        trap reap TERM
        sleep infinity &
        waiting=$!
        wait "$waiting"
        """

    package static func open<Value: Sendable>(_ name: String, _ body: (Workspace) async throws -> Value) async throws -> Value {
        let path = "/tmp/sg-\(name)-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        return try await ProcessScope.open { guards in
            try await guards.start(
                ChildProcess(
                    name: "reaper of \(path)", executable: "/bin/sh", arguments: ["-c", reaper, "reaper", path],
                    logPath: "/dev/null", grace: .seconds(20), parentDeathSignal: "TERM"))
            return try await ProcessScope.open { processes in
                try await body(Workspace(path: path, processes: processes))
            }
        }
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file of the workspace and returns its path.
    @discardableResult package func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: file(name), atomically: false, encoding: .utf8)
        return file(name)
    }

    /// Replaces a file by rename, as an orchestrator renews a mounted token.
    package func replace(_ name: String, with text: String) throws {
        try text.write(toFile: file(name + ".next"), atomically: false, encoding: .utf8)
        guard rename(file(name + ".next"), file(name)) == 0 else {
            throw ChildProcess.Failure(name: "rename", detail: String(cString: strerror(errno)))
        }
    }
}
