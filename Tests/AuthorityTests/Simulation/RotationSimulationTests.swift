import Authority
import Foundation
import PKI
import Testing

/// The laws of rotation, after every event of random histories. A seed that fails is named, and gives the same history again.
@Suite("Laws of rotation", .timeLimit(.minutes(5)))
struct RotationSimulationTests {
    /// More of them, for a hunt: `SIGNET_SIMULATION_SEEDS=400`.
    private static let seeds = UInt64(ProcessInfo.processInfo.environment["SIGNET_SIMULATION_SEEDS"] ?? "") ?? 20

    private struct Outcome {
        var completed = 0
        var aborted = 0
        var sharedAcceptances = 0
        var broken: LawBroken?
        var seed: UInt64 = 0
        var event = 0
    }

    private static func run(
        seed: UInt64, events: Int = 3000, sabotage: Sabotage? = nil, splitsStreams: Bool = false
    ) throws -> Outcome {
        var world = try RotationWorld(seed: seed, sabotage: sabotage, splitsStreams: splitsStreams)
        var outcome = Outcome()
        outcome.seed = seed
        do {
            for _ in 0..<events { try world.step() }
        } catch let broken as LawBroken {
            outcome.broken = broken
            outcome.event = world.event
        }
        outcome.completed = world.bench.ended.filter { $0.phase == .completed }.count
        outcome.aborted = world.bench.ended.filter { $0.phase == .aborted }.count
        outcome.sharedAcceptances = world.sharedAcceptances
        return outcome
    }

    @Test(arguments: [false, true])
    func `the laws hold through joins, leaves, ways back, late answers, refusals and crashes`(splitsStreams: Bool) throws {
        var outcomes: [Outcome] = []
        for seed in 1...Self.seeds {
            let outcome = try Self.run(seed: seed, splitsStreams: splitsStreams)
            if let broken = outcome.broken {
                Issue.record("seed \(seed), event \(outcome.event), split \(splitsStreams): law \(broken.law): \(broken)")
            }
            outcomes.append(outcome)
        }
        // Nothing is shown by a world in which nothing happens.
        #expect(outcomes.map(\.completed).reduce(0, +) >= 15)
        #expect(outcomes.map(\.aborted).reduce(0, +) >= 15)
        #expect(outcomes.map(\.sharedAcceptances).reduce(0, +) >= 300)
    }

    @Test(arguments: Sabotage.allCases)
    func `a step that is skipped, or judged by less, is found out`(sabotage: Sabotage) throws {
        for seed in UInt64(1)...60 {
            if try Self.run(seed: seed, sabotage: sabotage).broken != nil { return }
        }
        Issue.record("no law was broken by \(sabotage)")
    }
}
