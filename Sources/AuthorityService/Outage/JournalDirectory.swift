import Glibc

/// The directory of a journal, which one process has at a time, by a lock that ends with it in whatever way it ends.
///
/// Used by one queue alone. What is in it decides which ledger is believed and what was issued, so that it is taken only where
/// nobody but its owner may write.
struct JournalDirectory {
    let path: String
    private var lock: CInt

    /// Makes the directory where there is none, and takes its lock.
    init(path: String, sync: (CInt) -> CInt) throws(JournalFailure) {
        self.path = path
        try JournalDirectory.confirmIsNoFile(path)
        if mkdir(path, 0o700) == 0 {
            try JournalFile.syncDirectory(of: path, by: sync)
        } else {
            guard errno == EEXIST else { throw JournalFile.unusable(path) }
        }
        lock = try JournalDirectory.locked(path)
    }

    /// Throws where something else than a directory is there.
    static func confirmIsNoFile(_ path: String) throws(JournalFailure) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { return }
        throw .unusable(path: path, detail: "it is no directory: name one of this replica's own in journal.directory")
    }

    /// Lets go of the lock.
    mutating func finish() {
        guard lock >= 0 else { return }
        flock(lock, LOCK_UN)
        close(lock)
        lock = -1
    }

    /// Throws while the directory is not there. One that was put in its place is taken as at the start, which this tells: nothing of
    /// what this process wrote is in it.
    mutating func hold() throws(JournalFailure) -> Bool {
        guard !JournalDirectory.isSame(lock, as: path + "/lock") else { return false }
        let next = try JournalDirectory.locked(path)
        finish()
        lock = next
        return true
    }

    /// Whether an open file is the one that has this path.
    static func isSame(_ descriptor: CInt, as path: String) -> Bool {
        var (open, named) = (stat(), stat())
        return fstat(descriptor, &open) == 0 && lstat(path, &named) == 0 && open.st_dev == named.st_dev
            && open.st_ino == named.st_ino
    }

    /// Everything is done with the open directory, so that nobody can exchange it between check and use.
    private static func locked(_ path: String) throws(JournalFailure) -> CInt {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw JournalFile.unusable(path) }
        defer { close(directory) }
        var status = stat()
        guard fstat(directory, &status) == 0 else { throw JournalFile.unusable(path) }
        guard status.st_mode & 0o022 == 0 else {
            throw .unusable(
                path: path,
                detail: "it has mode 0\(String(status.st_mode & 0o7777, radix: 8)), and others may write there: chmod 0700")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw .unusable(
                path: path, detail: "it is the user's with the number \(status.st_uid): chown \(geteuid()), with mode 0700")
        }
        let lock = openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw JournalFile.unusable(path) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw .locked(path: path)
        }
        return lock
    }
}
