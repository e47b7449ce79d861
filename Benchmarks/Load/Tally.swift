import Foundation
import Synchronization

/// What all simulated proxies have seen together.
final class Tally: Sendable {
    private struct Contents {
        var served = 0
        var identities = 0
        var bundles = 0
        var lost: [String] = []
    }

    private let proxies: Int
    private let contents = Mutex(Contents())
    private let (allServed, announce) = AsyncStream.makeStream(of: Void.self)

    init(proxies: Int) { self.proxies = proxies }

    func served() {
        let isLast = contents.withLock { contents in
            contents.served += 1
            return contents.served == proxies
        }
        if isLast { announce.finish() }
    }

    func received(isIdentity: Bool) {
        contents.withLock { contents in
            if isIdentity { contents.identities += 1 } else { contents.bundles += 1 }
        }
    }

    func lost(_ reason: String) {
        contents.withLock { $0.lost.append(reason) }
    }

    func whenAllServed() async throws {
        for await _ in allServed {}
        try Task.checkCancellation()
    }

    var report: String {
        contents.withLock { contents in
            """
            served \(contents.served) of \(proxies); identities \(contents.identities), bundles \(contents.bundles); \
            lost \(contents.lost.count)\(contents.lost.first.map { ", first: \($0)" } ?? "")
            """
        }
    }
}

/// Bounds how many connect at a time, so that the handshakes measured are not a stampede.
final class Turns: Sendable {
    private struct Contents {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let contents: Mutex<Contents>

    init(width: Int) { contents = Mutex(Contents(free: width)) }

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = contents.withLock { contents in
                guard contents.free > 0 else {
                    contents.waiting.append(continuation)
                    return false
                }
                contents.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func give() {
        let next = contents.withLock { contents -> CheckedContinuation<Void, Never>? in
            guard !contents.waiting.isEmpty else {
                contents.free += 1
                return nil
            }
            return contents.waiting.removeFirst()
        }
        next?.resume()
    }
}
