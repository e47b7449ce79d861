import Foundation
import Glibc

/// `ledger.json` in a journal's directory: what the process remembers of its ledger, replaced whole at each change.
enum LedgerMemoryFile {
    /// A thousand times what is in it: whatever is longer this program did not write.
    static let mostOctets = 1 << 20

    /// What the process before this one remembered; empty where there is no file.
    static func read(_ path: String) throws(JournalFailure) -> LedgerMemory {
        // Not blocking, since opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw .forgotten(path: path, detail: JournalFile.reason(errno)) }
            return LedgerMemory()
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw JournalFile.unusable(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .forgotten(path: path, detail: "it is not a regular file") }
        guard status.st_size <= mostOctets else {
            throw .forgotten(path: path, detail: "it has \(status.st_size) octets, too many")
        }
        let memory: LedgerMemory
        do {
            let bytes = try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).read(upToCount: mostOctets)
            memory = try JSONDecoder().decode(LedgerMemory.self, from: bytes ?? Data())
        } catch {
            throw .forgotten(path: path, detail: "it is not what this program wrote")
        }
        guard memory.isLikely else { throw .forgotten(path: path, detail: "a number in it is none that this program wrote") }
        return memory
    }

    /// Returns when it is durable.
    static func write(_ memory: LedgerMemory, to path: String, sync: (CInt) -> CInt) throws(JournalFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let bytes = try? encoder.encode(memory) else { throw .unusable(path: path, detail: "it cannot be written") }
        let next = path + ".new"
        let descriptor = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw JournalFile.unusable(path) }
        let isWritten =
            bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count } && sync(descriptor) == 0
        let failure = JournalFile.unusable(path)
        close(descriptor)
        guard isWritten else {
            unlink(next)
            throw failure
        }
        guard rename(next, path) == 0 else {
            let failure = JournalFile.unusable(path)
            unlink(next)
            throw failure
        }
        try JournalFile.syncDirectory(of: path, by: sync)
    }
}

extension LedgerMemory {
    /// Whether its numbers are such as a ledger and a clock give: with others, what is added to them would not fit.
    fileprivate var isLikely: Bool {
        let most = Int64.max / 2
        let numbers = [position?.epoch, position?.revision, issuedAt?.milliseconds, audit?.epoch, audit?.seq].compactMap(\.self)
        return numbers.allSatisfy { (0...most).contains($0) }
    }
}
