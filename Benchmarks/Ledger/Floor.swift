import BenchmarkSupport

/// What OpenSSL alone does on two threads, and what issuance does without a ledger: measured in short slices beside the service.
struct Floor {
    private let workload: IssuanceWorkload
    private var raw: [Double] = []
    private var fresh: [Double] = []

    init() throws {
        workload = try IssuanceWorkload()
    }

    /// Adds slices of 50 ms of each, for two seconds.
    mutating func measure() throws {
        let pieces = [
            Piece(name: "raw key generation and sign") { [workload] in try workload.rawGenerateAndSign() },
            Piece(name: "leaf with a fresh key") { [workload] in try workload.issueWithFreshKey() },
        ]
        let counts = try pieces.map { try $0.count(for: .milliseconds(50)) }
        for _ in 0..<20 {
            raw.append(try pieces[0].rate(counts[0], threads: 2))
            fresh.append(try pieces[1].rate(counts[1], threads: 2))
        }
    }

    var rawPerSecond: Double { median(raw) }
    var freshPerSecond: Double { median(fresh) }
}
