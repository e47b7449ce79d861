import Glibc
import TestSupport
import Testing

@testable import Postgres

@Suite("A connection", .timeLimit(.minutes(2)))
struct PostgresConnectionTests {
    private func open() async throws -> PostgresConnection {
        try await PostgresConnection.open(TestDatabase.makeEmpty().configuration, deadline: .now + .seconds(10))
    }

    private var soon: ContinuousClock.Instant { .now + .seconds(10) }

    @Test func `every kind of value comes back as it went`() async throws {
        let connection = try await open()
        let results = try await connection.execute(
            [
                PostgresStatement(
                    "SELECT $1::boolean, $2::bytea, $3::bigint, $4::text, $5::text, $6::text, $7::bytea",
                    [
                        .boolean(true), .bytes([0, 255, 39]), .integer(.min), .text("a'\\é\n"), .null, .text(""), .bytes([]),
                    ]),
                PostgresStatement(
                    "SELECT b, i, t FROM unnest($1::bytea[], $2::bigint[], $3::text[]) AS x (b, i, t)",
                    [
                        .bytesArray([[], [0, 1]]), .integerArray([-1, 1 << 60]), .textArray([nil, "{\",\\ NULL"]),
                    ]),
                PostgresStatement("SELECT count(*) FROM unnest($1::text[])", [.textArray([])]),
            ], deadline: soon)
        var row = RowReader(results[0].rows[0])
        #expect(try row.boolean())
        #expect(try row.bytes() == [0, 255, 39])
        #expect(try row.integer() == .min)
        #expect(try row.text() == "a'\\é\n")
        #expect(try row.optionalText() == nil)
        #expect(try row.text() == "")
        #expect(try row.bytes() == [])
        #expect(throws: PostgresError.self) { _ = try row.text() }
        var first = RowReader(results[1].rows[0])
        #expect(try first.bytes() == [] && first.integer() == -1 && first.optionalText() == nil)
        var second = RowReader(results[1].rows[1])
        #expect(try second.bytes() == [0, 1] && second.integer() == 1 << 60 && second.text() == "{\",\\ NULL")
        var third = RowReader(results[2].rows[0])
        #expect(try third.integer() == 0)
    }

    @Test func `megabytes go both ways at once without a standstill`() async throws {
        let connection = try await open()
        let bytes = [UInt8](repeating: 0xA5, count: 3_000_000)
        let statement = PostgresStatement("SELECT $1::bytea", [.bytes(bytes)])
        let results = try await connection.execute([statement, statement, statement], deadline: soon)
        #expect(results.allSatisfy { $0.rows[0].cells[0] == bytes })
    }

