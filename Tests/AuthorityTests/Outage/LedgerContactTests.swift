import Authority
import PKI
import Testing

/// What a replica may do without its ledger, as traces of what happened.
@Suite struct LedgerContactTests {
    private static let day = Duration.seconds(86_400)
    private static let permit = OfflinePermit(leafLifetimes: [day, .seconds(60)])

    private static func position(_ revision: Int64, epoch: Int64 = 1, ledger: String = "a") -> LedgerPosition {
        LedgerPosition(ledger: ledger, epoch: epoch, revision: revision)
    }

    /// Heard by the ledger at second 0.
    private static func connected() -> LedgerContact {
        var contact = LedgerContact(hasJournal: true)
        _ = contact.answered(position(5), known: nil)
        contact.confirmed(permit, sentAt: .zero)
        return contact
    }

    @Test func `a server from which another one took over is in doubt at the same revision too, until that one is back`() {
        var contact = LedgerContact(hasJournal: true)
        func look(_ revision: Int64, timeline: Int64, epoch: Int64 = 1) -> LedgerDoubt? {
            let found = LedgerPosition(ledger: "one", epoch: epoch, revision: revision)
            let began = contact.answered(found, known: contact.position, timeline: timeline)
            contact.follows(timeline: timeline)
            return began
        }
        #expect(look(5, timeline: 1) == nil)
        #expect(look(5, timeline: 2) == nil && contact.mayWrite)
        #expect(look(5, timeline: 1)?.reason == "earlier-timeline" && !contact.mayWrite)
        // Whatever is written to it since.
        #expect(look(9, timeline: 1) == nil && contact.doubt?.reason == "earlier-timeline")
        let beginning = contact.beginning
        #expect(look(5, timeline: 2) == nil && contact.mayWrite)
        #expect(contact.beginning > beginning)
        // An operator may take it for right all the same: here, and by a replica that follows.
        #expect(look(5, timeline: 1)?.reason == "earlier-timeline")
        contact.adopted(LedgerPosition(ledger: "one", epoch: 2, revision: 10))
        #expect(look(10, timeline: 1, epoch: 2) == nil && contact.mayWrite)
        #expect(look(10, timeline: 2, epoch: 2) == nil && contact.mayWrite)
        #expect(look(11, timeline: 1, epoch: 3) == nil && contact.mayWrite)
    }

    @Test func `while the ledger answers, everything goes into it alone`() {
        let contact = Self.connected()
        #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(100_000)) == .ledger)
        #expect(contact.mayWrite && contact.obstacle(at: .zero) == nil)
    }

    @Test func `without it a leaf goes into the journal for half of its life, and an hour at most`() {
        var contact = Self.connected()
        let begins = [contact.failed(at: .seconds(3)), contact.failed(at: .seconds(4))]
        #expect(begins == [true, false])
        #expect(contact.path(ofLeafLiving: .seconds(60), at: .seconds(29)) == .journal)
        #expect(contact.path(ofLeafLiving: .seconds(60), at: .seconds(30)) == .nowhere(.windowOver(after: .seconds(30))))
        #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(3599)) == .journal)
        #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(3600)) == .nowhere(.windowOver(after: .seconds(3600))))
        // The window counts from when the ledger heard of it last, not from when it failed.
        contact.confirmed(Self.permit, sentAt: .seconds(2))
        _ = contact.failed(at: .seconds(50))
        #expect(contact.path(ofLeafLiving: .seconds(60), at: .seconds(32)) == .nowhere(.windowOver(after: .seconds(30))))
    }

    @Test func `without a journal, or a permit that the ledger confirmed, nothing is issued without it`() {
        var contact = LedgerContact(hasJournal: false)
        contact.confirmed(Self.permit, sentAt: .zero)
        _ = contact.failed(at: .seconds(1))
        #expect(contact.pathWithoutLedger(ofLeafLiving: Self.day, at: .seconds(2)) == .nowhere(.noJournal))
        contact = LedgerContact(hasJournal: true)
        _ = contact.failed(at: .seconds(1))
        #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(2)) == .nowhere(.noPermit))
        // One that outlives what the ledger was told is none of the permit's.
        contact.confirmed(OfflinePermit(leafLifetimes: [.seconds(60)]), sentAt: .zero)
        #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(2)) != .journal)
    }

