import Foundation
internal import PKI
internal import PKICrypto

/// The file of a journal: appended to and synced in steps, read from its beginning, and removed when the ledger has all of it.
///
/// Used by one queue alone. Crash states: a step that was not synced is cut off at the next opening, and nothing of it had left
/// the process; a file whose contents are in the ledger and that was not removed yet is replayed again, which changes nothing.
struct JournalFile {
    let path: String
    private let sync: @Sendable (CInt) -> CInt
    /// Nil while there is no file.
    private var descriptor: CInt?
    private var id: [UInt8] = []
    /// Up to where everything is synced.
    private(set) var end = 0
    private var sequence: UInt64 = 0
    /// How many certificates are in it.
    private(set) var count = 0
    /// What was cut off at the opening.
    private(set) var tear: JournalTear?

    private static let head = Array("signet journal 1\n".utf8)
    private static let idCount = 16
    static var firstFrame: Int { head.count + 2 * idCount }

    /// What a file begins with: a changed id would make no frame of every one that follows.
    private static func opening(_ id: [UInt8]) -> [UInt8] { head + id + Digest.sha256(head + id).prefix(idCount) }

    /// Opens the file if there is one; cuts a torn tail, and refuses whatever else is wrong.
    init(path: String, sync: @escaping @Sendable (CInt) -> CInt) throws(JournalFailure) {
        self.path = path
        self.sync = sync
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw JournalFile.unusable(path) }
            return
        }
        self.descriptor = descriptor
        do {
            try recover()
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Closes the file.
    mutating func finish() {
        if let descriptor { close(descriptor) }
        descriptor = nil
    }

    private mutating func forget() { (end, sequence, count, id) = (0, 0, 0, []) }

    /// Makes the records durable, or leaves the file as it was. After a failure the next one tries from there again.
    mutating func append(_ records: [CertificateRecord]) throws(JournalFailure) {
        let payload: [UInt8]
        do {
            payload = [UInt8](try JSONEncoder().encode(records))
        } catch {
            throw .unusable(path: path, detail: "a record cannot be written: \(error)")
        }
        guard payload.count <= JournalFrame.mostOctets else {
            throw .unusable(path: path, detail: "a step of \(payload.count) octets is longer than any that would be read again")
        }
        let descriptor = try opened()
        let frame = JournalFrame(sequence: sequence + 1, payload: payload).encoded(id: id)
        guard JournalFile.write(frame, to: descriptor, at: end), sync(descriptor) == 0 else {
            let failure = JournalFile.unusable(path)
            // What was written of it would be taken for a torn tail at worst; it also takes room.
            ftruncate(descriptor, off_t(end))
            throw failure
        }
        end += frame.count
        sequence += 1
        count += records.count
    }

    /// Where the next step goes, and how much stands before it.
    struct Place: Sendable {
        fileprivate var end: Int
        fileprivate var sequence: UInt64
        fileprivate var count: Int
    }

    var place: Place { Place(end: max(end, JournalFile.firstFrame), sequence: sequence, count: count) }

    /// Takes back what was appended behind `place`, of which nobody knows. What cannot be cut off the next step overwrites.
    mutating func cut(to place: Place) {
        guard let descriptor, place.end <= end else { return }
        ftruncate(descriptor, off_t(place.end))
        (end, sequence, count) = (place.end, place.sequence, place.count)
    }

    /// The records of the step at `offset`, and where the next begins; nil at the end.
    func records(at offset: Int) throws(JournalFailure) -> (records: [CertificateRecord], next: Int)? {
        guard let descriptor, offset < end else { return nil }
        guard let (frame, next) = try frame(at: offset, of: descriptor, limit: end) else {
            throw .damaged(path: path, detail: "the step at octet \(offset) cannot be read any more")
        }
        do {
            return (try JSONDecoder().decode([CertificateRecord].self, from: Data(frame.payload)), next)
        } catch {
            throw .damaged(path: path, detail: "the step at octet \(offset) holds no certificates: \(error)")
        }
    }

    /// Takes the file away, unless something was appended behind `end`.
    mutating func remove(upTo end: Int) throws(JournalFailure) {
        guard let descriptor, end == self.end else { return }
        if JournalDirectory.isSame(descriptor, as: path) {
            guard unlink(path) == 0 else { throw JournalFile.unusable(path) }
        }
        finish()
        forget()
        // Where it appears again after a crash, its contents are written to the ledger again, which changes nothing.
        try? JournalFile.syncDirectory(of: path, by: sync)
    }

    /// Throws where the next step could not be found again: its file is not the one that has this name.
    mutating func confirmPlace() throws(JournalFailure) {
        guard let descriptor else {
            guard access(path, F_OK) != 0 else {
                throw .unusable(path: path, detail: "it was put there while this process ran: start it again")
            }
            return
        }
        guard !JournalDirectory.isSame(descriptor, as: path) else { return }
        guard count == 0 else {
            throw .unusable(
                path: path,
                detail: "it was taken away with \(count) certificates, which this process alone has until the database takes them"
            )
        }
        // Nothing is in it: the next step makes another.
        finish()
        forget()
    }

    private mutating func opened() throws(JournalFailure) -> CInt {
        try confirmPlace()
        if let descriptor { return descriptor }
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw JournalFile.unusable(path) }
        let id = SecureRandom.bytes(JournalFile.idCount)
        guard JournalFile.write(JournalFile.opening(id), to: descriptor, at: 0), sync(descriptor) == 0 else {
            let failure = JournalFile.unusable(path)
            close(descriptor)
            unlink(path)
            throw failure
        }
        do {
            try JournalFile.syncDirectory(of: path, by: sync)
        } catch {
            // A file that nobody finds after a crash holds nothing.
            close(descriptor)
            unlink(path)
            throw error
        }
        self.descriptor = descriptor
        self.id = id
        end = JournalFile.firstFrame
        return descriptor
    }

    private mutating func recover() throws(JournalFailure) {
        guard let descriptor else { return }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw JournalFile.unusable(path) }
        let size = Int(status.st_size)
        let opening = try JournalFile.read(descriptor, at: 0, count: min(size, JournalFile.firstFrame), path)
        id = Array(opening.dropFirst(JournalFile.head.count).prefix(JournalFile.idCount))
        guard opening == JournalFile.opening(id) else {
            // Nothing is in one that was not begun.
            let isBegun = size > JournalFile.firstFrame
            let isOurs = JournalFile.head.starts(with: opening.prefix(JournalFile.head.count)) || opening.allSatisfy { $0 == 0 }
            guard !isBegun, isOurs else { throw .damaged(path: path, detail: "it does not begin as a journal does") }
            cut(opening, at: 0)
            close(descriptor)
            self.descriptor = nil
            guard unlink(path) == 0 else { throw JournalFile.unusable(path) }
            return
        }
        end = JournalFile.firstFrame
        while end < size {
            guard let (frame, next) = try frame(at: end, of: descriptor, limit: size) else { break }
            guard frame.sequence == sequence + 1 else {
                throw .damaged(path: path, detail: "step \(sequence + 1) is missing at octet \(end)")
            }
            sequence = frame.sequence
            let offset = end
            end = next
            count += try records(at: offset)?.records.count ?? 0
        }
        guard end < size else { return }
        let rest = try JournalFile.read(descriptor, at: end, count: size - end, path)
        guard !JournalFrame.isAnywhere(in: rest, id: id) else {
            throw .damaged(path: path, detail: "the step at octet \(end) is broken, and others follow it")
        }
        cut(rest, at: end)
        guard ftruncate(descriptor, off_t(end)) == 0, sync(descriptor) == 0 else { throw JournalFile.unusable(path) }
    }

    /// Keeps what is about to be cut off beside the file, in place of what was kept before. Where that fails it is cut all the same:
    /// nothing of it had left the process, and a disk without room is one to start with.
    private mutating func cut(_ piece: [UInt8], at offset: Int) {
        guard !piece.isEmpty else { return }
        let copy = path + ".torn"
        unlink(copy)
        let descriptor = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        let isKept = descriptor >= 0 && JournalFile.write(piece, to: descriptor, at: 0) && sync(descriptor) == 0
        if descriptor >= 0 { close(descriptor) }
        if !isKept { unlink(copy) }
        tear = JournalTear(path: path, offset: offset, octets: piece.count, copy: isKept ? copy : nil)
    }

    /// Nil for what is no frame.
    private func frame(
        at offset: Int, of descriptor: CInt, limit: Int
    ) throws(JournalFailure) -> (frame: JournalFrame, next: Int)? {
        guard offset + JournalFrame.headCount <= limit else { return nil }
        let bytes = try JournalFile.read(descriptor, at: offset, count: JournalFrame.headCount, path)
        let start = offset + JournalFrame.headCount
        guard let head = JournalFrame.Head(bytes[...]), start + head.length <= limit else { return nil }
        let payload = try JournalFile.read(descriptor, at: start, count: head.length, path)
        return JournalFrame(head, payload: payload, id: id).map { ($0, start + head.length) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: CInt, at offset: Int) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = pwrite(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }

    private static func read(
        _ descriptor: CInt, at offset: Int, count: Int, _ path: String
    ) throws(JournalFailure) -> [UInt8] {
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let found = pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
                if found < 0, errno == EINTR { continue }
                guard found > 0 else {
                    isWhole = false
                    return
                }
                filled += found
            }
        }
        guard isWhole else { throw unusable(path) }
        return bytes
    }

    /// Makes the entry durable that `path` has in its directory.
    static func syncDirectory(of path: String, by sync: (CInt) -> CInt) throws(JournalFailure) {
        let parent = (path as NSString).deletingLastPathComponent
        let name = parent.isEmpty ? "." : parent
        let directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw unusable(name) }
        defer { close(directory) }
        guard sync(directory) == 0 else { throw unusable(name) }
    }

    /// With what the operating system said last.
    static func unusable(_ path: String) -> JournalFailure { .unusable(path: path, detail: reason(errno)) }

    static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}
