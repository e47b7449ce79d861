import BenchmarkSupport

/// How many leaves a second are issued, beside how many signatures OpenSSL makes with nothing around them.
///
/// Everything is measured in one run, in short slices that take turns, and each ratio is taken within a round: what else
/// the machine does then slows both sides of a ratio alike. `--json` gives an object a line instead of the table.
@main
enum IssuanceBenchmark {
    /// Odd, so that the median is a measured value; enough to leave disturbed rounds without weight.
    private static let rounds = 101
    /// Long against the clock and thread start (about 0.1 ms), short against the load that other programs bring and end.
    private static let slice = Duration.milliseconds(25)
    /// The share of the raw rate that issuance must reach.
    private static let goal = 0.90

    static func main() throws {
        let isJSON = CommandLine.arguments.dropFirst().contains("--json")
        let workload = try IssuanceWorkload()
        // In each group the last piece is compared with the first.
        let groups = [
            [
                Piece(name: "raw sign") { try workload.rawSign() },
                Piece(name: "leaf for a given key, DER and PEM") { try workload.issueForGivenKey() },
            ],
            [
                Piece(name: "raw key generation and sign") { try workload.rawGenerateAndSign() },
                Piece(name: "  with the public key's octets") { try workload.rawGenerateEncodeAndSign() },
                Piece(name: "leaf with a fresh key, both PEM") { try workload.issueWithFreshKey() },
            ],
        ]
        if !isJSON {
            print("EC P-256 leaves a second; medians of \(rounds) rounds; goal: \(goal) of the raw rate\n")
            print(line("", "threads", "per second", "of raw", ""))
        }
        for threads in [1, 2] {
            for pieces in groups {
                let counts = try pieces.map { try $0.count(for: slice) }
                var rates = pieces.map { _ in [Double]() }
                for round in 0..<rounds {
                    // Who goes first changes with every round, for what the first leaves warm or hot.
                    for index in round.isMultiple(of: 2) ? Array(pieces.indices) : pieces.indices.reversed() {
                        rates[index].append(try pieces[index].rate(counts[index], threads: threads))
                    }
                }
                for (index, piece) in pieces.enumerated() {
                    let ratio = median(zip(rates[index], rates[0]).map { $0 / $1 })
                    let rate = Int(median(rates[index]))
                    if isJSON {
                        print(
                            #"{"name": "\#(piece.name.drop { $0 == " " })", "threads": \#(threads), "perSecond": \#(rate), "#
                                + #""ofRaw": \#(rounded(ratio))}"#)
                    } else {
                        let verdict = index < pieces.count - 1 ? "" : ratio >= goal ? "met" : "not met"
                        print(line(piece.name, "\(threads)", "\(rate)", rounded(ratio), verdict))
                    }
                }
            }
        }
    }

    private static func rounded(_ ratio: Double) -> String {
        let thousandths = Int((ratio * 1000).rounded())
        let fraction = String(thousandths % 1000)
        return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }

    private static func line(_ name: String, _ threads: String, _ rate: String, _ ratio: String, _ verdict: String) -> String {
        func left(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        return left(name, 36) + right(threads, 8) + right(rate, 12) + right(ratio, 8) + "  " + verdict
    }
}