    @Test func `once it is back the journal is replayed before anything else is written`() {
        var contact = Self.connected()
        _ = contact.failed(at: .seconds(1))
        contact.journaled(3)
        #expect(!contact.mayWrite)
        let doubt = contact.answered(Self.position(5), known: contact.position)
        #expect(doubt == nil)
        #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(2)) == .afterReplay)
        #expect(!contact.mayWrite && contact.obstacle(at: .seconds(2)) != nil)
        contact.replayed(3)
        #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(2)) == .ledger && contact.mayWrite)
    }

    @Test func `a ledger with a lower revision, an earlier epoch or another id is in doubt until it is confirmed`() {
        let doubts = [Self.position(4), Self.position(9, epoch: 0), Self.position(9, ledger: "b")].map { found in
            var contact = Self.connected()
            let doubt = contact.answered(found, known: contact.position)
            // It is said once, nothing is written, and leaves go on for as long as the permit holds.
            let again = contact.answered(found, known: contact.position)
            #expect(again == nil && doubt != nil && contact.doubt == doubt)
            #expect(!contact.mayWrite && contact.position == Self.position(5))
            #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(9)) == .journal)
            // The one that was seen comes back: nothing was lost. Of one that was behind nobody knows that it is the one.
            var returned = contact
            _ = returned.answered(Self.position(5), known: returned.position)
            #expect(returned.mayWrite == (doubt?.reason != "lost-transactions"))
            // A later epoch is an operator's word, given elsewhere.
            if found.ledger == "a" {
                var confirmed = contact
                _ = confirmed.answered(Self.position(2, epoch: 2), known: confirmed.position)
                #expect(confirmed.mayWrite && confirmed.position == Self.position(2, epoch: 2))
            }
            contact.adopted(found)
            #expect(contact.mayWrite && contact.position == found)
            return doubt?.reason
        }
        #expect(doubts == ["lost-transactions", "earlier-epoch", "another-ledger"])
    }

    @Test func `whatever is written to a ledger that lost transactions, its doubt ends with a later epoch alone`() {
        var contact = Self.connected()
        _ = contact.answered(Self.position(4), known: contact.position)
        for found in [
            Self.position(5), Self.position(9), Self.position(9, ledger: "b"), Self.position(9, epoch: 0), Self.position(99),
        ] {
            let news = contact.answered(found, known: contact.position)
            #expect(news == nil && contact.doubt?.found == found && !contact.mayWrite && contact.position == Self.position(5))
        }
        #expect(contact.doubt?.reason == "lost-transactions" && contact.doubt?.seen == Self.position(5))
        var adopted = contact
        adopted.adopted(Self.position(1_000_100, epoch: 2))
        _ = contact.answered(Self.position(1_000_100, epoch: 2), known: contact.position)
        for var end in [contact, adopted] {
            #expect(end.doubt == nil && end.mayWrite)
            // What was asked before, and answered late, is followed by what holds now.
            _ = end.answered(Self.position(4), known: Self.position(5))
            _ = end.answered(Self.position(1_000_101, epoch: 2), known: end.position)
            #expect(end.doubt == nil && end.position == Self.position(1_000_101, epoch: 2))
        }
    }

    /// Seen at revision 5 on line 2, where 1 was before.
    private static func onLine2() -> LedgerContact {
        var contact = LedgerContact(hasJournal: true)
        _ = contact.answered(position(4), known: nil, timeline: 1)
        contact.follows(timeline: 1)
        _ = contact.answered(position(5), known: contact.position, timeline: 2)
        contact.follows(timeline: 2)
        return contact
    }

