import Authority
import AuthorityService
import Foundation
import Glibc
import PKI
import TestSupport
import Testing

/// The journal's directory: who may write there, what becomes of a damaged memory, and of a directory that goes away.
@Suite struct JournalDirectoryTests {
    @Test(arguments: [0o777, 0o770, 0o702, 0o1777])
    func `one that others may write to is refused with the mode it should have, and nothing is put there`(
        mode: mode_t
    ) throws {
        let scratch = try ScratchDirectory()
        mkdir(scratch.journal, 0o700)
        chmod(scratch.journal, mode)
        let failure = #expect(throws: JournalFailure.self) { try IssueJournal(directory: scratch.journal) }
        let text = failure?.description ?? ""
        #expect(text.hasPrefix(scratch.journal) && text.contains("0\(String(mode, radix: 8))") && text.hasSuffix("chmod 0700"))
        #expect(access(scratch.journal + "/lock", F_OK) != 0)
        chmod(scratch.journal, 0o755)
        _ = try IssueJournal(directory: scratch.journal)
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives a directory away"))
    func `one that is somebody else's is refused`() throws {
        let scratch = try ScratchDirectory()
        mkdir(scratch.journal, 0o700)
        chown(scratch.journal, 4711, 4711)
        let failure = #expect(throws: JournalFailure.self) { try IssueJournal(directory: scratch.journal) }
        #expect(failure?.description.contains("the number 4711: chown 0") == true)
    }

    @Test(arguments: [
        "", "hello", "[]", "{}", #"{"replicas":"r1"}"#, #"{"replicas":[],"position":{"ledger":"l","epoch":"1","revision":1}}"#,
        #"{"replicas":[],"position":{"ledger":"l","epoch":9223372036854775807,"revision":1}}"#,
        #"{"replicas":[],"position":{"ledger":"l","epoch":1,"revision":-1}}"#,
        #"{"replicas":[],"issuedAt":{"milliseconds":9223372036854775807}}"#,
        #"{"replicas":[]}"# + String(repeating: " ", count: 1 << 20),
    ])
    func `what is remembered and cannot be read is named, and stays`(text: String) async throws {
        let scratch = try ScratchDirectory()
        mkdir(scratch.journal, 0o700)
        let path = scratch.journal + "/ledger.json"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try expectForgotten(path, in: scratch)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        unlink(path)
        #expect(try await IssueJournalTests.opened(scratch).remembered == LedgerMemory())
    }

    @Test func `a directory, a pipe and a link in its place are named too`() throws {
        let scratch = try ScratchDirectory()
        mkdir(scratch.journal, 0o700)
        let path = scratch.journal + "/ledger.json"
        mkdir(path, 0o700)
        try expectForgotten(path, in: scratch)
        rmdir(path)
        mkfifo(path, 0o600)
        try expectForgotten(path, in: scratch)
        unlink(path)
        symlink("/dev/null", path)
        try expectForgotten(path, in: scratch)
    }

    private func expectForgotten(_ path: String, in scratch: ScratchDirectory) throws {
        let failure = #expect(throws: JournalFailure.self) { try IssueJournal(directory: scratch.journal) }
        guard case .forgotten(path, _) = failure else { throw try #require(failure) }
        #expect(failure?.description.contains("move the file away") == true)
    }

    @Test func `one that was taken away takes nothing, loses nothing, and is taken up again when it is back`() async throws {
        let scratch = try ScratchDirectory()
        let journal = try IssueJournal(directory: scratch.journal)
        let records = try (0..<3).map { try IssueJournalTests.record($0) }
        try await journal.remember { $0.replicas = ["r1"] }
        try await journal.append(Array(records[..<2]))
        #expect(journal.failure == nil)
        try FileManager.default.removeItem(atPath: scratch.journal)
        await expectNothingTaken(by: journal, records[2])
        try "in the way".write(toFile: scratch.journal, atomically: false, encoding: .utf8)
        await expectNothingTaken(by: journal, records[2])
        unlink(scratch.journal)
        mkdir(scratch.journal, 0o700)
        // What it held is not where the next process would look for it.
        await expectNothingTaken(by: journal, records[2])
        #expect(try await IssueJournalTests.replayed(journal) == Array(records[..<2]))
        try await journal.probe()
        try await journal.append([records[2]])
        #expect(journal.failure == nil && journal.count == 1)
        // The directory is this process's again, with all that it remembers.
        #expect(throws: JournalFailure.locked(path: scratch.journal)) { try IssueJournal(directory: scratch.journal) }
        let memory = try String(contentsOfFile: scratch.journal + "/ledger.json", encoding: .utf8)
        #expect(memory.contains("r1"))
    }

    private func expectNothingTaken(by journal: IssueJournal, _ record: CertificateRecord) async {
        await #expect(throws: JournalFailure.self) { try await journal.append([record]) }
        await #expect(throws: JournalFailure.self) { try await journal.probe() }
        #expect(journal.failure != nil && journal.count == 2)
    }

    @Test func `a journal that was put in its place is neither written to nor removed`() async throws {
        let scratch = try ScratchDirectory()
        let journal = try IssueJournal(directory: scratch.journal)
        try await journal.append([IssueJournalTests.record(1)])
        let whole = try scratch.bytes()
        unlink(scratch.leaves)
        try scratch.write(whole)
        await #expect(throws: JournalFailure.self) { try await journal.append([IssueJournalTests.record(2)]) }
        #expect(try await IssueJournalTests.replayed(journal) == [IssueJournalTests.record(1)])
        #expect(try scratch.bytes() == whole)
        await #expect(throws: JournalFailure.self) { try await journal.probe() }
    }
}
