/// The messages that are not whole yet, over all connections of one door and event loop.
///
/// Each connection has a bound of its own, but there are thousands, and nobody has shown a credential before a first message is
/// whole. When there is no more room, the calls go whose messages began first: an honest one is whole within moments. Bound to
/// its event loop.
final class PartialMessages {
    private struct Entry {
        weak var call: Call?
        let mark: Int

        /// Whether that message, or one that followed it without a gap, is still not whole.
        var isValid: Bool { call?.partialMark == mark }
    }

    private let limit: Int
    private var held = 0
    /// In the order in which they began; those before `head`, and those that are not valid, are over.
    private var entries: [Entry] = []
    private var head = 0
    /// Calls that hold something.
    private var holders = 0
    private var marks = 0

    /// `limit` is in octets.
    init(limit: Int) {
        self.limit = limit
    }

    /// A call that held `before` octets holds `now`.
    func changed(_ call: Call, from before: Int, to now: Int) {
        held += now - before
        switch (before, now) {
        case (0, 1...):
            holders += 1
            marks += 1
            call.partialMark = marks
            if entries.count > 2 * holders + 64 {
                entries = entries.dropFirst(head).filter(\.isValid)
                head = 0
            }
            entries.append(Entry(call: call, mark: marks))
        case (1..., 0):
            holders -= 1
            call.partialMark = nil
        default: break
        }
    }

    /// Ends the oldest as long as there is too much.
    func makeRoom() {
        while held > limit, let oldest = removeOldest() { oldest.tookTooLong() }
    }

    private func removeOldest() -> Call? {
        while head < entries.count {
            let entry = entries[head]
            head += 1
            if entry.isValid { return entry.call }
        }
        return nil
    }
}
