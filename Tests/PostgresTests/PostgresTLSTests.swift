import Glibc
import TestSupport
import Testing

@testable import Postgres

/// A real server with TLS on a loopback address of its own.
@Suite("TLS to the database", .serialized, .timeLimit(.minutes(2)))
struct PostgresTLSTests {
    private static let named = "127.83.71.1"
    private static let unnamed = "127.83.71.2"

    private struct Server {
        var directory: String

        func configuration(
            _ mode: PostgresTLS.Mode, root: String? = nil, hosts: [String] = [PostgresTLSTests.named]
        ) throws -> PostgresConfiguration {
            try PostgresConfiguration(
                location: .hosts(hosts.map { PostgresHost(name: $0) }), user: PrivateCluster.user,
                database: PrivateCluster.database,
                tls: PostgresTLS(mode: mode, rootCertificateFile: root.map { "\(directory)/\($0).crt" }))
        }

        /// Nil when the connection came about, else the reason.
        func refusal(_ configuration: PostgresConfiguration) async -> String? {
            do throws(PostgresError) {
                let connection = try await PostgresConnection.open(configuration, deadline: .now + .seconds(10))
                _ = try await connection.execute([PostgresStatement("SELECT 1")], deadline: .now + .seconds(10))
                return nil
            } catch {
                return error.description
            }
        }
    }

    private func openssl(_ arguments: String...) async throws {
        let answer = try await ClusterCommand.run("openssl", arguments)
        try #require(answer.isSuccess, "openssl (apt-get install openssl): \(answer.complaint)")
    }

    private func withServer(_ body: (Server, PostgresConnection) async throws -> Void) async throws {
        try await ScratchCluster.withCluster { cluster, path in
            let local = try await cluster.start()
            for name in ["ca", "foreign"] {
                try await openssl(
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=\(name)", "-keyout", "\(path)/\(name).key", "-out", "\(path)/\(name).crt")
            }
            try await openssl(
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=db", "-addext",
                "subjectAltName=IP:\(Self.named)", "-keyout", "\(path)/data/server.key", "-out", "\(path)/server.csr")
            try await openssl(
                "x509", "-req", "-in", "\(path)/server.csr", "-CA", "\(path)/ca.crt", "-CAkey", "\(path)/ca.key", "-days", "2",
                "-copy_extensions", "copy", "-out", "\(path)/data/server.crt")
            if let account = ServerAccount.needed() {
                for file in ["server.key", "server.crt"] { chown("\(path)/data/\(file)", account.user, account.group) }
            }
            #expect(FileBytes.replace("\(path)/data/pg_hba.conf", with: Self.rules, mode: 0o644))
            let connection = try await PostgresConnection.open(local, deadline: .now + .seconds(10))
            for setting in ["listen_addresses = '\(Self.named),\(Self.unnamed)'", "ssl = on"] {
                _ = try await connection.execute(
                    [PostgresStatement("ALTER SYSTEM SET \(setting)")], deadline: .now + .seconds(10))
            }
            await cluster.stop()
            let again = try await cluster.start()
            try await body(
                Server(directory: path), try await PostgresConnection.open(again, deadline: .now + .seconds(10)))
        }
    }

    private func expectAccepted(_ configuration: PostgresConfiguration, by server: Server) async {
        let refusal = await server.refusal(configuration)
        #expect(refusal == nil, "\(refusal ?? "")")
    }

    private static let rules = "local all all trust\nhostssl all all 127.0.0.0/8 trust\n"

    @Test func `each mode accepts and refuses what its name says`() async throws {
        try await withServer { server, _ in
            try await expectAccepted(server.configuration(.verifyFull, root: "ca"), by: server)
            try await expectAccepted(server.configuration(.verifyCA, root: "ca"), by: server)
            try await expectAccepted(server.configuration(.require), by: server)
            let foreign = await server.refusal(try server.configuration(.verifyFull, root: "foreign"))
            #expect(foreign?.contains("certificate verify failed") == true)
            let foreignCA = await server.refusal(try server.configuration(.verifyCA, root: "foreign"))
            #expect(foreignCA?.contains("certificate verify failed") == true)
            let otherName = await server.refusal(try server.configuration(.verifyFull, root: "ca", hosts: [Self.unnamed]))
            #expect(otherName?.contains("does not match host name") == true)
            try await expectAccepted(server.configuration(.verifyCA, root: "ca", hosts: [Self.unnamed]), by: server)
            let missing = await server.refusal(try server.configuration(.verifyFull, root: "absent"))
            #expect(missing?.contains("absent.crt") == true)
            let plain = await server.refusal(try server.configuration(.disable))
            #expect(plain?.contains("no encryption") == true)
        }
    }

    @Test func `of several hosts the first that answers and writes is taken`() async throws {
        try await withServer { server, connection in
            // Nobody listens on the first address.
            let hosts = ["127.83.71.9", Self.named]
            try await expectAccepted(server.configuration(.verifyFull, root: "ca", hosts: hosts), by: server)
            _ = try await connection.execute(
                [PostgresStatement("ALTER DATABASE signet SET default_transaction_read_only = on")],
                deadline: .now + .seconds(10))
            let standby = await server.refusal(try server.configuration(.verifyFull, root: "ca", hosts: hosts))
            #expect(standby?.contains("read-only") == true)
        }
    }
}
