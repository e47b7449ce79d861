internal import Subprocess

/// One run of a PostgreSQL program, without a shell.
enum ClusterCommand {
    struct Answer: Sendable {
        var isSuccess: Bool
        var output: String
        /// The last lines of what it wrote to standard error, in one line.
        var complaint: String
    }

    /// Runs `program` as `account`, from the root directory, which everybody may enter. Throws when it cannot be started.
    ///
    /// `setpriv` changes the account, not the spawn itself: glibc's `setuid` takes a lock of its thread list, and in a child
    /// that was made by a bare clone while another thread began or ended, nobody would ever give that lock back.
    static func run(
        _ program: String, _ arguments: [String], as account: ServerAccount? = nil
    ) async throws(PrivateClusterError) -> Answer {
        var command = [program] + arguments
        if let account {
            command = ["setpriv", "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "--"] + command
        }
        // PGPORT and PGDATESTYLE are settings to the server, PGDATA and PGOPTIONS to its programs.
        guard PostgresEnvironment.clear() else { throw .command(name: program, detail: "the system has no memory left") }
        do {
            let executable: Executable = command[0].contains("/") ? .path(.init(command[0])) : .name(command[0])
            // 64 KiB: initdb writes 2.
            let result = try await Subprocess.run(
                executable, arguments: Arguments(Array(command.dropFirst())),
                environment: .inherit.updating(["LC_ALL": "C"]), workingDirectory: "/",
                output: .string(limit: 65_536), error: .string(limit: 65_536))
            return Answer(
                isSuccess: result.terminationStatus.isSuccess, output: result.standardOutput,
                complaint: lastLines(result.standardError.isEmpty ? result.standardOutput : result.standardError))
        } catch {
            throw .command(name: program, detail: "\(error)")
        }
    }

    /// The last three lines, joined: the reason stands at the end.
    static func lastLines(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).suffix(3).joined(separator: "; ")
    }
}
