import Foundation
import Postgres
import TestSupport
import Testing

/// Many at once, and a database that goes away.
@Suite(.serialized, .timeLimit(.minutes(4))) struct RotationFaultTests {
    @Test func `of fifty starts at once, at two replicas, one rotation comes, and 49 are told that it runs`() async throws {
        try await Fleet.open("fifty") { fleet in
            _ = try await fleet.start()
            try await fleet.makeMesh()
            let ports = [fleet.first, fleet.second]
            let answers = try await Tool.python().output(
                ["-c", Self.starts, fleet.first.certificate] + ports.flatMap { ["\($0.adminPort)", $0.tokenFile] },
                within: .seconds(60))
            let statuses = answers.split(separator: "\n").map(String.init)
            #expect(statuses.count == 50, "\(answers)")
            #expect(statuses.filter { $0 == "201" }.count == 1, "\(answers)")
            #expect(statuses.filter { $0 == "409" }.count == 49, "\(answers)")
            #expect(try await fleet.shell.query("SELECT count(*) FROM rotation") == "1")
            let roots = try await fleet.shell.query("SELECT count(*) FROM issuer WHERE certificate_authority = 'corp'")
            #expect(roots == "2", "no root is left over")
            #expect(try await fleet.shell.brokenLaws().isEmpty)
        }
    }

    /// Prints the status of each.
    private static let starts = """
        import concurrent.futures, ssl, sys, threading, urllib.error, urllib.request
        context = ssl.create_default_context(cafile=sys.argv[1])
        servers = [(sys.argv[2], open(sys.argv[3]).read().strip()), (sys.argv[4], open(sys.argv[5]).read().strip())]
        ready = threading.Barrier(50)
        def start(number):
            port, token = servers[number % 2]
            request = urllib.request.Request(
                f'https://localhost:{port}/certificate-authorities/corp/rotations', method='POST',
                headers={'authorization': f'Bearer {token}'})
            ready.wait()
            try:
                with urllib.request.urlopen(request, context=context, timeout=50) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                return error.code
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            for status in pool.map(start, range(50)):
                print(status)
        """

    /// What becomes of the database.
    enum Fault: String, Sendable, CustomTestStringConvertible {
        /// In each phase.
        case restart
        /// In `issuing`: a synchronous standby takes over.
        case failover

        var testDescription: String { rawValue }
    }

    @Test(arguments: Soak.cases([Fault.restart], soak: [.failover]))
    func `a database that goes away in the middle of a rotation and comes back costs no request, and the rotation completes`(
        _ fault: Fault
    ) async throws {
        try await Workspace.open("database") { workspace in
            let standby = try await Standby(in: workspace, isNeeded: fault == .failover)
            do {
                try await Fleet.open(in: workspace, over: standby.configuration) { fleet in
                    try await expectCompletion(in: fleet, through: fault, of: standby)
                }
            } catch {
                await standby.stop()
                throw error
            }
            await standby.stop()
        }
    }

    private func expectCompletion(in fleet: Fleet, through fault: Fault, of standby: Standby) async throws {
        _ = try await fleet.start()
        try await fleet.makeMesh()
        let pair = try await fleet.startPair()
        let old = try await fleet.first.commandLine.output(["bundle", "show", "--mesh", "red"])

        let (_, report) = try await Traffic.run(to: fleet.targets(pair)) { traffic in
            try await traffic.waitForSuccesses(50)
            try await fleet.first.commandLine.output(["ca", "rotate", "corp", "--manual"])
            let id = try #require(try await fleet.rotations(at: fleet.first).first).id
            for phase in ["distributing", "issuing", "withdrawing"] {
                switch fault {
                case .restart: try await standby.restartPrimary()
                case .failover: if phase == "issuing" { try await standby.promote() }
                }
                try await fleet.watchLaws(within: .seconds(60), until: "an open gate in \(phase)") {
                    let rotation = try await fleet.rotation(id, at: fleet.second)
                    return rotation.phase == phase && rotation.gate?.open == true
                }
                try await fleet.second.commandLine.output(["rotation", "advance", id])
            }
            #expect(try await fleet.rotation(id, at: fleet.second).phase == "completed")
            try await traffic.waitForSuccesses(50)
        }

        #expect(report.failed == 0, "\(report)")
        try await fleet.expectAtRest(pair, insteadOf: old)
    }
}
