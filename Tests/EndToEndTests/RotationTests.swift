import Foundation
import TestSupport
import Testing

/// The root of a CA that two meshes share is replaced while four Envoys talk, within and across: leaves of 20 seconds, 100 requests a
/// second, each a handshake of its own.
@Suite(.serialized, .timeLimit(.minutes(6))) struct RotationTests {
    @Test func `a planned rotation costs no request, and the old root is nowhere at its end`() async throws {
        try await World.open("rotation") { world in
            try await world.applyCorp(retireAfter: "expired")
            let estate = try await world.startEstate()
            let old = try await world.activeRoot(of: "corp")
            let before = try await estate.handshakes()

            let (watched, report) = try await Traffic.run(to: estate.targets, every: Estate.pace) { traffic in
                try await traffic.waitForSuccesses(100)
                let dry = try await world.signet.command("ca", "rotate", "corp", "--dry-run")
                #expect(!dry.isEmpty)
                #expect(try await world.rotations().isEmpty, "a dry run starts nothing")
                let watched = try await world.signet.commandLine.run(
                    ["ca", "rotate", "corp", "--retire-after", "reissued", "--watch"], within: .seconds(90))
                let again = try await world.rotations()
                #expect(again.map(\.phase) == ["completed"], "\(again)")
                try await traffic.waitForSuccesses(100)
                return watched
            }

            #expect(watched.status == 0, "\(watched)")
            for phase in ["distributing", "issuing", "withdrawing", "completed"] {
                #expect(watched.output.contains(phase), "\(watched)")
            }
            #expect(report.failed == 0, "\(report)")
            #expect(try await estate.handshakes() - before >= report.total, "every request is a handshake of its own")
            let rotation = try await world.rotation(try #require(try await world.rotations().first).id)
            #expect(rotation.kind == "replace" && rotation.trigger == "operator")
            let events = rotation.events?.map(\.event) ?? []
            #expect(events == ["distributing", "issuing", "withdrawing", "completed"], "\(events)")
            let new = try await world.activeRoot(of: "corp")
            #expect(new.id != old.id)
            try await world.expectOnly(new, in: estate.proxies, insteadOf: [old])
        }
    }

    @Test func `a root that comes of age is replaced by itself without a failed request`() async throws {
        try await World.open("age") { world in
            try await world.applyCorp(expiration: "70s")
            let estate = try await world.startEstate()
            let old = try await world.activeRoot(of: "corp")
            #expect(try await world.rotations().isEmpty, "half of the root's life is still to come")

            let (_, report) = try await Traffic.run(to: estate.targets, every: Estate.pace) { traffic in
                try await eventually(within: .seconds(60), "a rotation that nobody started", every: .milliseconds(500)) {
                    try await !world.rotations().isEmpty
                }
                let id = try #require(try await world.rotations().first).id
                try await world.waitForPhase("completed", of: id, within: .seconds(40))
                let rotation = try await world.rotation(id)
                #expect(rotation.kind == "replace" && rotation.trigger == "schedule", "\(rotation)")
                #expect(rotation.events?.allSatisfy { $0.actor == "system" } == true, "\(rotation)")
                try await world.expectOnly(
                    try await world.activeRoot(of: "corp"), in: estate.proxies, insteadOf: [old])
                try await traffic.waitForSuccesses(100)
            }

            #expect(report.failed == 0, "\(report)")
            #expect(try await world.activeRoot(of: "corp").id != old.id)
        }
    }

    @Test func `a rotation that is aborted leaves everything as it was, from either phase, and costs no request`() async throws {
        try await World.open("abort") { world in
            try await world.applyCorp()
            let estate = try await world.startEstate()
            let old = try await world.activeRoot(of: "corp")

            let (_, report) = try await Traffic.run(to: estate.targets, every: Estate.pace) { traffic in
                try await traffic.waitForSuccesses(50)
                for phase in ["distributing", "issuing"] {
                    try await world.signet.command("ca", "rotate", "corp", "--manual")
                    let running = try await world.runningRotation()
                    try await world.waitForOpenGate(of: running.id, in: "distributing")
                    let twice = try await world.signet.commandLine.run(["ca", "rotate", "corp"])
                    #expect(twice.status == 1 && twice.errors.contains(running.id), "\(twice)")
                    if phase == "issuing" {
                        try await world.signet.command("rotation", "advance", running.id)
                        try await world.waitForOpenGate(of: running.id, in: "issuing")
                        #expect(try await world.activeRoot(of: "corp").id != old.id)
                    }
                    // Longer than the dwell: it waits for a hand.
                    try await traffic.waitForSuccesses(200)
                    #expect(try await world.rotation(running.id).phase == phase)

                    try await world.signet.command("rotation", "abort", running.id)
                    try await world.waitForPhase("aborted", of: running.id)
                    try await world.expectOnly(old, in: estate.proxies, insteadOf: [])
                    let events = try await world.rotation(running.id).events?.map(\.event) ?? []
                    #expect(Array(events.suffix(2)) == ["reverting", "aborted"], "\(events)")
                    let authority = try await world.signet.command("get", "ca", "corp", "-o", "json")
                    #expect(authority.contains("automaticHeld"), "rotation by age is held: \(authority)")
                    try await world.signet.command("rotation", "resume", running.id)
                    let resumed = try await world.signet.command("get", "ca", "corp", "-o", "json")
                    #expect(resumed != authority, "and goes on when that is resumed")
                    let refused = try await world.signet.commandLine.run(["rotation", "abort", running.id])
                    #expect(refused.status == 1 && refused.errors.contains("aborted"), "\(refused)")
                }
                try await traffic.waitForSuccesses(50)
            }

            #expect(report.failed == 0, "\(report)")
        }
    }

    @Test func `another key type in the CA's document replaces its root without a failed request`() async throws {
        try await World.open("keytype") { world in
            try await world.applyCorp()
            let estate = try await world.startEstate()
            let old = try await world.activeRoot(of: "corp")

            let (_, report) = try await Traffic.run(to: estate.targets, every: Estate.pace) { traffic in
                try await traffic.waitForSuccesses(50)
                try await world.applyCorp(keyType: "EC-P384", retireAfter: "expired")
                try await world.waitForRotations()
                #expect(try await world.rotations().map(\.phase) == ["completed"])
                try await traffic.waitForSuccesses(50)
            }

            #expect(report.failed == 0, "\(report)")
            let new = try await world.activeRoot(of: "corp")
            try await world.expectOnly(new, in: estate.proxies, insteadOf: [old])
            let text = try await Tool.openssl.output(["x509", "-noout", "-text"], input: new.certificate)
            #expect(text.contains("secp384r1"), "\(text)")
            let document = try await world.signet.command("get", "ca", "corp", "-o", "yaml")
            #expect(document.contains("EC-P384"), "\(document)")
        }
    }
}
