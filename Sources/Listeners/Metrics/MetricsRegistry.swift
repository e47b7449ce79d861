package import Metrics
import Synchronization

/// A named series of numbers that can write itself as Prometheus text.
protocol Series: AnyObject, Sendable {
    /// `labels` without braces, escaped: `mesh="a",kind="leaf"`.
    func write(_ name: String, _ labels: String, to text: inout String)
}

/// Keeps the metrics of the process and writes them as Prometheus text (format 0.0.4).
///
/// Counters are counters; meters and gauges are gauges; recorders and timers are histograms in seconds.
package final class MetricsRegistry: MetricsFactory {
    /// Label values come from outside (mesh names), so their number is bounded: beyond it a series counts, but is not shown.
    package static let maximumSeries = 20_000

    private enum Kind: String {
        case counter, gauge, histogram
    }

    private struct Family {
        var kind: Kind
        var series: [String: any Series] = [:]
        /// In the order of their labels; nil when a series came or went since. A scrape finds the same series as the one before it.
        var sorted: [(labels: String, series: any Series)]?

        mutating func inOrder() -> [(labels: String, series: any Series)] {
            if let sorted { return sorted }
            let made = series.map { (labels: $0.key, series: $0.value) }.sorted { $0.labels < $1.labels }
            sorted = made
            return made
        }
    }

    private struct Place {
        var family: String
        var labels: String
    }

    private struct State {
        var families: [String: Family] = [:]
        /// Where each series stands, so that the thousands of a deleted mesh's are not searched for among all others.
        var places: [ObjectIdentifier: Place] = [:]
    }

    private let state = Mutex(State())
    /// The `# HELP` text, by metric name.
    private let help: [String: String]

    package init(help: [String: String] = [:]) {
        self.help = help
    }

    /// Everything, families and series in the order of their names.
    package func exposition() -> String {
        // What is written is taken under the lock, and written outside of it: a scrape holds up nobody who counts.
        let families = state.withLock { state in
            state.families.keys.sorted().compactMap { name in
                state.families[name].map { (name: name, kind: $0.kind, series: state.families[name]?.inOrder() ?? []) }
            }
        }
        var text = ""
        // About what a counter with two labels takes.
        text.reserveCapacity(families.reduce(0) { $0 + $1.series.count } * 96)
        for family in families where !family.series.isEmpty {
            if let help = help[family.name] { text += "# HELP \(family.name) \(help)\n" }
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series { series.write(family.name, labels, to: &text) }
        }
        return text
    }

    private func series<S: Series>(
        _ kind: Kind, _ label: String, _ dimensions: [(String, String)], _ make: () -> S
    ) -> S {
        let name = MetricName.metric(label)
        let labels = dimensions.map { "\(MetricName.label($0.0))=\"\(MetricName.escaped($0.1))\"" }.joined(separator: ",")
        return state.withLock { state in
            if let existing = state.families[name]?.series[labels] as? S { return existing }
            let new = make()
            // A name that is in use for another kind would make the whole text unreadable to Prometheus.
            guard state.places.count < MetricsRegistry.maximumSeries, state.families[name]?.kind ?? kind == kind else {
                return new
            }
            state.families[name, default: Family(kind: kind)].series[labels] = new
            state.families[name]?.sorted = nil
            state.places[ObjectIdentifier(new)] = Place(family: name, labels: labels)
            return new
        }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            guard let place = state.places.removeValue(forKey: ObjectIdentifier(handler)) else { return }
            state.families[place.family]?.series[place.labels] = nil
            state.families[place.family]?.sorted = nil
        }
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(.counter, label, dimensions, CounterSeries.init)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(.counter, label, dimensions, CounterSeries.init)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(.gauge, label, dimensions, GaugeSeries.init)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate { return series(.histogram, label, dimensions, HistogramSeries.init) }
        return series(.gauge, label, dimensions, GaugeSeries.init)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(.histogram, label, dimensions, HistogramSeries.init)
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}
