import Dispatch
import Synchronization

/// One thing that is measured: an operation to be repeated.
package struct Piece: Sendable {
    package let name: String
    /// Does it once, and gives the number of octets made, which keeps the work from being optimized away.
    package let operation: @Sendable () throws -> Int

    package init(name: String, operation: @escaping @Sendable () throws -> Int) {
        self.name = name
        self.operation = operation
    }

    /// How many repetitions fill `duration` on one thread; as a side effect, everything is warm.
    package func count(for duration: Duration) throws -> Int {
        let trial = 500
        let seconds = try measure(trial)
        return max(1, Int(Double(trial) * (duration / .seconds(1)) / seconds))
    }

    /// Operations a second of `threads` threads at once, each doing `count`.
    package func rate(_ count: Int, threads: Int) throws -> Double {
        if threads == 1 { return Double(count) / (try measure(count)) }
        let failure = Mutex<(any Error)?>(nil)
        let start = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            do {
                _ = try measure(count)
            } catch {
                failure.withLock { $0 = error }
            }
        }
        let elapsed = ContinuousClock.now - start
        if let error = failure.withLock({ $0 }) { throw error }
        return Double(count * threads) / (elapsed / .seconds(1))
    }

    /// Seconds that `count` repetitions take on this thread.
    private func measure(_ count: Int) throws -> Double {
        var octets = 0
        let start = ContinuousClock.now
        for _ in 0..<count { octets += try operation() }
        let elapsed = ContinuousClock.now - start
        guard octets > 0 else { throw NothingMade() }
        return elapsed / .seconds(1)
    }

    /// Nothing came of the work, which nobody should have measured then.
    package struct NothingMade: Error {}
}

/// The middle one; of an even number the upper of the two.
package func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