    @Test func `one read from an old primary is a doubt until the server answers again that has what was seen`() {
        var contact = Self.onLine2()
        let (known, beginning) = (contact.position, contact.beginning)
        let doubt = contact.answered(Self.position(4), known: known, timeline: 1)
        #expect(doubt?.reason == "lost-transactions" && !contact.mayWrite)
        // The old one, which grows by what others write to it, a third, and one that does not say which it is.
        for timeline in [1, 3, nil] as [Int64?] {
            _ = contact.answered(Self.position(9), known: known, timeline: timeline)
            #expect(contact.doubt != nil)
        }
        _ = contact.answered(Self.position(4), known: Self.position(4), timeline: 2)
        #expect(contact.doubt != nil)
        _ = contact.answered(Self.position(5), known: known, timeline: 2)
        #expect(contact.doubt == nil && contact.mayWrite && contact.position == known && contact.beginning > beginning)
        // And again, with what was seen since.
        _ = contact.answered(Self.position(7), known: known, timeline: 2)
        _ = contact.answered(Self.position(4), known: contact.position, timeline: 1)
        _ = contact.answered(Self.position(6), known: Self.position(5), timeline: 2)
        #expect(contact.doubt?.seen == Self.position(7))
        _ = contact.answered(Self.position(8), known: contact.position, timeline: 2)
        #expect(contact.doubt == nil && contact.position == Self.position(8))
    }

    @Test func `a server that was found behind what it had itself is not believed, whatever other one was behind as well`() {
        for found in [[2], [1, 2], [2, 1], [nil], [1, nil], [nil, 1]] as [[Int64?]] {
            var contact = Self.onLine2()
            let known = contact.position
            for timeline in found { _ = contact.answered(Self.position(4), known: known, timeline: timeline) }
            for timeline in [2, 1, 3, nil, 2] as [Int64?] {
                _ = contact.answered(Self.position(9), known: known, timeline: timeline)
                #expect(contact.doubt?.reason == "lost-transactions", "\(found)")
            }
        }
        // What an earlier process saw is of no line that is known.
        var restarted = LedgerContact(hasJournal: true, position: Self.position(5))
        _ = restarted.answered(Self.position(4), known: restarted.position, timeline: 1)
        _ = restarted.answered(Self.position(5), known: restarted.position, timeline: 2)
        #expect(restarted.doubt != nil)
    }

    @Test func `what is recorded across a beginning makes another beginning, and no other era`() {
        var contact = Self.connected()
        let (beginning, era) = (contact.beginning, contact.era)
        contact.beginAgain()
        #expect(contact.beginning == beginning + 1 && contact.era == era && contact.permit == nil)
        contact.adopted(Self.position(9))
        #expect(contact.beginning == beginning + 2 && contact.era == era + 1)
        contact.follows(timeline: 1)
        contact.follows(timeline: 2)
        #expect(contact.beginning == beginning + 3 && contact.era == era + 2)
    }

    @Test func `only a doubt that an operator's word can end asks for it`() throws {
        for (found, isAsked) in [
            (Self.position(4), true), (Self.position(9, epoch: 0), true), (Self.position(9, ledger: "b"), false),
        ] {
            var contact = Self.connected()
            _ = contact.answered(found, known: contact.position)
            let obstacle = try #require(contact.obstacle(at: .zero))
            #expect(obstacle.contains("ledger confirm") == isAsked)
        }
    }

    @Test func `another server on the same ledger makes all begin anew, and one in doubt does so when the doubt ends`() {
        var contact = Self.connected()
        let before = contact.beginning
        for timeline in [nil, 3, nil, 3] as [Int64?] { contact.follows(timeline: timeline) }
        #expect(contact.beginning == before && contact.permit != nil)
        contact.follows(timeline: 4)
        #expect(contact.beginning == before + 1 && contact.permit == nil)
        _ = contact.answered(Self.position(4), known: contact.position)
        #expect(contact.doubt != nil)
        contact.follows(timeline: 5)
        #expect(contact.beginning == before + 1)
        _ = contact.answered(Self.position(2, epoch: 2), known: contact.position)
        contact.follows(timeline: 5)
        #expect(contact.doubt == nil && contact.beginning == before + 2)
    }

    @Test func `an answer to a question that was asked before newer news is no lost transaction`() {
        var contact = Self.connected()
        let known = contact.position
        _ = contact.answered(Self.position(8), known: known)
        let doubt = contact.answered(Self.position(6), known: known)
        #expect(doubt == nil && contact.mayWrite && contact.position == Self.position(8))
    }

