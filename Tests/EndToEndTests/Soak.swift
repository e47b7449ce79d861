import Foundation

/// Which of a test's cases run: a short form in `make test`, which has minutes, and all of them in `make soak`.
///
/// Each case that only `make soak` runs is an argument of a test that `make test` runs with others: nothing is skipped in silence.
enum Soak {
    /// Whether `make soak` runs this. Not `SIGNET_…`: the service refuses what it does not know of those.
    static let isOn = ProcessInfo.processInfo.environment["SOAK_SIGNET"] == "1"

    /// `cases`, then `more` in a soak.
    static func cases<Case>(_ cases: [Case], soak more: [Case]) -> [Case] { cases + (isOn ? more : []) }
}