    @Test func `a refused statement undoes its transaction and leaves the connection usable`() async throws {
        let connection = try await open()
        _ = try await connection.execute([PostgresStatement("CREATE TABLE t (a bigint PRIMARY KEY)")], deadline: soon)
        let insert = PostgresStatement("INSERT INTO t VALUES ($1)", [.integer(1)])
        let error = await #expect(throws: PostgresError.self) {
            _ = try await connection.execute([.begin, insert, insert, .commit], deadline: soon)
        }
        guard case .server(let report) = error else {
            Issue.record("expected the server's refusal, got \(String(describing: error))")
            return
        }
        #expect(report.sqlState == "23505" && report.constraint == "t_pkey" && report.statement == 2)
        #expect(connection.isUsable)
        let count = try await connection.execute([PostgresStatement("SELECT FROM t")], deadline: soon)
        #expect(count[0].rows.isEmpty)
    }

    @Test func `an open transaction makes it unusable for the next caller`() async throws {
        let connection = try await open()
        _ = try await connection.execute([.begin], deadline: soon)
        #expect(!connection.isUsable)
        _ = try await connection.execute([.rollback], deadline: soon)
        #expect(connection.isUsable)
    }

    @Test func `the server ends a statement at its time-out`() async throws {
        let connection = try await open()
        let error = await #expect(throws: PostgresError.self) {
            _ = try await connection.execute(
                [.begin, .limit(.milliseconds(100)), PostgresStatement("SELECT pg_sleep(30)"), .commit], deadline: soon)
        }
        guard case .server(let report) = error else {
            Issue.record("expected the server's time-out, got \(String(describing: error))")
            return
        }
        #expect(report.sqlState == "57014")
        #expect(connection.isUsable)
    }

    @Test func `a server that stops answering is given up at the deadline`() async throws {
        let connection = try await open()
        let pid = try await backend(connection)
        kill(pid, SIGSTOP)
        defer { kill(pid, SIGCONT) }
        let start = ContinuousClock.now
        await #expect(throws: PostgresError.deadlineExceeded(mayHaveRun: true)) {
            _ = try await connection.execute([PostgresStatement("SELECT 1")], deadline: .now + .milliseconds(300))
        }
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(!connection.isUsable)
    }

    @Test func `cancelling the task ends the wait, unless it must not`() async throws {
        let connection = try await open()
        let start = ContinuousClock.now
        let outcome = await withTaskGroup(of: PostgresError?.self) { group in
            group.addTask {
                do throws(PostgresError) {
                    _ = try await connection.execute(
                        [PostgresStatement("SELECT pg_sleep(30)")], deadline: .now + .seconds(60))
                    return nil
                } catch {
                    return error
                }
            }
            try? await Task.sleep(for: .milliseconds(100))
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(outcome?.description == "cancelled")
        #expect(ContinuousClock.now - start < .seconds(10))
        let second = try await open()
        let isDone = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                let results = try? await second.execute(
                    [PostgresStatement("SELECT pg_sleep(0.3)")], deadline: .now + .seconds(60), isCancellable: false)
                return results != nil
            }
            group.cancelAll()
            return await group.next() ?? false
        }
        #expect(isDone)
    }

    @Test func `it notices by itself that the server hung up`() async throws {
        let database = try await TestDatabase.makeEmpty()
        let connection = try await PostgresConnection.open(database.configuration, deadline: soon)
        let other = try await PostgresConnection.open(database.configuration, deadline: soon)
        let pid = try await backend(connection)
        _ = try await other.execute(
            [PostgresStatement("SELECT pg_terminate_backend($1::int8::int4)", [.integer(Int64(pid))])], deadline: soon)
        #expect(await eventually { !connection.isUsable })
        await #expect(throws: PostgresError.self) {
            _ = try await connection.execute([PostgresStatement("SELECT 1")], deadline: soon)
        }
    }

    @Test func `a host that does not answer does not keep the next from being tried`() async throws {
        // A listener whose accept queue nobody serves: TCP connects, and the protocol stays silent.
        let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> UInt16 in
                guard bind(silent, generic, size) == 0, listen(silent, 5) == 0, getsockname(silent, generic, &size) == 0
                else { return 0 }
                return pointer.pointee.sin_port.bigEndian
            }
        }
        let configuration = try PostgresConfiguration(
            location: .hosts([PostgresHost(name: "127.0.0.1", port: port), PostgresHost(name: "127.0.0.1", port: 1)]),
            user: "u", database: "d", password: .literal("hunter2"), tls: PostgresTLS(mode: .disable),
            timing: .init(connect: .milliseconds(300)))
        let error = await #expect(throws: PostgresError.self) {
            _ = try await PostgresConnection.open(configuration, deadline: .now + .seconds(60))
        }
        let text = error?.description ?? ""
        #expect(text.contains("127.0.0.1:\(port) did not answer in time"))
        #expect(text.contains("refused"))
        #expect(!text.contains("hunter2"))
    }

    @Test func `a password file that cannot be read is named`() async throws {
        var configuration = try await TestDatabase.makeEmpty().configuration
        configuration.password = .file(path: "/nonexistent/password")
        let error = await #expect(throws: PostgresError.self) {
            _ = try await PostgresConnection.open(configuration, deadline: soon)
        }
        #expect(error?.description.contains("/nonexistent/password") == true)
    }

    private func backend(_ connection: PostgresConnection) async throws -> pid_t {
        let results = try await connection.execute([PostgresStatement("SELECT pg_backend_pid()::int8")], deadline: soon)
        var reader = RowReader(results[0].rows[0])
        return pid_t(try reader.integer())
    }
}
