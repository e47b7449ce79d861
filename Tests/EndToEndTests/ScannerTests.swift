import Foundation
import TestSupport
import Testing

/// Every door under the eyes of sslyze, which knows the weaknesses of twenty years of TLS servers.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScannerTests {
    @Test func `a scanner finds nothing on any door`() async throws {
        try await World.open("scanner") { world in
            try await world.makeMesh("payments")
            let token = try await world.makeToken("web.token", mesh: "payments", service: "web")
            let identity = try await world.fetchIdentity(token: token, named: "web")
            let signet = world.signet
            let open = try await Scanner.scan(
                [signet.sdsPort, signet.adminPort], authority: signet.authorityFile, in: world.workspace)
            #expect(Set(open.map(\.serverLocation.port)) == [signet.sdsPort, signet.adminPort])
            for report in open {
                let findings = ScanVerdict(on: report, withClientCertificate: false).findings
                #expect(findings.isEmpty, "port \(report.serverLocation.port)")
            }
            let closed = try await Scanner.scan(
                [signet.mtlsPort], authority: signet.authorityFile, identity: identity, in: world.workspace)
            #expect(closed.map(\.serverLocation.port) == [signet.mtlsPort])
            for report in closed {
                #expect(ScanVerdict(on: report, withClientCertificate: true).findings.isEmpty)
            }
            let shut = try await Scanner.scan([signet.mtlsPort], authority: signet.authorityFile, in: world.workspace)
            #expect(shut.map(\.serverLocation.port) == [signet.mtlsPort])
            for report in shut { #expect(ScanVerdict(onStrangerAt: report).findings.isEmpty) }
            let still = try await world.sdsClient(world.mtlsArguments(identity) + ["fetch", "ROOTCA"])
            #expect(still.status == 0, "the door works after the scan: \(still)")
        }
    }

    @Test func `the scanner finds what is wrong with a server that speaks TLS 1.2 and has a certificate of its own making`()
        async throws
    {
        try await Workspace.open("scanned") { workspace in
            let (key, certificate) = (workspace.file("key.pem"), workspace.file("certificate.pem"))
            try await Tool.openssl.output([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "400", "-keyout", key,
                "-out", certificate,
            ])
            let port = try Ports.free()
            let server = ChildProcess(
                name: "openssl s_server", executable: "/usr/bin/env",
                arguments: ["openssl", "s_server", "-accept", "\(port)", "-cert", certificate, "-key", key, "-www"],
                logPath: workspace.file("server.log"))
            try await workspace.processes.start(server)
            try await eventually(within: .seconds(10), "openssl s_server") { server.log.contains("ACCEPT") }
            let reports = try await Scanner.scan([port], authority: certificate, in: workspace)
            let report = try #require(reports.first)
            let findings = ScanVerdict(on: report, withClientCertificate: false).findings
            for expected in [
                "it speaks TLS 1.2", "its key is not P-256", "its certificate lives 400 days",
                "it resumes by a ticket of TLS 1.2",
            ] {
                #expect(findings.contains(expected), "\(findings)")
            }
            #expect(
                ScanVerdict(onStrangerAt: report).findings.contains("a client certificate is DISABLED and not REQUIRED"))
        }
    }
}

/// sslyze, from the environment that `make test` puts it in.
enum Scanner {
    /// Scans servers on localhost; `authority` is the file of the root that their certificates must lead to.
    static func scan(
        _ ports: [Int], authority: String, identity: FetchedIdentity? = nil, in workspace: Workspace
    ) async throws -> [ScanReport] {
        let output = workspace.file("scan.\(ports.map(String.init).joined(separator: "-")).json")
        let scans = [
            "certinfo", "sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3", "compression", "early_data", "openssl_ccs",
            "heartbleed", "robot", "fallback", "reneg", "resum", "elliptic_curves",
        ]
        let client = identity.map { ["--cert", $0.chain, "--key", $0.key] } ?? []
        let tool = Tool(Repository.path(".venv/sslyze/bin/python"), install: "make test installs it")
        // Its exit code is its own verdict by Mozilla's profile, which is not asked for; what it saw is in the file.
        let result = try await tool.run(
            ["-m", "sslyze", "--quiet", "--mozilla_config", "disable", "--certinfo_ca_file", authority, "--json_out", output]
                + scans.map { "--\($0)" } + client + ports.map { "localhost:\($0)" },
            within: .seconds(120))
        guard let json = try? String(contentsOfFile: output, encoding: .utf8) else { throw Tool.Failed(result: result) }
        return try ScanReport.all(in: json)
    }
}
