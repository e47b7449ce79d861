import AdminWire
import PKI
import Testing

@testable import signet

/// How a rotation is told to people: pages, the live picture and the lines of a log, each from messages and a clock alone.
@Suite struct RotationPictureTests {
    private typealias Blocker = RotationMessage.Blocker

    private static let start = Timestamp(seconds: 1_767_225_600)  // 2026-01-01T00:00:00Z

    private func rotation(
        _ phase: String = "issuing", settled: Int = 0, pending: Int = 0, blockers: [Blocker] = [], kind: String = "replace",
        change: (inout RotationMessage) -> Void = { _ in }
    ) -> RotationMessage {
        var rotation = RotationMessage(
            id: "rot-1", kind: kind, meshes: ["orders", "payments"], certificateAuthority: "corp", previousAuthority: "corp",
            from: "a1", to: "b2", phase: phase, phaseSince: "2026-01-01T00:00:00Z", retireAfter: "expired",
            startedAt: "2025-12-31T23:59:00Z",
            gate: .init(open: pending == 0, settled: settled, pending: pending, blockers: blockers))
        change(&rotation)
        return rotation
    }

    private func blocker(_ proxy: String, _ reason: String, detail: String = "", until: String? = nil) -> Blocker {
        Blocker(
            mesh: reason == "replica" ? nil : "orders", identity: nil, proxy: proxy, node: "n", resource: "ROOTCA",
            reason: reason,
            detail: detail, until: until)
    }

    private func lines(
        _ first: RotationMessage, _ now: RotationMessage, after seconds: Int64, width: Int = 90, most: Int = 3
    ) -> [String] {
        RotationPicture(width: width, mostBlockers: most, usesColour: false).lines(
            first: .init(rotation: first, at: Self.start), now: .init(rotation: now, at: Self.start + .seconds(seconds)))
    }

