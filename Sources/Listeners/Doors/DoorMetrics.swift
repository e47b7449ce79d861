internal import Metrics

/// What the doors count; names and labels are documented in docs/operations.md.
enum DoorMetrics {
    /// Something beyond a limit was refused; the name is the limit's.
    static func limited(_ limit: String) {
        Counter(label: "signet_limited_total", dimensions: [("limit", limit)]).increment()
    }
}
