import Foundation

/// The `SIGNET_*` variables of the environment.
enum ConfigurationEnvironment {
    /// Variables of the same prefix that are no configuration of the service: the commands' own, and the one by which this
    /// package's manifest chooses test targets.
    private static let others: Set<String> = [
        "SIGNET_ADDRESS", "SIGNET_CA_FILE", "SIGNET_CONFIG_DIR", "SIGNET_DATA_DIR", "SIGNET_TESTS", "SIGNET_TOKEN_FILE",
    ]

    /// Throws for a `SIGNET_*` variable that means nothing.
    static func check(_ environment: [String: String]) throws(ConfigurationProblem) {
        let known = Set(ConfigurationTable.keys.map(\.environmentVariable))
        for name in environment.keys.sorted() where name.hasPrefix("SIGNET_") {
            guard !known.contains(name), !others.contains(name), !isServiceLink(name) else { continue }
            throw .unknownKey(
                name, in: "the environment", nearest: Nearness.nearest(to: name, among: known.sorted()))
        }
    }

    /// Kubernetes puts `SIGNET_SERVICE_HOST`, `SIGNET_PORT_5678_TCP_ADDR` and the like into every pod beside a Service named
    /// `signet`: they must not stop the start.
    private static func isServiceLink(_ name: String) -> Bool {
        name.hasPrefix("SIGNET_SERVICE_HOST") || name.hasPrefix("SIGNET_SERVICE_PORT") || name == "SIGNET_PORT"
            || name.wholeMatch(of: #/SIGNET_PORT_[0-9]+_(TCP|UDP)(_[A-Z]+)?/#) != nil
            || name.wholeMatch(
                of: #/SIGNET_[A-Z0-9_]+_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP)(_[A-Z]+)?)?)/#)
                != nil
    }
}
