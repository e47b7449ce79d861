internal import FoundationEssentials
internal import Glibc

/// Which processes are the server of a cluster's folder, by what `/proc` says of them.
///
/// The number in `postmaster.pid` alone proves nothing: after a crash or in a new container it may be another program's, or
/// a zombie's that nobody reaps. And no server may be started beside what is left of an earlier one.
struct ClusterProcesses: Sendable {
    let directory: ClusterDirectory

    /// The running main process.
    func postmaster() -> pid_t? {
        guard let pid = recordedPID(), isServer(pid) else { return nil }
        return pid
    }

    /// All processes of the server, children included; never zombies.
    func living() -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter(isServer)
    }

    private func isServer(_ pid: pid_t) -> Bool {
        // A zombie has an empty command line.
        guard let text = FileBytes.text("/proc/\(pid)/cmdline"), let program = text.split(separator: "\0").first,
            program.hasSuffix("/postgres") || program == "postgres" || program.hasPrefix("postgres: ")
        else { return false }
        if text.contains("postgres: \(directory.clusterName):") { return true }
        if text.split(separator: "\0").contains(Substring(directory.data)) { return true }
        // Not readable across users for a root without CAP_SYS_PTRACE: hence the two tests above.
        var (data, working) = (stat(), stat())
        return stat(directory.data, &data) == 0 && stat("/proc/\(pid)/cwd", &working) == 0 && working.st_dev == data.st_dev
            && working.st_ino == data.st_ino
    }

    /// Removes what a dead server left, which would keep a new one from starting. Only when nothing lives.
    func removeLeftovers() {
        let socket = UnixSocketPath.path(directory: directory.run, port: PostgresHost.defaultPort)
        for path in ["\(directory.data)/postmaster.pid", socket, "\(socket).lock"] { unlink(path) }
    }

    /// Ends the server as `signal` says (SIGINT: fast, SIGQUIT: at once) and waits until all its processes are gone.
    ///
    /// On a thread of its own, and whether or not the task was cancelled: the end of a program is when this is called.
    func stop(signal: CInt, patience: Duration) async -> Bool {
        await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let isStarted = DedicatedThread.start {
                if let pid = postmaster() { kill(pid, signal) }
                continuation.resume(returning: awaitEnd(until: ContinuousClock.now + patience))
            }
            if !isStarted { continuation.resume(returning: false) }
        }
    }

    private func awaitEnd(until deadline: ContinuousClock.Instant) -> Bool {
        while !living().isEmpty {
            if ContinuousClock.now >= deadline { return false }
            // 20 ms: a fast stop takes about 100.
            usleep(20_000)
        }
        return true
    }

    private func recordedPID() -> pid_t? {
        FileBytes.text("\(directory.data)/postmaster.pid")?.split(separator: "\n").first.flatMap { pid_t($0) }
    }
}
