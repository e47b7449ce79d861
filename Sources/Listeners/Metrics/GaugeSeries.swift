internal import Metrics
import Synchronization

/// One gauge: the last value that was set.
final class GaugeSeries: MeterHandler, RecorderHandler, Series {
    private let value = Mutex<Double>(0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        MetricName.write(name, labels, value.withLock { $0 }, to: &text)
    }
}