    /// The ledger's side is kept beside it: what it heard, and when by the true time. Whatever gets lost on either way, no leaf goes
    /// into the journal that whoever waits by the ledger's row would not wait for.
    @Test(arguments: 0..<200) func `whatever is lost on the way, nothing is signed beyond what the ledger knows of`(seed: Int) {
        var random = Numbers(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1)
        var contact = LedgerContact(hasJournal: true)
        _ = contact.answered(Self.position(1), known: nil)
        var now = Duration.zero
        /// What the row says, and when it was last written.
        var row: (permit: OfflinePermit, seenAt: Duration)?
        /// Whether the row was lost and nobody could tell; until the next sign of life.
        var isLostUnseen = false
        var epoch: Int64 = 1
        var permit = OfflinePermit.none
        let lives: [Duration] = [.seconds(20), .seconds(60), .seconds(7200), Self.day]
        for _ in 0..<300 {
            let sentAt = now
            now += .milliseconds(Int64(random.next() % 20_000))
            let arrives = random.next() % 4 != 0
            let isAnswered = arrives && random.next() % 4 != 0
            switch random.next() % 12 {
            case 0...5:
                // Told with every sign of life, changed or not.
                if random.next() % 2 == 0 { permit = OfflinePermit(leafLifetimes: lives.filter { _ in random.next() % 2 == 0 }) }
                contact.willTell(permit)
                if arrives { (row, isLostUnseen) = ((permit, now), false) }
                if isAnswered { contact.confirmed(permit, sentAt: sentAt) } else { _ = contact.failed(at: now) }
            case 6, 7: _ = contact.failed(at: now)
            // The row is lost: with transactions, which makes a doubt or a new epoch, or alone.
            case 8:
                row = nil
                switch random.next() % 4 {
                case 0: isLostUnseen = true
                case 1:
                    epoch += 1
                    _ = contact.answered(Self.position(1, epoch: epoch), known: contact.position)
                case 2:
                    _ = contact.answered(Self.position(9, ledger: "b"), known: Self.position(9))
                    contact.adopted(Self.position(9, epoch: epoch))
                default:
                    _ = contact.answered(Self.position(0, epoch: 0), known: Self.position(9))
                    _ = contact.answered(Self.position(9, epoch: epoch), known: Self.position(9))
                }
            default:
                let life = lives[Int(random.next() % 4)]
                guard contact.pathWithoutLedger(ofLeafLiving: life, at: now) == .journal, !isLostUnseen else { continue }
                guard let row else {
                    Issue.record("a leaf without a permit")
                    return
                }
                #expect(now < row.seenAt + row.permit.signing && now + life <= row.seenAt + row.permit.reach)
            }
        }
    }

    @Test func `what was told before a ledger was confirmed, or a doubt ended, counts no longer`() {
        for end in 0..<3 {
            var contact = Self.connected()
            let beginning = contact.beginning
            switch end {
            case 0: _ = contact.answered(Self.position(2, epoch: 2), known: contact.position)
            case 1:
                _ = contact.answered(Self.position(4, epoch: 0), known: contact.position)
                #expect(contact.beginning == beginning)
                _ = contact.answered(Self.position(5), known: contact.position)
            default: contact.adopted(Self.position(3, ledger: "b"))
            }
            #expect(contact.beginning == beginning + 1 && contact.permit == nil)
            _ = contact.failed(at: .seconds(1))
            #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(2)) == .nowhere(.noPermit))
        }
    }

    @Test func `traces of the kind above do sign without the ledger`() {
        var contact = LedgerContact(hasJournal: true)
        contact.confirmed(Self.permit, sentAt: .zero)
        contact.willTell(OfflinePermit(leafLifetimes: [.seconds(60)]))
        _ = contact.failed(at: .seconds(1))
        #expect(contact.path(ofLeafLiving: .seconds(60), at: .seconds(2)) == .journal)
        #expect(contact.path(ofLeafLiving: Self.day, at: .seconds(2)) != .journal)
    }
}

/// The same numbers in each run.
private struct Numbers {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state >> 11
    }
}
