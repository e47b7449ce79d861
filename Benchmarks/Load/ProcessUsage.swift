import Glibc

/// What this program takes of the machine.
enum ProcessUsage {
    struct TooFewDescriptors: Error, CustomStringConvertible {
        let needed: Int
        let limit: Int

        var description: String {
            "\(needed) open files are needed and the hard limit is \(limit): raise it (ulimit -Hn), or take fewer proxies"
        }
    }

    /// User and system time.
    static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1_000_000 }
    }

    /// Raises the soft limit of open files to the hard one; a connection is one, and event loops and standard streams a few.
    static func allowOpenFiles(connections: Int) throws(TooFewDescriptors) {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        let needed = connections + 64
        guard limit.rlim_max >= rlim_t(needed) else {
            throw TooFewDescriptors(needed: needed, limit: Int(clamping: limit.rlim_max))
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }
}
