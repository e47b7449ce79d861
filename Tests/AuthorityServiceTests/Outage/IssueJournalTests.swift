import Authority
import AuthorityService
import Foundation
import Glibc
import PKI
import TestSupport
import Testing

/// The journal's file: what a crash leaves of it, and what else may be wrong with it.
@Suite struct IssueJournalTests {
    static func record(_ number: Int) throws -> CertificateRecord {
        let start = Timestamp(seconds: 1_800_000_000)
        return CertificateRecord(
            serial: SerialNumber(random: (0..<17).map { UInt8(truncatingIfNeeded: number >> ($0 % 2 * 8)) }), kind: .leaf,
            mesh: try MeshName("payments"), certificateAuthority: "payments.ca-1",
            issuer: IssuerID(random: [UInt8](repeating: 1, count: 8)), signedBy: SerialNumber(bytes: [1]),
            identity: try SPIFFEID("spiffe://payments/api"), notBefore: start, notAfter: start + .seconds(60),
            digest: Fingerprint(sha256: [UInt8](repeating: 7, count: 32)), issuedAt: start,
            origin: CertificateRecord.Origin(tokenID: "t", proxy: "web-1", tags: ["a": ["b", "é\n"]], node: "n"))
    }

    /// Three steps of 1, 2 and 3 records, and their records.
    private static func written(in scratch: ScratchDirectory) async throws -> [CertificateRecord] {
        let journal = try IssueJournal(directory: scratch.journal)
        let records = try (0..<6).map { try record($0) }
        try await journal.append(Array(records[0..<1]))
        try await journal.append(Array(records[1..<3]))
        try await journal.append(Array(records[3..<6]))
        return records
    }

    /// The one before is let go of a moment after its last act.
    static func opened(_ scratch: ScratchDirectory) async throws -> IssueJournal {
        for _ in 0..<5000 {
            let result = attempt(scratch)
            if case .failure(.locked) = result {
                try await Task.sleep(for: .milliseconds(1))
            } else {
                return try result.get()
            }
        }
        throw JournalFailure.locked(path: scratch.journal)
    }

    private static func attempt(_ scratch: ScratchDirectory) -> Result<IssueJournal, JournalFailure> {
        do throws(JournalFailure) {
            return .success(try IssueJournal(directory: scratch.journal))
        } catch {
            return .failure(error)
        }
    }

    static func replayed(_ journal: IssueJournal) async throws -> [CertificateRecord] {
        var found: [CertificateRecord] = []
        _ = try await journal.replay { records throws(LedgerFailure) in found += records }
        return found
    }

    @Test func `what was appended is found after a crash, in its order, and the file goes when all of it was taken`()
        async throws
    {
        let scratch = try ScratchDirectory()
        let records = try await Self.written(in: scratch)
        let journal = try await Self.opened(scratch)
        #expect(journal.count == 6)
        #expect(try await Self.replayed(journal) == records)
        #expect(journal.count == 0 && access(scratch.leaves, F_OK) != 0)
        // And it begins anew.
        try await journal.append([Self.record(9)])
        #expect(try await Self.replayed(journal) == [Self.record(9)])
    }

