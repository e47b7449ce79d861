/// How a replica is with its ledger, and what it may do meanwhile: a value without I/O, driven by what happened.
///
/// Time is steady: it grows by itself, whatever anybody does to the clock. The laws, which the tests hold against every trace:
/// 1. While nothing hinders, certificates are recorded in the ledger alone.
/// 2. Without the ledger, or before the journal has been replayed into it, a leaf goes into the journal, and only within the
///    permit that the ledger last confirmed.
/// 3. Nothing else is written while the journal holds something, or the ledger is in doubt.
/// 4. A doubt ends with a later epoch, or with the ledger that was seen; never by itself. After a lower revision that is the line of
///    history on which the higher one was seen, as long as it was found behind on others alone: a revision by itself grows by
///    whatever is written, and proves nothing.
/// 5. Once a ledger may have lost this replica's row, nothing is done without it until it has been told anew.
package struct LedgerContact: Sendable {
    /// Where a record goes.
    package enum Path: Hashable, Sendable {
        /// Into the ledger, once the journal has been replayed; that is under way.
        case afterReplay
        case journal
        case ledger
        case nowhere(OutageRefusal)
    }

    /// Whether there is a journal; without one an outage ends the issuing.
    package let hasJournal: Bool
    /// The highest position that was taken from the ledger; nil: none yet.
    package private(set) var position: LedgerPosition?
    package private(set) var doubt: LedgerDoubt?
    /// On which line of history `position` was seen; nil: nobody said.
    private var origin: Int64?
    /// What was seen of the ledger before it was found without it; nil: it never was. Its origin is where it is believed again; nil:
    /// nowhere, since that line is not known, or was found behind itself.
    private var lost: (seen: LedgerPosition, origin: Int64?)?
    /// Since when the ledger does not answer; nil: it does.
    package private(set) var awaySince: Duration?
    /// Certificates in the journal that are not known to be in the ledger.
    package private(set) var journaled = 0
    /// Which line of history the server wrote that answered last; nil: none has said.
    private var timeline: Int64?
    /// What the ledger has of this replica, and from when on it counts; nil: nothing.
    private var told: (permit: OfflinePermit, since: Duration)?
    /// Grows whenever the ledger may know nothing of this replica any more, nor have what it recorded last: what was told before
    /// counts no longer.
    package private(set) var beginning = 0
    /// As `beginning`, and not raised by what was recorded across one: two who record all the time would each find the other's.
    package private(set) var era = 0

    package init(hasJournal: Bool, position: LedgerPosition? = nil, journaled: Int = 0) {
        self.hasJournal = hasJournal
        self.position = position
        self.journaled = journaled
    }

    // MARK: - What happened

    /// The ledger answered: it is at `found`. `known` was the position when it was asked: what was taken from it meanwhile may be
    /// newer. Whoever answered writes the line of history `timeline`; nil: it does not say. Gives the doubt that begins with it; nil
    /// where there is none, or was one already.
    package mutating func answered(
        _ found: LedgerPosition, known: LedgerPosition?, timeline: Int64? = nil
    ) -> LedgerDoubt? {
        awaySince = nil
        var next = known.flatMap { $0.doubt(about: found) }
        if case .lostTransactions(let seen, _) = next {
            loses(seen, on: timeline)
        } else if next == nil, let lost, lost.seen.ledger == found.ledger {
            let isBack = timeline != nil && timeline == lost.origin && found.revision >= lost.seen.revision
            if found.epoch > lost.seen.epoch || isBack {
                self.lost = nil
            } else if let timeline, let origin = lost.origin, timeline < origin {
                next = .earlierTimeline(seen: lost.seen, found: found)
            } else {
                next = .lostTransactions(seen: lost.seen, found: found)
            }
        } else if next == nil, let position, let timeline, let last = self.timeline, timeline < last,
            (position.ledger, position.epoch) == (found.ledger, found.epoch)
        {
            // Timelines only grow: whoever took over since may have taken what this one never had, certificates above all.
            loses(position, on: timeline)
            next = .earlierTimeline(seen: position, found: found)
        }
        let isConfirmed = position.map { $0.epoch < found.epoch } ?? false
        // What it lost may be this replica's row.
        if next == nil, doubt != nil || isConfirmed { begin() }
        defer { doubt = next }
        if next == nil {
            if position.map({ ($0.epoch, $0.revision) < (found.epoch, found.revision) }) ?? true {
                (position, origin) = (found, timeline)
            } else if position == found, let timeline {
                origin = timeline
            }
        }
        return doubt == nil ? next : nil
    }

    /// The ledger was found behind what was seen, by a server that writes this line of history.
    private mutating func loses(_ seen: LedgerPosition, on timeline: Int64?) {
        // What was asked before newer news is behind that too.
        var (seen, origin) = lost ?? (seen, origin)
        if let position, (position.ledger, position.epoch) == (seen.ledger, seen.epoch), position.revision > seen.revision {
            seen = position
        }
        // A disk that was set back, or a server that does not say which one it is.
        if timeline == nil || timeline == origin { origin = nil }
        lost = (seen, origin)
    }

    /// The server that answered, as was said before, writes this line of history; nil: it does not say.
    ///
    /// Another one took over from the one before, and may lack whatever has no revision: certificates, and this replica's row. Where
    /// the ledger is in doubt as well, all begins anew when the doubt ends.
    package mutating func follows(timeline found: Int64?) {
        guard let found else { return }
        if doubt == nil, let timeline, timeline != found { begin() }
        timeline = found
    }

    /// Something was recorded while all began anew: whether the ledger has it nobody knows.
    package mutating func beginAgain() {
        told = nil
        beginning += 1
    }

    /// The ledger answered something that tells nothing of its position.
    package mutating func answered() { awaySince = nil }

    /// True where it answered before: this begins an outage.
    package mutating func failed(at now: Duration) -> Bool {
        guard awaySince == nil else { return false }
        awaySince = now
        return true
    }

    /// The ledger is about to be told another permit: until it has confirmed it, it may have either.
    package mutating func willTell(_ permit: OfflinePermit) {
        guard let told else { return }
        let least = OfflinePermit(
            signing: min(told.permit.signing, permit.signing), reach: min(told.permit.reach, permit.reach))
        self.told = (least, told.since)
    }

    /// The ledger has this permit of the replica, which counts from before it was told.
    ///
    /// Told with every sign of life, so that a row which was lost is whole again with the next one.
    package mutating func confirmed(_ permit: OfflinePermit, sentAt: Duration) {
        told = (permit, max(told?.since ?? sentAt, sentAt))
    }

    private mutating func begin() {
        beginAgain()
        era += 1
    }

    package mutating func journaled(_ count: Int) { journaled += count }

    /// So many of them are in the ledger now, or were never made.
    package mutating func replayed(_ count: Int) { journaled -= count }

    /// An operator confirmed the ledger as it is now.
    package mutating func adopted(_ found: LedgerPosition) {
        (position, origin, timeline) = (found, nil, nil)
        doubt = nil
        lost = nil
        begin()
    }

    // MARK: - What follows

    /// Where the record of a leaf goes that lives so long from now on.
    package func path(ofLeafLiving life: Duration, at now: Duration) -> Path {
        if awaySince == nil, doubt == nil { return journaled == 0 ? .ledger : .afterReplay }
        // Without a journal only the ledger itself can tell that it is back.
        if doubt == nil, !hasJournal { return .ledger }
        return pathWithoutLedger(ofLeafLiving: life, at: now)
    }

    /// As `path`, where the ledger has just failed to take it.
    package func pathWithoutLedger(ofLeafLiving life: Duration, at now: Duration) -> Path {
        guard hasJournal else { return .nowhere(.noJournal) }
        guard let told else { return .nowhere(.noPermit) }
        let window = min(OfflinePermit.window(ofLeafLiving: life), told.permit.signing)
        guard now < told.since + window, now + life <= told.since + told.permit.reach else {
            return .nowhere(.windowOver(after: window))
        }
        return .journal
    }

    /// What the ledger has of this replica; nil: nothing.
    package var permit: OfflinePermit? { told?.permit }

    /// Whether anything but a leaf may be written.
    package var mayWrite: Bool { doubt == nil && journaled == 0 }

    /// Why the replica should be asked nothing that can be asked of another; nil: it is ready.
    package func obstacle(at now: Duration) -> String? {
        if let doubt {
            // What to do about another one stands in the doubt itself.
            if case .anotherLedger = doubt { return "\(doubt)" }
            return "\(doubt): look, then 'signet ledger confirm'"
        }
        if let awaySince {
            let seconds = (now - awaySince).components.seconds
            return "the database has not answered for \(seconds) s"
                + (hasJournal ? "; certificates go into the journal, which holds \(journaled)" : "")
        }
        return journaled == 0 ? nil : "the journal's \(journaled) certificates are being written to the database"
    }
}
