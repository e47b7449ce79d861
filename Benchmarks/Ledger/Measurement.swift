/// What issuing cost, over one or several slices of time.
struct Measurement: Sendable {
    var delivered = 0
    var seconds = 0.0
    /// CPU seconds.
    var service = 0.0
    var database = 0.0
    var transactions = 0
    var rows = 0
    /// Of the write-ahead log.
    var logOctets = 0
    var batchSeconds: [Double] = []

    /// Adds what `site` issues until `duration` has passed.
    mutating func add(_ site: Site, on server: Server, for duration: Duration) async throws {
        let before = try await Counters(server, site, atLeast: site.recorded)
        let issued = site.delivered
        let start = (ContinuousClock.now, ProcessorTime.own, server.processorTime)
        batchSeconds += await site.issue(until: start.0 + duration)
        seconds += (ContinuousClock.now - start.0) / .seconds(1)
        service += ProcessorTime.own - start.1
        database += server.processorTime - start.2
        let here = site.delivered - issued
        delivered += here
        let after = try await Counters(server, site, atLeast: site.recorded)
        transactions += after.transactions - before.transactions
        rows += after.rows - before.rows
        logOctets += after.logOctets - before.logOctets
    }

    var perSecond: Double { Double(delivered) / seconds }
    var serviceMicroseconds: Double { service / Double(delivered) * 1e6 }
    var databaseMicroseconds: Double { database / Double(delivered) * 1e6 }

    var microseconds: Double { serviceMicroseconds + databaseMicroseconds }

    /// For each leaf, of something that was counted.
    func each(_ count: Int) -> Double { Double(count) / Double(delivered) }

    /// The time within which this share of the batches was delivered, in milliseconds.
    func milliseconds(quantile: Double) -> Double {
        let sorted = batchSeconds.sorted()
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * quantile))] * 1000
    }

    /// What PostgreSQL counted.
    private struct Counters {
        var transactions = 0
        var rows = 0
        var logOctets = 0

        /// PostgreSQL's processes hand in their figures when they have been idle for ten seconds, at the latest: waits for `rows`.
        init(_ server: Server, _ site: Site, atLeast wanted: Int = 0) async throws {
            let deadline = ContinuousClock.now + .seconds(15)
            repeat {
                let text = try await server.query(
                    """
                    SELECT xact_commit || ' ' || (SELECT sum(n_tup_ins)::bigint FROM pg_stat_user_tables
                        WHERE relname LIKE 'certificate%') || ' ' || (pg_current_wal_lsn() - '0/0')::bigint
                    FROM pg_stat_database WHERE datname = current_database()
                    """, in: site.database)
                let numbers = text.split(separator: " ").compactMap { Int($0) }
                guard numbers.count == 3 else { throw Server.Failure(description: "no counters in '\(text)'") }
                (transactions, rows, logOctets) = (numbers[0], numbers[1], numbers[2])
                if rows >= wanted { return }
                try await Task.sleep(for: .milliseconds(100))
            } while ContinuousClock.now < deadline
        }
    }
}
