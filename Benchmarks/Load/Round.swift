/// One round of connecting: of all proxies, or of those that are to be seeded, or of those that were lost.
///
/// One goes ahead, and again until it is served, so that the service is known to be there; then the clock starts, and the others
/// follow, `width` at a time.
struct Round {
    private enum Stage {
        case waiting, connecting, connected, served
    }

    let purpose: LoadPlan.Purpose
    private let width: Int
    private var stages: [Stage]
    /// Those that wait, the next one last.
    private var waiting: [Int]
    /// Those who were there already, and those who came.
    private var stayed: Int
    private(set) var came = 0
    private var connecting = 0
    private var connected = 0
    private var startedAt: ContinuousClock.Instant?
    private var connectedAt: ContinuousClock.Instant?
    private var newIdentities = 0
    private var retries = 0
    /// After a failure nobody goes until the pause is over.
    private var isPaused = false

    /// `isThere` says of each proxy whether it is connected already.
    init(_ purpose: LoadPlan.Purpose, isThere: [Bool], width: Int) {
        self.purpose = purpose
        self.width = width
        stages = isThere.map { $0 ? .served : .waiting }
        waiting = isThere.indices.filter { !isThere[$0] }.reversed()
        stayed = stages.count - waiting.count
    }

    var served: Int { stayed + came }
    var isOver: Bool { served == stages.count }

    /// Who goes next; nil while nobody may.
    mutating func next() -> Int? {
        let most = startedAt == nil ? 1 : width
        guard !isPaused, connecting + connected < most, let number = waiting.popLast() else { return nil }
        stages[number] = .connecting
        connecting += 1
        return number
    }

    /// The proxy's TLS and HTTP/2 stand; true for the last of all.
    mutating func connected(_ number: Int, at now: ContinuousClock.Instant) -> Bool {
        guard stages[number] == .connecting else { return false }
        stages[number] = .connected
        connecting -= 1
        connected += 1
        guard connecting == 0, waiting.isEmpty else { return false }
        connectedAt = now
        return true
    }

    mutating func served(_ number: Int, at now: ContinuousClock.Instant) {
        guard stages[number] == .connected else { return }
        stages[number] = .served
        connected -= 1
        came += 1
        startedAt = startedAt ?? now
    }

    mutating func renewed() { newIdentities += 1 }

    /// The proxy has to come again; false where it had what it came for.
    mutating func lost(_ number: Int) -> Bool {
        switch stages[number] {
        case .waiting: return false
        case .connecting: connecting -= 1
        case .connected: connected -= 1
        // A service closes connections on which nobody asks for anything.
        case .served where purpose == .handshakes: return false
        case .served: if startedAt == nil { stayed -= 1 } else { came -= 1 }
        }
        if startedAt != nil, stages[number] != .served { retries += 1 }
        stages[number] = .waiting
        waiting.insert(number, at: 0)
        connectedAt = nil
        isPaused = true
        // Nobody is left who came: the service that they came to is gone, and its successor is waited for.
        if came <= 0 {
            (stayed, came) = (stayed + came, 0)
            startedAt = nil
            retries = 0
        }
        return true
    }

    mutating func resume() { isPaused = false }

    /// What came of it until `now`; `name` is what it is told as.
    func event(_ name: LoadEvent.Name, at now: ContinuousClock.Instant) -> LoadEvent {
        func seconds(_ end: ContinuousClock.Instant) -> Double { startedAt.map { (end - $0) / .seconds(1) } ?? 0 }
        return LoadEvent(
            event: name, count: came + connected, seconds: seconds(now), connectedSeconds: connectedAt.map(seconds),
            newIdentities: newIdentities, retries: retries)
    }
}
