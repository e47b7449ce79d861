/// What became of the requests.
package struct TrafficReport: Sendable, CustomStringConvertible {
    package var succeeded = 0
    /// How often each reason was seen.
    package var failures: [String: Int] = [:]

    package var failed: Int { failures.values.reduce(0, +) }

    package var total: Int { succeeded + failed }

    mutating func failed(_ reason: String) { failures[reason, default: 0] += 1 }

    package var description: String {
        "\(succeeded) succeeded, \(failed) failed" + failures.map { "\n  \($0.value) × \($0.key)" }.sorted().joined()
    }
}
