import Listeners
import Metrics
import Testing

@Suite struct MetricsRegistryTests {
    @Test func `A counter is shown with its type, help and labels`() {
        let registry = MetricsRegistry(help: ["signet_refused_total": "Requests refused, by reason."])
        let counter = registry.makeCounter(label: "signet_refused_total", dimensions: [("reason", "token-expired")])
        counter.increment(by: 2)
        counter.increment(by: 1)
        #expect(
            registry.exposition() == """
                # HELP signet_refused_total Requests refused, by reason.
                # TYPE signet_refused_total counter
                signet_refused_total{reason="token-expired"} 3

                """)
    }

    @Test func `The same name and labels are the same series, other labels another`() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "a", dimensions: [("mesh", "x")]).increment(by: 1)
        registry.makeCounter(label: "a", dimensions: [("mesh", "x")]).increment(by: 1)
        registry.makeCounter(label: "a", dimensions: [("mesh", "y")]).increment(by: 5)
        #expect(registry.exposition() == "# TYPE a counter\na{mesh=\"x\"} 2\na{mesh=\"y\"} 5\n")
    }

    @Test func `Whole and fractional increments of a counter add up, and it never goes down`() {
        let registry = MetricsRegistry()
        let counter = registry.makeFloatingPointCounter(label: "c", dimensions: [])
        counter.increment(by: 0.5)
        counter.increment(by: -3)
        registry.makeCounter(label: "c", dimensions: []).increment(by: 2)
        #expect(registry.exposition() == "# TYPE c counter\nc 2.5\n")
    }

    @Test func `A gauge shows its last value`() {
        let registry = MetricsRegistry()
        let gauge = registry.makeRecorder(label: "g", dimensions: [], aggregate: false)
        gauge.record(Int64(7))
        gauge.record(-1.25)
        #expect(registry.exposition() == "# TYPE g gauge\ng -1.25\n")
        let meter = registry.makeMeter(label: "m", dimensions: [])
        meter.set(Int64(3))
        meter.increment(by: 2)
        meter.decrement(by: 1)
        #expect(registry.exposition().contains("\nm 4\n"))
    }

    @Test func `A timer is a histogram in seconds with cumulative buckets`() {
        let registry = MetricsRegistry()
        let timer = registry.makeTimer(label: "signet_issue_seconds", dimensions: [("mesh", "a")])
        timer.recordNanoseconds(700_000)
        timer.recordNanoseconds(1_000_000)
        timer.recordNanoseconds(40_000_000_000)
        let text = registry.exposition()
        #expect(text.contains("# TYPE signet_issue_seconds histogram\n"))
        #expect(text.contains("signet_issue_seconds_bucket{mesh=\"a\",le=\"0.0005\"} 0\n"))
        #expect(text.contains("signet_issue_seconds_bucket{mesh=\"a\",le=\"0.001\"} 2\n"))
        #expect(text.contains("signet_issue_seconds_bucket{mesh=\"a\",le=\"30\"} 2\n"))
        #expect(text.contains("signet_issue_seconds_bucket{mesh=\"a\",le=\"+Inf\"} 3\n"))
        #expect(text.contains("signet_issue_seconds_sum{mesh=\"a\"} 40.0017\n"))
        #expect(text.contains("signet_issue_seconds_count{mesh=\"a\"} 3\n"))
    }

    @Test func `Names are made lawful and label values are escaped`() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "1 bad-näme", dimensions: [("la:bel", "a\"b\\c\nd")]).increment(by: 1)
        #expect(registry.exposition() == "# TYPE _1_bad_n__me counter\n_1_bad_n__me{la_bel=\"a\\\"b\\\\c\\nd\"} 1\n")
    }

    @Test func `A name that is used for another kind stays what it was`() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "n", dimensions: []).increment(by: 1)
        registry.makeTimer(label: "n", dimensions: []).recordNanoseconds(5)
        #expect(registry.exposition() == "# TYPE n counter\nn 1\n")
    }

    @Test func `A destroyed series is gone`() {
        let registry = MetricsRegistry()
        let gone = registry.makeCounter(label: "n", dimensions: [("mesh", "gone")])
        registry.makeCounter(label: "n", dimensions: [("mesh", "stays")]).increment(by: 1)
        registry.destroyCounter(gone)
        #expect(registry.exposition() == "# TYPE n counter\nn{mesh=\"stays\"} 1\n")
    }

    @Test func `Series come, go and come again in the order of their labels, between one scrape and the next`() {
        let registry = MetricsRegistry()
        func lines() -> [String] { registry.exposition().split(separator: "\n").map(String.init) }
        let handlers = ["c", "a", "b"].map { registry.makeRecorder(label: "n", dimensions: [("mesh", $0)], aggregate: false) }
        #expect(lines() == ["# TYPE n gauge"] + ["a", "b", "c"].map { "n{mesh=\"\($0)\"} 0" })
        registry.destroyRecorder(handlers[1])
        // A second time, it is nobody any more.
        registry.destroyRecorder(handlers[1])
        handlers[1].record(Int64(5))
        #expect(lines() == ["# TYPE n gauge"] + ["b", "c"].map { "n{mesh=\"\($0)\"} 0" })
        registry.makeRecorder(label: "n", dimensions: [("mesh", "a")], aggregate: false).record(Int64(7))
        #expect(lines().dropFirst() == ["n{mesh=\"a\"} 7", "n{mesh=\"b\"} 0", "n{mesh=\"c\"} 0"])
        for handler in handlers { registry.destroyRecorder(handler) }
        #expect(lines() == ["# TYPE n gauge", "n{mesh=\"a\"} 7"])
    }

    @Test func `What was destroyed makes room below the bound`() {
        let registry = MetricsRegistry()
        let handlers = (0..<MetricsRegistry.maximumSeries).map { index in
            registry.makeCounter(label: "n", dimensions: [("i", "\(index)")])
        }
        #expect(!registry.exposition().contains("late"))
        for handler in handlers { registry.destroyCounter(handler) }
        #expect(registry.exposition().isEmpty)
        registry.makeCounter(label: "late", dimensions: []).increment(by: 1)
        #expect(registry.exposition().contains("late 1"))
    }

    @Test func `The number of series is bounded`() {
        let registry = MetricsRegistry()
        for index in 0..<(MetricsRegistry.maximumSeries + 10) {
            registry.makeCounter(label: "n", dimensions: [("i", "\(index)")]).increment(by: 1)
        }
        let lines = registry.exposition().split(separator: "\n").count
        #expect(lines == MetricsRegistry.maximumSeries + 1)
    }

    @Test func `Increments from many tasks are all counted`() async {
        let registry = MetricsRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        registry.makeCounter(label: "n", dimensions: []).increment(by: 1)
                        registry.makeTimer(label: "t", dimensions: []).recordNanoseconds(1)
                    }
                }
            }
        }
        #expect(registry.exposition().contains("\nn 8000\n"))
        #expect(registry.exposition().contains("\nt_count 8000\n"))
    }
}
