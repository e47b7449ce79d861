/// How long to wait after the n-th failure in a row: doubling from 100 ms to 5 s, then a random share of it taken off.
///
/// 100 ms: a restarting server is back soon. 5 s: what an outage's end may cost. The random half keeps replicas apart.
struct Backoff: Sendable {
    var first: Duration = .milliseconds(100)
    var longest: Duration = .seconds(5)

    /// `random` gives a number in 0…1.
    func delay(afterFailures failures: Int, random: () -> Double) -> Duration {
        // 2^16 times the first is beyond any longest in use, and cannot overflow.
        let doubled = first * (1 << min(max(failures - 1, 0), 16))
        return min(doubled, longest) * (0.5 + 0.5 * random())
    }
}
