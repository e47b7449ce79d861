internal import Metrics
import Synchronization

/// One counter: whole and fractional increments together; it never goes down.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler, Series {
    private let whole = Atomic<Int64>(0)
    private let fraction = Mutex<Double>(0)

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(amount, ordering: .relaxed)
    }

    func increment(by amount: Double) {
        guard amount > 0 else { return }
        fraction.withLock { $0 += amount }
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.withLock { $0 = 0 }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let value = Double(whole.load(ordering: .relaxed)) + fraction.withLock { $0 }
        MetricName.write(name, labels, value, to: &text)
    }
}