    @Test func `a replay that fails leaves everything, and the next one brings all of it again`() async throws {
        let scratch = try ScratchDirectory()
        var records = try await Self.written(in: scratch)
        let journal = try await Self.opened(scratch)
        // As many as are handed over at once, and so by themselves.
        let more = try (0..<IssueJournal.mostReplayed).map { try Self.record(100 + $0) }
        try await journal.append(more)
        records += more
        var steps = 0
        await #expect(throws: LedgerFailure.self) {
            _ = try await journal.replay { _ throws(LedgerFailure) in
                steps += 1
                if steps == 2 { throw .unavailable(detail: "injected") }
            }
        }
        #expect(journal.count == records.count && steps == 2)
        #expect(try await Self.replayed(journal) == records)
    }

    @Test func `what is appended while it is replayed is replayed too`() async throws {
        let scratch = try ScratchDirectory()
        let records = try await Self.written(in: scratch)
        let journal = try await Self.opened(scratch)
        var found: [CertificateRecord] = []
        let more = try Self.record(100)
        let count = try await journal.replay { (step: [CertificateRecord]) throws in
            if found.isEmpty { try await journal.append([more]) }
            found += step
        }
        #expect(count == 7 && found == records + [more] && journal.count == 0)
    }

    @Test func `cut anywhere, it has the steps that were whole, and takes more`() async throws {
        let scratch = try ScratchDirectory()
        let records = try await Self.written(in: scratch)
        let whole = try scratch.bytes()
        let sizes = [0, 1, 3, 6]
        var seen: Set<Int> = []
        // Every octet of the last step and around the others' ends; some of the rest.
        for end in stride(from: 0, through: whole.count, by: 7).map({ $0 }) + [whole.count - 1, whole.count] {
            try scratch.write(Array(whole[..<end]))
            let journal = try await Self.opened(scratch)
            let count = journal.count
            #expect(sizes.contains(count), "\(count) after a cut at \(end)")
            seen.insert(count)
            try await journal.append([Self.record(50)])
            #expect(try await Self.replayed(journal) == Array(records[..<count]) + [Self.record(50)])
        }
        #expect(seen == Set(sizes))
    }

    @Test func `what is cut off is kept beside the file, for its owner alone, and told; the next one takes its place`()
        async throws
    {
        let scratch = try ScratchDirectory()
        _ = try await Self.written(in: scratch)
        let whole = try scratch.bytes()
        for cut in [100, 7] {
            try scratch.write(whole.dropLast(cut))
            let tear = try #require(try await Self.opened(scratch).tear)
            let copy = try #require(tear.copy)
            #expect(tear.path == scratch.leaves && copy == scratch.leaves + ".torn")
            let kept = [UInt8](try Data(contentsOf: URL(fileURLWithPath: copy)))
            #expect(kept.count == tear.octets && kept == Array(whole[tear.offset...].dropLast(cut)))
            var status = stat()
            #expect(stat(copy, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
        #expect(try await Self.opened(scratch).tear == nil)
        // Where it cannot be kept the start goes on.
        unlink(scratch.leaves + ".torn")
        mkdir(scratch.leaves + ".torn", 0o700)
        try scratch.write(whole.dropLast(3))
        let tear = try await Self.opened(scratch).tear
        #expect(tear?.copy == nil && tear?.octets ?? 0 > 0)
    }

    @Test func `a last step of which a part never reached the disk is cut`() async throws {
        let scratch = try ScratchDirectory()
        let records = try await Self.written(in: scratch)
        var bytes = try scratch.bytes()
        for index in (bytes.count - 300)..<(bytes.count - 200) { bytes[index] = 0 }
        try scratch.write(bytes)
        let journal = try await Self.opened(scratch)
        #expect(try await Self.replayed(journal) == Array(records[..<3]))
    }

    @Test func `any changed bit before the last step refuses to start, and names the file`() async throws {
        let scratch = try ScratchDirectory()
        _ = try await Self.written(in: scratch)
        let whole = try scratch.bytes()
        let last = try #require(whole.indices.last { whole[$0...].starts(with: Array("SGJF".utf8)) })
        for index in stride(from: 0, to: last, by: 11) {
            var bytes = whole
            bytes[index] ^= 0x10
            try scratch.write(bytes)
            let failure = await #expect(throws: JournalFailure.self) { try await Self.opened(scratch) }
            #expect(failure?.description.contains(scratch.leaves) == true, "octet \(index)")
            #expect(try scratch.bytes() == bytes, "nothing is lost by the refusal")
        }
    }

    @Test func `a step that is missing, and a file that is none, refuse to start`() async throws {
        let scratch = try ScratchDirectory()
        _ = try await Self.written(in: scratch)
        let whole = try scratch.bytes()
        let starts = whole.indices.filter { whole[$0...].starts(with: Array("SGJF".utf8)) }
        try scratch.write(Array(whole[..<starts[1]] + whole[starts[2]...]))
        await #expect(throws: JournalFailure.self) { try await Self.opened(scratch) }
        for text in ["hello", String(repeating: "hello ", count: 20)] {
            try scratch.write(Array(text.utf8))
            await #expect(throws: JournalFailure.self) { try await Self.opened(scratch) }
        }
    }

    @Test func `two never share one, and the next has it when the first has gone`() async throws {
        let scratch = try ScratchDirectory()
        var first: IssueJournal? = try IssueJournal(directory: scratch.journal)
        #expect(throws: JournalFailure.locked(path: scratch.journal)) { try IssueJournal(directory: scratch.journal) }
        try await first?.remember { $0.replicas = ["r1"] }
        first = nil
        let next = try await Self.opened(scratch)
        #expect(next.remembered.replicas == ["r1"])
    }

    @Test func `a disk that hangs holds nobody up, and what it took too late is not in the journal`() async throws {
        let scratch = try ScratchDirectory()
        let disk = SlowDisk()
        do {
            let journal = try IssueJournal(directory: scratch.journal, patience: .milliseconds(50)) { disk.sync($0) }
            defer { disk.setHanging(false) }
            try await journal.append([Self.record(1)])
            disk.setHanging(true)
            // The first hangs in its sync, and the second would behind it.
            for number in 2..<4 {
                let failure = await #expect(throws: JournalFailure.self) { try await journal.append([Self.record(number)]) }
                #expect(failure?.description.contains("has not answered") == true)
            }
            await #expect(throws: JournalFailure.self) { try await journal.remember({ $0.replicas = ["r1"] }) }
            disk.setHanging(false)
            try await eventually(within: .seconds(10), "the disk answers", every: .milliseconds(1)) {
                try await journal.append([Self.record(4)])
                return true
            }
            #expect(journal.count == 2)
        }
        let next = try await Self.opened(scratch)
        #expect(try await Self.replayed(next) == [Self.record(1), Self.record(4)])
    }

    @Test func `a file that is removed too late is told of by the next replay`() async throws {
        let scratch = try ScratchDirectory()
        let disk = SlowDisk()
        let journal = try IssueJournal(directory: scratch.journal, patience: .milliseconds(50)) { disk.sync($0) }
        defer { disk.setHanging(false) }
        try await journal.append([Self.record(1), Self.record(2)])
        disk.setHanging(true)
        var taken = 0
        await #expect(throws: JournalFailure.self) {
            _ = try await journal.replay { records throws(LedgerFailure) in taken += records.count }
        }
        #expect(taken == 2)
        disk.setHanging(false)
        let count = try await eventually(within: .seconds(10), "the disk answers", every: .milliseconds(1)) { () -> Int? in
            try await journal.replay { _ throws(LedgerFailure) in }
        }
        #expect(count == 2 && journal.count == 0)
    }

    @Test func `a directory that cannot be synced takes no file, and leaves none`() async throws {
        let scratch = try ScratchDirectory()
        let disk = SlowDisk()
        disk.setFailingDirectories(true)
        #expect(throws: JournalFailure.self) { try IssueJournal(directory: scratch.journal, sync: { disk.sync($0) }) }
        let journal = try IssueJournal(directory: scratch.journal) { disk.sync($0) }
        await #expect(throws: JournalFailure.self) { try await journal.append([Self.record(1)]) }
        #expect(access(scratch.leaves, F_OK) != 0 && journal.count == 0)
        await #expect(throws: JournalFailure.self) { try await journal.remember({ $0.replicas = ["r1"] }) }
        #expect(journal.remembered.replicas.isEmpty)
        disk.setFailingDirectories(false)
        try await journal.append([Self.record(2)])
        #expect(try await Self.replayed(journal) == [Self.record(2)])
    }

    @Test func `a step that could not be read again is refused before it is written`() async throws {
        let scratch = try ScratchDirectory()
        let journal = try IssueJournal(directory: scratch.journal)
        try await journal.append([Self.record(1)])
        let size = try scratch.bytes().count
        var long = try Self.record(2)
        long.origin?.node = String(repeating: "n", count: 17 << 20)
        await #expect(throws: JournalFailure.self) { try await journal.append([long]) }
        #expect(try scratch.bytes().count == size)
        #expect(try await Self.replayed(journal) == [Self.record(1)])
    }

    @Test func `a full disk takes nothing, and when there is room again it goes on where it was`() async throws {
        try await SmallDisk.mounted { disk in
            let journal = try IssueJournal(directory: disk.path + "/journal")
            var records: [CertificateRecord] = []
            try disk.fill()
            await #expect(throws: JournalFailure.self) { try await journal.append([Self.record(0)]) }
            disk.empty()
            records = try (0..<3).map { try Self.record($0) }
            try await journal.append(records)
            try disk.fill()
            let more = try (200..<500).map { try Self.record($0) }
            await #expect(throws: JournalFailure.self) { try await journal.append(more) }
            #expect(journal.count == 3)
            disk.empty()
            try await journal.append([Self.record(60)])
            #expect(try await Self.replayed(journal) == records + [Self.record(60)])
        }
    }
}
