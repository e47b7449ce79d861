import Glibc

/// CPU time, user and system, in seconds: a machine that others use too leaves it as it is.
enum ProcessorTime {
    /// This process's own.
    static var own: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// That of a process and its children, those included that have ended and been waited for.
    static func family(of parent: Int32) -> Double {
        let ticks = Double(sysconf(CInt(_SC_CLK_TCK)))
        return processes().reduce(0) { sum, process in
            if process.id == parent { return sum + Double(process.own + process.ended) / ticks }
            return process.parent == parent ? sum + Double(process.own) / ticks : sum
        }
    }

    private struct Process {
        var id: Int32
        var parent: Int32
        var own: Int
        var ended: Int
    }

    private static func processes() -> [Process] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [Process] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            // The name of the program, which may hold anything, ends with the last bracket (proc(5)).
            guard let id = Int32(name), let line = line(of: "/proc/\(name)/stat"), let bracket = line.lastIndex(of: ")") else {
                continue
            }
            let fields = line[line.index(after: bracket)...].split(separator: " ")
            guard fields.count > 14, let parent = Int32(fields[1]) else { continue }
            let times = fields[11...14].map { Int($0) ?? 0 }
            found.append(Process(id: id, parent: parent, own: times[0] + times[1], ended: times[2] + times[3]))
        }
        return found
    }

    private static func line(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1024)
        guard fgets(&line, CInt(line.count), file) != nil else { return nil }
        return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