    @Test func `The picture has the phases in a row, a bar, and who holds the gate with the reason`() {
        let blockers = [
            blocker("web-1", "rejected", detail: "Invalid\npath"), blocker("web-2", "away", until: "2026-01-02T00:00:00Z"),
        ]
        let picture = lines(
            rotation(), rotation(settled: 28, pending: 2, blockers: blockers), after: 65)
        #expect(
            picture == [
                "rot-1: new root of corp for orders, payments (a1 → b2)",
                "  distributing ✓ → [issuing] → withdrawing → completed",
                "  ▕████████████████████████████··▏ 28 settled, 2 pending, for 1 min 5 s",
                "    web-1 (orders): rejected: Invalid path",
                "    web-2 (orders): away, until 2026-01-02T00:00:00Z",
            ])
    }

    @Test func `The time that is left comes from the rate since the phase began to be seen`() {
        let now = rotation(settled: 60, pending: 20, blockers: [blocker("web-1", "pending")])
        #expect(lines(rotation(settled: 20, pending: 60), now, after: 10)[2].hasSuffix("for 10 s, about 5 s"))
        // One that is seen for the first time is judged by all of its phase.
        #expect(lines(now, now, after: 30)[2].hasSuffix("for 30 s, about 10 s"))
    }

    @Test func `The time that is left is that of the latest end where certificates are waited for`() {
        let blockers = [
            blocker("web-1", "unexpired", until: "2026-01-01T01:00:00Z"),
            blocker("web-2", "unsubscribed", until: "2026-01-01T00:10:00Z"), blocker("web-3", "pending"),
        ]
        let picture = lines(rotation(), rotation(settled: 1, pending: 3, blockers: blockers), after: 60, width: 120)
        #expect(picture[2].hasSuffix("for 1 min, about 59 min, until 2026-01-01T01:00:00Z"), "\(picture)")
    }

    @Test(arguments: ["rejected", "silent"]) func `Nobody says when somebody who refuses will follow`(reason: String) {
        let blockers = [blocker("web-1", reason), blocker("web-2", "away", until: "2026-01-01T01:00:00Z")]
        let picture = lines(rotation(settled: 10, pending: 12), rotation(settled: 20, pending: 2, blockers: blockers), after: 10)
        #expect(picture[2].hasSuffix("2 pending, for 10 s"), "\(picture)")
    }

    @Test func `A clock that is wrong makes no nonsense of the picture`() {
        let blockers = [blocker("web-1", "away", until: "2026-01-01T01:00:00Z")]
        let late = lines(rotation(), rotation(settled: 1, pending: 1, blockers: blockers), after: 90_000)
        #expect(late[2].contains("1 pending, for 1 d 1 h"), "\(late)")
        let early = lines(rotation(), rotation(settled: 1, pending: 1, blockers: blockers), after: -90_000)
        #expect(early[2].contains("1 pending, for 0 s"), "\(early)")
    }

    @Test func `Those who do not fit are counted, and no line is wider than the terminal`() {
        let blockers = (1...5).map { blocker("web-\($0)", "rejected", detail: String(repeating: "long words ", count: 20)) }
        let picture = lines(rotation(), rotation(settled: 0, pending: 250, blockers: blockers), after: 1, width: 40, most: 2)
        #expect(picture.count == 6 && picture.last == "    and 248 more", "\(picture)")
        #expect(picture.allSatisfy { $0.count <= 40 } && picture[3].hasSuffix("…"))
    }

    @Test func `A proxy's own words cannot draw on the terminal`() {
        let blockers = [blocker("web-1", "rejected", detail: "\u{1B}[2Jgone\u{202E}")]
        let picture = lines(rotation(), rotation(pending: 1, blockers: blockers), after: 1)
        #expect(picture.last == "    web-1 (orders): rejected: [2Jgone")
        let news = RotationNews.lines(from: nil, to: rotation(pending: 1, blockers: blockers))
        #expect(news.allSatisfy { !$0.contains("\u{1B}") && !$0.contains("\u{202E}") })
    }

    @Test func `Paused and manual ones say what lets them go on`() {
        let paused = lines(rotation(), rotation(settled: 2) { $0.paused = true }, after: 1)
        #expect(paused.last == "  paused: 'signet rotation resume rot-1' lets it go on")
        let open = lines(rotation(), rotation(settled: 2) { $0.manual = true }, after: 1)
        #expect(open.last == "  the gate is open: 'signet rotation advance rot-1' takes it through")
        let shut = lines(rotation(), rotation(pending: 1) { $0.manual = true }, after: 1)
        #expect(shut.last == "  manual: an open gate waits for 'signet rotation advance rot-1'")
        #expect(lines(rotation(), rotation(settled: 2), after: 1)[2].hasSuffix("2 settled, 0 pending, for 1 s, the gate is open"))
    }

    @Test func `The row of phases is that of the kind, and of the way back`() {
        func row(_ phase: String, _ kind: String = "replace") -> String {
            lines(rotation(phase, kind: kind), rotation(phase, kind: kind), after: 0)[1]
        }
        #expect(row("distributing") == "  [distributing] → issuing → withdrawing → completed")
        #expect(row("completed") == "  distributing ✓ → issuing ✓ → withdrawing ✓ → [completed]")
        #expect(row("reverting") == "  [reverting] → aborted")
        #expect(row("aborted") == "  reverting ✓ → [aborted]")
        #expect(row("withdrawing", "revoke") == "  [withdrawing] → completed")
        let coloured = RotationPicture(width: 90, mostBlockers: 1, usesColour: true).lines(
            first: .init(rotation: rotation(), at: Self.start), now: .init(rotation: rotation(), at: Self.start))
        #expect(coloured[1] == "  distributing ✓ → \u{1B}[7m[issuing]\u{1B}[0m → withdrawing → completed")
    }

    @Test func `The bar is full only when nobody is waited for`() {
        #expect(RotationPicture.bar(settled: 0, pending: 0) == "▕" + String(repeating: "█", count: 30) + "▏")
        #expect(RotationPicture.bar(settled: 9999, pending: 1).contains("█·▏"))
        #expect(RotationPicture.bar(settled: 0, pending: 5) == "▕" + String(repeating: "·", count: 30) + "▏")
    }

    @Test func `A log has a line for each thing that changed, and none for what did not`() {
        let events: [RotationMessage.Event] = [
            .init(event: "distributing", at: "t1", actor: "user:root", detail: ""),
            .init(event: "issuing", at: "t2", actor: "system", detail: ""),
            .init(event: "paused", at: "t3", actor: "user:alice", detail: "the night"),
        ]
        let first = rotation("distributing", pending: 1, blockers: [blocker("r1", "replica", detail: "is late")]) {
            $0.events = [events[0]]
        }
        #expect(
            RotationNews.lines(from: nil, to: first) == [
                "rot-1: t1 distributing by user:root",
                "rot-1: distributing: 0 settled, 1 pending; replica r1: is late",
            ])
        #expect(RotationNews.lines(from: first, to: first).isEmpty)
        let later = rotation("issuing", settled: 1) {
            $0.events = events
            $0.paused = true
        }
        #expect(
            RotationNews.lines(from: first, to: later) == [
                "rot-1: t2 issuing by system", "rot-1: t3 paused by user:alice: the night",
                "rot-1: issuing (paused): 1 settled, 0 pending; paused: 'signet rotation resume rot-1' lets it go on",
            ])
        let ended = rotation("completed") {
            $0.events = events + [.init(event: "completed", at: "t4", actor: "system", detail: "")]
            $0.gate = nil
        }
        #expect(RotationNews.lines(from: later, to: ended) == ["rot-1: t4 completed by system"])
        let many = (1...5).map { blocker("web-\($0)", "silent") }
        #expect(
            RotationNews.lines(from: first, to: rotation("distributing", pending: 9, blockers: many)).last
                == "rot-1: distributing: 0 settled, 9 pending; web-1 (orders): silent; web-2 (orders): silent; "
                + "web-3 (orders): silent; and 6 more")
    }

    @Test func `The page says what it does, what holds it, what it waits for, and what happened to it`() {
        let running = rotation(settled: 3, pending: 1, blockers: [blocker("web-1", "silent", detail: "for 31 s")]) {
            $0.trigger = "schedule"
            $0.manual = true
            $0.crossCertificate = .init(notBefore: "t0", notAfter: "t9")
            $0.events = [.init(event: "distributing", at: "t1", actor: "system", detail: "")]
        }
        #expect(
            RotationStatus.page(running) == """
                rot-1: new root of corp for orders, payments (a1 → b2)
                issuing (manual) since 2026-01-01T00:00:00Z, started 2025-12-31T23:59:00Z by the root's age
                a cross certificate covers proxies that are away, until t9
                manual: an open gate waits for 'signet rotation advance rot-1'
                settled: 3, pending: 1

                MESH    IDENTITY  PROXY  NODE  RESOURCE  WHY               UNTIL
                orders  -         web-1  n     ROOTCA    silent: for 31 s  -

                AT  EVENT         BY      DETAIL
                t1  distributing  system  -

                """)
        let unused = rotation("completed") {
            $0.meshes = []
            $0.gate = nil
            $0.endedAt = "t5"
            $0.manual = true
        }
        #expect(
            GetRotation.page(unused) == """
                rot-1: new root of corp, which no mesh uses (a1 → b2)
                completed since 2026-01-01T00:00:00Z, started 2025-12-31T23:59:00Z, ended t5

                """)
        #expect(RotationText.subject(rotation(kind: "revoke")) == "revoked root of corp for orders, payments (a1 → b2)")
    }

    @Test(arguments: ["aborted", "completed"])
    func `One that a revocation ended is said to be superseded, in whatever phase it was left`(phase: String) {
        let superseded = rotation(phase) {
            $0.endedAt = "t"
            $0.duration = "2s"
            $0.gate = nil
            $0.events = [.init(event: "superseded", at: "t", actor: "user:root", detail: "issuer a1 was revoked")]
        }
        #expect(RotationText.end(superseded) == "rotation rot-1 was superseded: issuer a1 was revoked")
        #expect(lines(superseded, superseded, after: 1).dropFirst() == ["  [superseded]"])
        #expect(GetRotation.page(superseded).hasSuffix("\nsuperseded: issuer a1 was revoked\n"))
        // The detail is not everybody's to know.
        var limited = superseded
        limited.events?[0].detail = ""
        #expect(RotationText.end(limited) == "rotation rot-1 was superseded by a revocation")
        limited.kind = "revoke"
        #expect(RevocationText.outcome(limited) == ["the rotation rot-1 was superseded by another revocation after 2 s"])
    }

    @Test func `The end says how long it took, and after an abort what stays off`() {
        func end(_ phase: String, _ kind: String, _ duration: String, heldBy: String? = nil) -> String {
            RotationText.end(
                rotation(phase, kind: kind) {
                    $0.endedAt = "t"
                    $0.duration = duration
                }, heldBy: heldBy)
        }
        #expect(end("completed", "replace", "1s250ms") == "rotation rot-1 completed after 1.2 s")
        #expect(end("completed", "revoke", "0s") == "rotation rot-1 completed after 0 s")
        #expect(end("aborted", "move", "1h1m1s") == "rotation rot-1 was aborted after 1 h 1 min: its old root stays")
        #expect(end("aborted", "replace", "1s") == "rotation rot-1 was aborted after 1 s: its old root stays")
        #expect(
            end("aborted", "replace", "850ms", heldBy: "rot-2").hasSuffix("stay off until 'signet rotation resume rot-2'"))
    }

    @Test func `The list of rotations shows the kind, and what is held`() throws {
        let list = JSONValue.object([
            .init(
                "items",
                .array([
                    try JSONValue(parsing: String(decoding: WireJSON.encode(rotation { $0.paused = true }), as: UTF8.self))
                ]))
        ])
        #expect(
            try GetRotations.table(list) == """
                ID     KIND     MESHES           FROM CA  TO CA  PHASE             SINCE                 STARTED
                rot-1  replace  orders,payments  corp     corp   issuing (paused)  2026-01-01T00:00:00Z  2025-12-31T23:59:00Z

                """)
    }

    @Test func `A forecast is told in words`() {
        let preview = RotationPreviewMessage(
            rotation: rotation("distributing"),
            forecast: .init(
                connected: 1200, reissue: "2s", distributing: [blocker("web-1", "silent")],
                issuing: [blocker("job-1", "unsubscribed", until: "2026-01-02T00:00:00Z")], lastExpiry: "2026-01-03T00:00:00Z",
                crossCertified: true), warnings: [])
        #expect(
            ForecastText.page(preview) == """
                certificate authority 'corp' would get a new root in place of a1, for orders, payments
                  distributing: 1200 connected proxies would be sent a bundle with both roots; held by 1:
                    web-1 (orders): silent
                  issuing: certificates would be replaced, which takes about 2 s; held by 1:
                    job-1 (orders): unsubscribed, until 2026-01-02T00:00:00Z
                  withdrawing: the old root would go when the last certificate under it has ended, 2026-01-03T00:00:00Z
                  chains would carry a cross certificate: proxies that are away would hold nothing up before that

                """)
    }

    @Test func `A revocation names who has not followed, proxies and replicas apart`() {
        let blockers = [blocker("web-1", "silent", detail: "for 31 s"), blocker("r1", "replica", detail: "is late")]
        let text = RevocationText.outcome(rotation("withdrawing", pending: 4, blockers: blockers, kind: "revoke"))
        #expect(text.count == 3 && text[0].contains("web-1") && !text[0].contains("r1 "), "\(text)")
        #expect(text[1].contains("replicas") && text[1].contains("r1") && text[2].contains("2 more"))
        let ended = rotation("completed", kind: "revoke") {
            $0.endedAt = "t"
            $0.duration = "420ms"
        }
        #expect(RevocationText.outcome(ended) == ["every connected proxy had acknowledged after 420 ms"])
        #expect(
            RevocationText.head(
                .init(revoked: ["a1", "c3"], newIssuer: "b2", rotation: "rot-1", warnings: []), authority: "corp"
            ).count == 3)
        #expect(RevocationText.openConnections.joined().contains("drain_listeners?graceful"))
    }
}
