import Foundation
import Glibc

/// Writes a file whole or not at all.
package enum DurableFile {
    /// Writes beside `path`, syncs, and renames over it: a reader sees the old file or the new one, and a crash leaves one
    /// of the two. The mode holds from the first byte on.
    package static func write(_ bytes: some ContiguousBytes, to path: String, mode: mode_t) throws(DoorFailure) {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw .file(path: path, detail: errorText(errno)) }
        fchmod(descriptor, mode)
        let written = bytes.withUnsafeBytes { buffer -> Bool in
            var offset = 0
            while offset < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                offset += count
            }
            return fsync(descriptor) == 0
        }
        guard written, rename(temporary, path) == 0 else {
            let code = errno
            close(descriptor)
            unlink(temporary)
            throw .file(path: path, detail: errorText(code))
        }
        close(descriptor)
        let directory = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }

    /// Reads a whole file of at most `limit` bytes; nil if there is none.
    package static func read(_ path: String, limit: Int = 1 << 20) throws(DoorFailure) -> [UInt8]? {
        guard let file = FileHandle(forReadingAtPath: path) else {
            guard errno == ENOENT else { throw .file(path: path, detail: errorText(errno)) }
            return nil
        }
        defer { try? file.close() }
        do {
            let data = try file.read(upToCount: limit + 1) ?? Data()
            guard data.count <= limit else { throw DoorFailure.file(path: path, detail: "it has more than \(limit) bytes") }
            return [UInt8](data)
        } catch let failure as DoorFailure {
            throw failure
        } catch {
            throw .file(path: path, detail: "it cannot be read")
        }
    }
}
