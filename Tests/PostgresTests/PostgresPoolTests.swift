import TestSupport
import Testing

@testable import Postgres

@Suite("The connection pool", .timeLimit(.minutes(2)))
struct PostgresPoolTests {
    private func withPool(
        size: Int, _ body: (PostgresPool, PostgresConfiguration) async throws -> Void
    ) async throws {
        var configuration = try await TestDatabase.makeEmpty().configuration
        configuration.poolSize = size
        let pool = PostgresPool(configuration, logger: TestDatabase.logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            defer { group.cancelAll() }
            try await body(pool, configuration)
        }
    }

    private static var soon: ContinuousClock.Instant { .now + .seconds(10) }

    @Test func `never more connections than its size`() async throws {
        try await withPool(size: 3) { pool, _ in
            let most = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await pool.withConnection(deadline: Self.soon) { connection async throws(PostgresError) in
                            let results = try await connection.execute(
                                [
                                    PostgresStatement(
                                        """
                                        SELECT count(*) FROM pg_stat_activity
                                        WHERE datname = current_database() AND application_name = 'signet'
                                        """)
                                ], deadline: Self.soon)
                            var reader = RowReader(results[0].rows[0])
                            return try reader.integer()
                        }
                    }
                }
                return try await group.reduce(0, max)
            }
            #expect((1...3).contains(most))
        }
    }

    @Test func `a waiter gets an error at its deadline, and the others still their turn`() async throws {
        try await withPool(size: 1) { pool, _ in
            let held = LedgerGate()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await pool.withConnection(deadline: Self.soon) { _ async throws(PostgresError) in
                        await held.pass()
                    }
                }
                #expect(await held.awaitArrival())
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.withConnection(deadline: .now + .milliseconds(100)) { _ async throws(PostgresError) in }
                }
                #expect(error?.description.contains("all 1 connections of the pool were busy") == true)
                held.open()
                try await group.waitForAll()
            }
            try await pool.withConnection(deadline: Self.soon) { _ async throws(PostgresError) in }
        }
    }

    @Test func `cancelling a waiter frees it at once`() async throws {
        try await withPool(size: 1) { pool, _ in
            try await pool.withConnection(deadline: Self.soon) { _ async throws(PostgresError) in
                let start = ContinuousClock.now
                let outcome = await withTaskGroup(of: PostgresError?.self) { group in
                    group.addTask {
                        do throws(PostgresError) {
                            try await pool.withConnection(deadline: .now + .seconds(60)) { _ async throws(PostgresError) in }
                            return nil
                        } catch {
                            return error
                        }
                    }
                    try? await Task.sleep(for: .milliseconds(50))
                    group.cancelAll()
                    return await group.next() ?? nil
                }
                #expect(outcome == .cancelled(mayHaveRun: false))
                #expect(ContinuousClock.now - start < .seconds(5))
            }
            // The place of the one that was cancelled is not lost.
            try await pool.withConnection(deadline: Self.soon) { _ async throws(PostgresError) in }
        }
    }

    @Test func `waiters are served in the order of their arrival`() async throws {
        try await withPool(size: 1) { pool, _ in
            let held = LedgerGate()
            let order = try await withThrowingTaskGroup(of: Int?.self, returning: [Int].self) { group in
                group.addTask {
                    try await pool.withConnection(deadline: Self.soon) { _ async throws(PostgresError) in
                        await held.pass()
                    }
                    return nil
                }
                #expect(await held.awaitArrival())
                let log = OrderLog()
                for number in 0..<8 {
                    group.addTask {
                        try await pool.withConnection(deadline: Self.soon) { _ async throws(PostgresError) in
                            await log.append(number)
                        }
                        return number
                    }
                    // Each is in its place before the next one comes.
                    #expect(await eventually { pool.waiting == number + 1 })
                }
                held.open()
                try await group.waitForAll()
                return await log.numbers
            }
            #expect(order == Array(0..<8))
        }
    }

    @Test func `a connection that was left in a transaction is not lent again`() async throws {
        try await withPool(size: 1) { pool, _ in
            func backend() async throws -> [UInt8]? {
                try await pool.withConnection(deadline: Self.soon) { connection async throws(PostgresError) in
                    try await connection.execute([PostgresStatement("SELECT pg_backend_pid()")], deadline: Self.soon)[0]
                        .rows[0].cells[0]
                }
            }
            let first = try await backend()
            #expect(try await backend() == first)
            try await pool.withConnection(deadline: Self.soon) { connection async throws(PostgresError) in
                _ = try await connection.execute([.begin], deadline: Self.soon)
            }
            #expect(try await backend() != first)
        }
    }

    @Test func `when nothing can be reached the reason is told`() async throws {
        let configuration = try PostgresConfiguration(
            socketDirectory: "/nonexistent", user: "u", database: "d", password: .literal("hunter2"))
        let pool = PostgresPool(configuration, logger: TestDatabase.logger)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withConnection(deadline: .now + .milliseconds(500)) { _ async throws(PostgresError) in }
            }
            #expect(error?.description.contains("/nonexistent") == true)
            #expect(error?.description.contains("hunter2") == false)
            group.cancelAll()
        }
        await #expect(throws: PostgresError.connectionFailed(detail: "the connection pool is closed")) {
            try await pool.withConnection(deadline: Self.soon) { _ async throws(PostgresError) in }
        }
    }
}

private actor OrderLog {
    private(set) var numbers: [Int] = []

    func append(_ number: Int) {
        numbers.append(number)
    }
}
