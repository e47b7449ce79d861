import Testing

@testable import Postgres

@Suite("The database's configuration")
struct PostgresConfigurationTests {
    @Test(arguments: [
        ("db", "db", 5432), ("db.example:6432", "db.example", 6432), ("10.0.0.1:1", "10.0.0.1", 1),
        ("[::1]", "::1", 5432), ("[fe80::1]:99", "fe80::1", 99),
    ])
    func `a host is a name with or without a port`(_ text: String, _ name: String, _ port: UInt16) throws {
        #expect(try PostgresHost(text, key: "hosts") == PostgresHost(name: name, port: port))
    }

    @Test(arguments: ["", ":5432", "db:", "db:0", "db:65536", "db:x", "::1", "[::1", "a,b", "/run/pg", "a b", "db:5432:1"])
    func `what is no host is refused with the key named`(_ text: String) {
        let error = #expect(throws: PostgresConfigurationError.self) { _ = try PostgresHost(text, key: "hosts[1]") }
        #expect(error?.key == "hosts[1]")
    }

    @Test func `TLS modes are those that never fall back unasked`() throws {
        #expect(try PostgresTLS.mode("verify-full") == .verifyFull)
        #expect(try PostgresTLS.mode("verify-ca") == .verifyCA)
        #expect(try PostgresTLS.mode("require") == .require)
        #expect(try PostgresTLS.mode("disable") == .disable)
        for text in ["prefer", "allow", "", "verify_full", "VERIFY-FULL"] {
            #expect(throws: PostgresConfigurationError.self) { _ = try PostgresTLS.mode(text) }
        }
        #expect(PostgresTLS().mode == .verifyFull)
    }

    private func make(
        hosts: [PostgresHost] = [PostgresHost(name: "db")], user: String = "u", tls: PostgresTLS = PostgresTLS(mode: .require),
        timing: PostgresConfiguration.Timing = .init(), poolSize: Int = 1
    ) throws -> PostgresConfiguration {
        try PostgresConfiguration(
            location: .hosts(hosts), user: user, database: "d", password: .literal("hunter2"), tls: tls, timing: timing,
            poolSize: poolSize)
    }

    @Test func `a value that cannot be used is refused with its key`() throws {
        func key(_ body: () throws -> PostgresConfiguration) -> String? {
            do {
                _ = try body()
                return nil
            } catch {
                return (error as? PostgresConfigurationError)?.key
            }
        }
        #expect(key { try make() } == nil)
        #expect(key { try make(hosts: []) } == "hosts")
        #expect(key { try make(user: "") } == "user")
        #expect(key { try make(tls: PostgresTLS()) } == "tls.rootCertificateFile")
        #expect(key { try make(tls: PostgresTLS(mode: .verifyCA)) } == "tls.rootCertificateFile")
        #expect(key { try make(tls: PostgresTLS(mode: .require, certificateFile: "c")) } == "tls.keyFile")
        #expect(key { try make(tls: PostgresTLS(mode: .require, keyFile: "k")) } == "tls.certificateFile")
        #expect(key { try make(timing: .init(statement: .zero)) } == "statementTimeout")
        #expect(key { try make(timing: .init(connect: .seconds(7200))) } == "connectTimeout")
        #expect(key { try make(poolSize: 0) } == "poolSize")
        let long = "/" + String(repeating: "x", count: 95)
        #expect(key { try PostgresConfiguration(socketDirectory: long, user: "u", database: "d") } == "socketDirectory")
        #expect(key { try PostgresConfiguration(socketDirectory: "run", user: "u", database: "d") } == "socketDirectory")
        let fits = "/" + String(repeating: "x", count: UnixSocketPath.maximumBytes - "//.s.PGSQL.5432".utf8.count)
        #expect(key { try PostgresConfiguration(socketDirectory: fits, user: "u", database: "d") } == nil)
    }

    @Test func `a password is in no description`() throws {
        let configuration = try make()
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in [
            "\(configuration)", String(reflecting: configuration), String(describing: configuration.password), dumped,
            String(reflecting: configuration.password), "\(PostgresValue.text("hunter2"))",
            "\(PostgresStatement("SELECT $1", [.text("hunter2"), .bytes(Array("hunter2".utf8))]))",
        ] {
            #expect(!text.contains("hunter2"), "\(text)")
        }
    }

    @Test func `back-off doubles up to its longest, less a random half`() {
        let backoff = Backoff()
        #expect(backoff.delay(afterFailures: 1) { 1 } == .milliseconds(100))
        #expect(backoff.delay(afterFailures: 3) { 1 } == .milliseconds(400))
        #expect(backoff.delay(afterFailures: 3) { 0 } == .milliseconds(200))
        #expect(backoff.delay(afterFailures: 1000) { 1 } == .seconds(5))
    }
}
