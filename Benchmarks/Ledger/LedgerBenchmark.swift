import ArgumentParser
import BenchmarkSupport
import Foundation
import Logging
import PKICrypto
import Postgres

/// What it costs to issue leaves end to end: decided, recorded durably in a PostgreSQL on this machine, signed, delivered.
///
/// In one run with what it is compared with; CPU time tells more than the clock, on a machine that others use too.
@main
struct LedgerBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger-benchmark", abstract: "Measures issuing through the ledger, without the wire.")

    @Option(name: .customLong("for"), help: "For how many seconds to issue, in each of the ledgers that are compared.")
    var duration = 60
    @Option(help: "Proxies that ask for leaves, in turn.")
    var callers = 10_000
    @Option(help: "Compare with a ledger that has so many meshes.")
    var meshes = 1
    @Option(help: "Compare with a ledger that holds so many leaves of the twelve weeks before.")
    var rows = 0
    @Flag(help: "One JSON object a line.")
    var json = false

    func validate() throws {
        guard (1...3600).contains(duration), (1...1_000_000).contains(callers), (1...10_000).contains(meshes),
            (0...100_000_000).contains(rows), meshes == 1 || rows == 0
        else { throw ValidationError("--for 1…3600, --callers 1…1000000, --meshes 1…10000 or --rows 0…100000000") }
    }

    func run() async throws {
        var logger = Logger(label: "ledger-benchmark") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let server = try await Server.start(logger: logger)
        let outcome: Result<Void, any Error>
        do {
            let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
            if rows > 0 {
                try await compareLedgers(server, key)
            } else if meshes > 1 {
                try await compareMeshes(server, key)
            } else {
                try await measure(server, key)
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await server.stop()
        try outcome.get()
    }

    /// One ledger, with the floor before and after.
    private func measure(_ server: Server, _ key: KeyEncryptionKey) async throws {
        var floor = try Floor()
        try floor.measure()
        let database = try await server.makeDatabase("ledger")
        let (result, isExact) = try await Site.with(
            database, key: key, meshes: 1, callers: callers, logger: server.logger
        ) { site in
            var measurement = Measurement()
            // Caches, connections and templates come first, and are nobody's figure.
            _ = await site.issue(until: .now + .seconds(2))
            try await measurement.add(site, on: server, for: .seconds(duration))
            return (measurement, try await holdsExactly(site, server))
        }
        try floor.measure()
        var report = Report(part: "ledger")
        report.add(result)
        report.add("rawPerSecond", floor.rawPerSecond, "raw key generation and sign, two threads, a second")
        report.add("freshPerSecond", floor.freshPerSecond, "issuing without a ledger, two threads, a second")
        report.add("ofRaw", result.perSecond / floor.rawPerSecond, "of the raw rate")
        report.add("ofFresh", result.perSecond / floor.freshPerSecond, "of issuing without a ledger")
        report.add("exact", isExact, "every leaf that was delivered is in the table, and no other")
        report.print(asJSON: json)
    }

    /// One mesh beside many, in turns.
    private func compareMeshes(_ server: Server, _ key: KeyEncryptionKey) async throws {
        let (few, many) = (try await server.makeDatabase("one"), try await server.makeDatabase("many"))
        var results = (Measurement(), Measurement())
        let isExact = try await Site.with(few, key: key, meshes: 1, callers: callers, logger: server.logger) { few in
            try await Site.with(many, key: key, meshes: meshes, callers: callers, logger: server.logger) { many in
                for site in [few, many] { _ = await site.issue(until: .now + .seconds(2)) }
                for _ in 0..<LedgerBenchmark.turns {
                    try await results.0.add(few, on: server, for: slice)
                    try await results.1.add(many, on: server, for: slice)
                }
                let isExact = try await holdsExactly(few, server)
                return try await holdsExactly(many, server) && isExact
            }
        }
        var report = Report(part: "ledger")
        report.add(results.1)
        report.add("meshes", meshes, "meshes")
        report.add("onePerSecond", results.0.perSecond, "a second with one mesh, in the same run")
        report.add("oneServiceMicroseconds", results.0.serviceMicroseconds, "µs of CPU with one mesh, the service's")
        report.add("oneDatabaseMicroseconds", results.0.databaseMicroseconds, "µs of CPU with one mesh, PostgreSQL's")
        report.add("meshesRatio", results.1.microseconds / results.0.microseconds, "CPU for each leaf, over that with one mesh")
        report.add("exact", isExact, "every leaf that was delivered is in the table, and no other")
        report.print(asJSON: json)
    }

    /// An empty ledger beside a full one, in turns: start-up, and issuing.
    private func compareLedgers(_ server: Server, _ key: KeyEncryptionKey) async throws {
        let (empty, full) = (try await server.makeDatabase("empty"), try await server.makeDatabase("filled"))
        for database in [empty, full] {
            try await Site.with(database, key: key, meshes: 1, callers: 1, logger: server.logger) { _ in }
        }
        let began = ContinuousClock.now
        try await History(server: server, database: full).fill(rows)
        let filling = (ContinuousClock.now - began) / .seconds(1)
        var starts = ([Double](), [Double]())
        for _ in 0..<LedgerBenchmark.turns {
            starts.0.append(try await start(empty, key, server))
            starts.1.append(try await start(full, key, server))
        }
        var results = (Measurement(), Measurement())
        let isExact = try await Site.with(empty, key: key, meshes: 1, callers: callers, logger: server.logger) { empty in
            try await Site.with(
                full, key: key, meshes: 1, callers: callers, older: rows, logger: server.logger
            ) { full in
                for site in [empty, full] { _ = await site.issue(until: .now + .seconds(2)) }
                for _ in 0..<LedgerBenchmark.turns {
                    try await results.0.add(empty, on: server, for: slice)
                    try await results.1.add(full, on: server, for: slice)
                }
                let isExact = try await holdsExactly(empty, server)
                return try await holdsExactly(full, server) && isExact
            }
        }
        var report = Report(part: "ledger")
        report.add(results.1)
        report.add("rows", rows, "rows of history")
        report.add("fillSeconds", filling, "seconds to fill them in")
        report.add("emptyPerSecond", results.0.perSecond, "a second beside an empty ledger, in the same run")
        report.add("emptyServiceMicroseconds", results.0.serviceMicroseconds, "µs of CPU beside an empty one, the service's")
        report.add("emptyDatabaseMicroseconds", results.0.databaseMicroseconds, "µs of CPU beside an empty one, PostgreSQL's")
        report.add("startMilliseconds", median(starts.1) * 1000, "CPU of a start, ms")
        report.add(
            "startRatio", median(starts.1) / median(starts.0),
            "CPU of a start, over that with an empty ledger")
        report.add(
            "issueRatio", results.1.microseconds / results.0.microseconds, "CPU for each leaf, over that with an empty ledger")
        report.add("exact", isExact, "every leaf that was delivered is in the table, and no other")
        report.print(asJSON: json)
    }

    /// CPU seconds, the database's included, from nothing to a service that could issue.
    private func start(_ database: PostgresConfiguration, _ key: KeyEncryptionKey, _ server: Server) async throws -> Double {
        let before = ProcessorTime.own + server.processorTime
        return try await Site.with(database, key: key, meshes: 0, callers: 0, logger: server.logger) { _ in
            ProcessorTime.own + server.processorTime - before
        }
    }

    /// Whether the table holds the leaves that were delivered, those that stood there before, and no other.
    private func holdsExactly(_ site: Site, _ server: Server) async throws -> Bool {
        let found = try await server.number("SELECT count(*) FROM certificate WHERE kind = 'leaf'", in: site.database)
        for (reason, count) in site.refused {
            FileHandle.standardError.write(Data("\(count) leaves were not issued: \(reason)\n".utf8))
        }
        return found == site.recorded && site.refused.isEmpty
    }

    /// How often the compared ones take turns.
    private static let turns = 6
    private var slice: Duration { .milliseconds(duration * 1000 / LedgerBenchmark.turns) }
}
