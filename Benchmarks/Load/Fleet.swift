import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// All proxies: connects them round by round, and knows who is connected.
final class Fleet: Sendable {
    /// One attempt of one proxy: what an earlier one has to say is of no interest any more.
    struct Attempt: Sendable, Hashable {
        let proxy: Int
        fileprivate let serial: Int
    }

    private struct Contents {
        var round: Round?
        var over: CheckedContinuation<LoadEvent, Never>?
        var serials: [Int]
        var channels: [(any Channel)?]
        /// When no round is under way.
        var served = 0
        var lost = 0
    }

    let plan: LoadPlan
    let tally: Tally
    let identities: IdentityShelf
    /// An element when connected proxies were lost and no round is under way that brings them back.
    let losses: AsyncStream<Void>

    private let proxies: [SimulatedProxy]
    private let loops: [any EventLoop]
    private let announce: @Sendable (LoadEvent) -> Void
    private let lossSignal: AsyncStream<Void>.Continuation
    private let contents: Mutex<Contents>
    /// How long nobody connects after an attempt failed: a service that starts is found soon, and not stormed meanwhile.
    private static let pause = TimeAmount.milliseconds(20)

    init(
        plan: LoadPlan, identities: IdentityShelf, group: MultiThreadedEventLoopGroup,
        announce: @escaping @Sendable (LoadEvent) -> Void
    ) {
        self.plan = plan
        self.identities = identities
        self.announce = announce
        tally = Tally(proxies: plan.proxies, announce: announce)
        loops = group.makeIterator().map { $0 }
        proxies = (0..<plan.proxies).map { SimulatedProxy(number: $0, node: "\(plan.prefix)-\($0)", streams: plan.streams.count) }
        (losses, lossSignal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        contents = Mutex(
            Contents(serials: Array(repeating: 0, count: plan.proxies), channels: Array(repeating: nil, count: plan.proxies)))
    }

    /// Whether proxies were lost that were not cut off.
    var hasLosses: Bool { contents.withLock { $0.lost > 0 } }

    /// How many proxies are served.
    var servedCount: Int { contents.withLock { $0.round?.served ?? $0.served } }

    /// Connects the first `count` proxies where they are not connected, and returns when the last is served.
    func go(_ purpose: LoadPlan.Purpose, count: Int) async throws -> LoadEvent {
        if purpose != .seeding { try identities.prepare() }
        return await withCheckedContinuation { continuation in
            let isOver = contents.withLock { contents in
                let round = Round(purpose, isThere: contents.channels.prefix(count).map { $0 != nil }, width: plan.width)
                contents.round = round
                contents.over = continuation
                contents.lost = 0
                return round.isOver
            }
            isOver ? end() : fill()
        }
    }

    /// Cuts every connection, as a network would; for between two rounds.
    func cut() {
        let channels = contents.withLock { contents in
            let open = contents.channels
            for number in open.indices where open[number] != nil {
                contents.serials[number] += 1
                contents.channels[number] = nil
            }
            contents.served = 0
            contents.lost = 0
            return open
        }
        for channel in channels { channel?.close(promise: nil) }
    }

    // MARK: What connections report

    func connected(_ attempt: Attempt) {
        let now = ContinuousClock.now
        let event = contents.withLock { contents -> LoadEvent? in
            guard contents.serials[attempt.proxy] == attempt.serial, let purpose = contents.round?.purpose,
                contents.round?.connected(attempt.proxy, at: now) == true, purpose == .admission || purpose == .returning
            else { return nil }
            return contents.round?.event(.connected, at: now)
        }
        if let event { announce(event) }
    }

    func served(_ attempt: Attempt) {
        let now = ContinuousClock.now
        let isOver = contents.withLock { contents in
            guard contents.serials[attempt.proxy] == attempt.serial else { return false }
            contents.round?.served(attempt.proxy, at: now)
            if contents.round?.purpose == .seeding {
                // It has what it came for, and goes.
                contents.serials[attempt.proxy] += 1
                contents.channels[attempt.proxy] = nil
            }
            return contents.round?.isOver == true
        }
        isOver ? end() : fill()
    }

    func renewed(_ attempt: Attempt) { contents.withLock { $0.round?.renewed() } }

    func closed(_ attempt: Attempt, _ reason: String) {
        let isInRound = contents.withLock { contents -> Bool? in
            guard contents.serials[attempt.proxy] == attempt.serial else { return nil }
            contents.serials[attempt.proxy] += 1
            contents.channels[attempt.proxy] = nil
            if let isLost = contents.round?.lost(attempt.proxy) { return isLost ? true : nil }
            contents.served -= 1
            contents.lost += 1
            return false
        }
        guard let isInRound else { return }
        tally.lost("proxy \(attempt.proxy): \(reason)")
        guard isInRound else {
            lossSignal.yield()
            return
        }
        loops[attempt.proxy % loops.count].scheduleTask(in: Fleet.pause) { [self] in
            contents.withLock { $0.round?.resume() }
            fill()
        }
    }

    // MARK: Connecting

    private func fill() {
        while true {
            let next = contents.withLock { contents -> (Attempt, LoadPlan.Purpose)? in
                guard let number = contents.round?.next(), let purpose = contents.round?.purpose else { return nil }
                contents.serials[number] += 1
                return (Attempt(proxy: number, serial: contents.serials[number]), purpose)
            }
            guard let (attempt, purpose) = next else { return }
            connect(attempt, purpose)
        }
    }

    private func connect(_ attempt: Attempt, _ purpose: LoadPlan.Purpose) {
        let proxy = proxies[attempt.proxy]
        let loop = loops[attempt.proxy % loops.count]
        ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { [self] in
                    let context =
                        purpose == .seeding ? identities.contextWithoutCertificate : try identities.context(for: attempt.proxy)
                    try channel.pipeline.syncOperations.addHandlers([
                        try NIOSSLClientHandler(context: context, serverHostname: "localhost"),
                        ProxyConnection(proxy: proxy, purpose: purpose, attempt: attempt, fleet: self),
                    ])
                }
            }
            .connect(to: plan.door(for: purpose))
            .whenComplete { [self] result in
                switch result {
                case .success(let channel):
                    contents.withLock { contents in
                        guard contents.serials[attempt.proxy] == attempt.serial, channel.isActive else { return }
                        contents.channels[attempt.proxy] = channel
                    }
                case .failure(let error): closed(attempt, "\(error)")
                }
            }
    }

    /// Ends the round that is over.
    private func end() {
        let now = ContinuousClock.now
        let ended = contents.withLock { contents -> (CheckedContinuation<LoadEvent, Never>, LoadEvent)? in
            guard let round = contents.round, round.isOver, let over = contents.over else { return nil }
            contents.round = nil
            contents.over = nil
            contents.served = round.served
            return (over, round.event(LoadEvent.Name(round.purpose), at: now))
        }
        guard let (over, event) = ended else { return }
        over.resume(returning: event)
    }
}
