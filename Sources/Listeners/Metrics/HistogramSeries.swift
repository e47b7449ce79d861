internal import Metrics
import Synchronization

/// One histogram of seconds, with fixed buckets.
final class HistogramSeries: RecorderHandler, TimerHandler, Series {
    /// From a signature (tens of microseconds) to a time-out (tens of seconds), about three to a decade: enough to see a
    /// ledger that slows down, at 20 numbers a series.
    static let bounds: [Double] = [
        0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    private struct State {
        /// One for each bound, and one for what is beyond; not yet cumulative.
        var counts = [Int64](repeating: 0, count: bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let index = HistogramSeries.bounds.firstIndex { value <= $0 } ?? HistogramSeries.bounds.count
        state.withLock { state in
            state.counts[index] += 1
            state.sum += value
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let comma = labels.isEmpty ? "" : ","
        var cumulative: Int64 = 0
        for (index, count) in counts.enumerated() {
            cumulative += count
            let bound = index < HistogramSeries.bounds.count ? MetricName.number(HistogramSeries.bounds[index]) : "+Inf"
            text += "\(name)_bucket{\(labels)\(comma)le=\"\(bound)\"} \(cumulative)\n"
        }
        let braces = labels.isEmpty ? "" : "{\(labels)}"
        text += "\(name)_sum\(braces) \(MetricName.number(sum))\n"
        text += "\(name)_count\(braces) \(cumulative)\n"
    }
}
