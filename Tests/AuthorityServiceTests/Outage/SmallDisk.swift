import Foundation
import Glibc

/// A disk of 64 KiB that a test fills and empties: a tmpfs where this process may mount one. Elsewhere every file of the process is
/// held to the size that the largest has by then, which looks the same to whoever appends.
struct SmallDisk {
    struct Unusable: Error {
        var detail: String
    }

    let path: String
    private let isMounted: Bool

    static func mounted(_ body: (SmallDisk) async throws -> Void) async throws {
        let scratch = try ScratchDirectory()
        let isMounted = mount("tmpfs", scratch.path, "tmpfs", 0, "size=65536") == 0
        let disk = SmallDisk(path: scratch.path, isMounted: isMounted)
        defer {
            disk.empty()
            if isMounted { umount2(scratch.path, CInt(MNT_DETACH)) }
        }
        try await body(disk)
    }

    private var filler: String { path + "/filler" }

    /// Until nothing more fits.
    func fill() throws {
        guard isMounted else { return limit(to: try largestFile()) }
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Unusable(detail: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 1, count: 512)
        for _ in 0..<1000 where write(descriptor, page, page.count) <= 0 { return }
        throw Unusable(detail: "\(path) takes more than it should")
    }

    func empty() {
        if isMounted { unlink(filler) } else { limit(to: nil) }
    }

    private func largestFile() throws -> Int {
        let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return files.map { file in
            var status = stat()
            return stat(path + "/" + file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
        }.max() ?? 0
    }

    private func limit(to size: Int?) {
        signal(SIGXFSZ, SIG_IGN)
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        var limit = rlimit()
        getrlimit(resource, &limit)
        limit.rlim_cur = size.map { rlim_t($0) } ?? limit.rlim_max
        setrlimit(resource, &limit)
    }
}
