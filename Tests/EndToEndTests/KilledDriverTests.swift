import Foundation
import TestSupport
import Testing

/// The replica that drives a rotation dies at a commit. Another one stands beside it, over the same PostgreSQL, and the dead one is started
/// anew at once, for its proxies: either may take over.
@Suite(.serialized, .timeLimit(.minutes(3))) struct KilledDriverTests {
    /// Where it dies.
    struct Point: Sendable, CustomTestStringConvertible {
        let moment: String
        let action: String

        var failpoint: String { "kill-\(moment)-commit:\(action)" }
        var testDescription: String { failpoint }

        static let actions = ["rotation-started", "rotation-issuing", "rotation-withdrawing", "rotation-completed"]
        static let all = actions.flatMap { action in ["before", "after"].map { Point(moment: $0, action: action) } }
        /// Half a minute each: the dead replica has to be given up first.
        static let short = [
            Point(moment: "before", action: "rotation-issuing"), Point(moment: "after", action: "rotation-withdrawing"),
        ]
        static let others = all.filter { point in !short.contains { $0.failpoint == point.failpoint } }
    }

    @Test(arguments: Soak.cases(Point.short, soak: Point.others))
    func `a kill -9 of the driver at a commit costs no request, and another takes the rotation to its end`(
        _ point: Point
    ) async throws {
        try await Fleet.open("driver") { fleet in
            let (driver, _) = try await fleet.start(failpointOfFirst: point.failpoint)
            try await fleet.makeMesh()
            let pair = try await fleet.startPair()
            let old = try await fleet.second.commandLine.output(["bundle", "show", "--mesh", "red"])

            let (_, report) = try await Traffic.run(to: fleet.targets(pair)) { traffic in
                try await traffic.waitForSuccesses(50)
                let started = try await fleet.first.commandLine.run(["ca", "rotate", "corp"])
                #expect((started.status == 0) == (point.action != "rotation-started"), "\(started)")
                try await driver.waitForEnd(within: .seconds(60))
                #expect(driver.end == .signaled(SIGKILL), "it died of nothing else")

                let wasCommitted = point.moment == "after"
                let event =
                    point.action == "rotation-started" ? "distributing" : String(point.action.dropFirst("rotation-".count))
                let seen = try await fleet.shell.query("SELECT count(*) FROM rotation_event WHERE event = '\(event)'")
                #expect(seen == (wasCommitted ? "1" : "0"))
                if point.action == "rotation-started", !wasCommitted {
                    try await fleet.second.commandLine.output(["ca", "rotate", "corp"])
                }
                let again = try await fleet.first.launch()
                try await fleet.watchLaws(within: .seconds(100), until: "the end of the rotation") {
                    try await fleet.rotations(at: fleet.second).map(\.phase) == ["completed"]
                }
                try await fleet.first.waitUntilReady(again)
                try await traffic.waitForSuccesses(100)
            }

            #expect(report.failed == 0, "\(report)")
            let id = try #require(try await fleet.rotations(at: fleet.second).first).id
            let events = try await fleet.rotation(id, at: fleet.second).events?.map(\.event) ?? []
            #expect(events == ["distributing", "issuing", "withdrawing", "completed"], "each once: \(events)")
            try await fleet.expectAtRest(pair, insteadOf: old)
        }
    }
}
