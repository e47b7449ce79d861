import AdminWire
import Authority
import AuthorityService
import Hummingbird
import PKI
import TestSupport
import Testing

/// Rotations that are started and steered, and roots that are revoked, by the admin API.
@Suite struct ReplacementRouteTests {
    private static let rotations = "/certificate-authorities/default.ca-1/rotations"

    private func post(
        _ bench: AdminBench, _ path: String, _ body: String? = nil, token: String? = nil
    ) async throws -> AdminBench.Answer {
        try await bench.send(
            .post, path, token: token ?? bench.admin, type: body == nil ? nil : "application/json", body: body)
    }

    private func rotation(_ answer: AdminBench.Answer) throws -> RotationMessage {
        try WireJSON.decode(RotationMessage.self, from: Array(answer.text.utf8))
    }

    @Test func `a rotation starts with a place where it is found, and a second is refused while it runs`() async throws {
        try await AdminBench.run { bench in
            let before = try #require(bench.authority.state.activeIssuer(of: MeshName("default"))).id.text
            let answer = try await post(bench, Self.rotations)
            #expect(answer.status == 201, "\(answer.text)")
            let started = try rotation(answer)
            #expect(answer.headers[.location] == "/rotations/\(started.id)")
            #expect(started.kind == "replace" && started.trigger == "operator" && started.phase == "distributing")
            #expect(started.meshes == ["default"] && started.from == before && started.to != before)
            #expect(started.certificateAuthority == "default.ca-1" && started.previousAuthority == "default.ca-1")
            #expect(!started.manual && !started.paused && started.retireAfter == "expired")
            #expect(started.crossCertificate != nil && started.gate == nil && started.warnings == nil)

            let read = try rotation(try await bench.send(.get, "/rotations/\(started.id)"))
            #expect(read.gate != nil && read.events?.map(\.event) == ["distributing"])
            #expect(read.events?.first?.actor == "user:root" && read.leftBehind == nil)
            let second = try await post(bench, Self.rotations, "{}")
            #expect(second.status == 409 && second.problem?.detail.contains(started.id) == true, "\(second.text)")
            #expect(try await post(bench, Self.rotations + "?dryRun=true").status == 409)
            #expect(try await post(bench, "/certificate-authorities/none/rotations").status == 404)
        }
    }

    @Test func `what is asked of a rotation is what it has`() async throws {
        try await AdminBench.run { bench in
            let corp = #"{"type":"CertificateAuthority","name":"corp","keyType":"EC-P256"}"#
            #expect(try await bench.put("/certificate-authorities/corp", corp).status == 201)
            let rotations = "/certificate-authorities/corp/rotations"
            let answer = try await post(bench, rotations, #"{"manual":true,"retireAfter":"reissued","keyType":"EC-P384"}"#)
            let started = try rotation(answer)
            #expect(started.manual && started.retireAfter == "reissued", "\(answer.text)")
            let authority = try await bench.send(.get, "/certificate-authorities/corp")
            #expect(authority.json?["keyType"] == .string("EC-P384"), "\(authority.text)")
        }
    }

    @Test func `a dry run says what a rotation would meet, and starts none`() async throws {
        try await AdminBench.run { bench in
            let before = bench.authority.state
            let answer = try await post(bench, Self.rotations + "?dryRun=true", #"{"retireAfter":"reissued"}"#)
            #expect(answer.status == 200 && answer.headers[.location] == nil, "\(answer.text)")
            let preview = try WireJSON.decode(RotationPreviewMessage.self, from: Array(answer.text.utf8))
            #expect(preview.rotation.meshes == ["default"] && preview.rotation.retireAfter == "reissued")
            #expect(preview.forecast.connected == 0 && preview.forecast.crossCertified && preview.forecast.lastExpiry == nil)
            #expect(bench.authority.state.isSame(as: before))
            #expect(try await bench.send(.get, "/rotations").json?["total"] == .number("0"))
        }
    }

    @Test(arguments: [
        // A mesh's own CA has its key type from the mesh's document.
        (#"{"keyType":"EC-P384"}"#, "keyType"), (#"{"manuel":true}"#, "manuel"), (#"{"retireAfter":"soon"}"#, "retireAfter"),
        (#"{"keyType":"RSA-1024"}"#, "keyType"),
        (#"{"cert":{"inlineString":"-----BEGIN CERTIFICATE-----"}}"#, "key"),
        (
            #"{"cert":{"inlineString":"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"},"key":{"inlineString":"-----BEGIN PRIVATE KEY-----\n"}}"#,
            "cert"
        ),
    ]) func `a start that cannot be is refused with the field's name`(body: String, field: String) async throws {
        try await AdminBench.run { bench in
            let answer = try await post(bench, Self.rotations, body)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.problem?.invalidParameters?.first?.field == field, "\(answer.text)")
            #expect(bench.authority.state.rotations.isEmpty)
        }
    }

    @Test func `a rotation obeys what makes sense and refuses the rest with the reason`() async throws {
        try await AdminBench.run { bench in
            let started = try rotation(try await post(bench, Self.rotations))
            let path = "/rotations/\(started.id)"
            func refused(_ order: String, _ body: String? = nil, status: Int, _ words: String) async throws {
                let answer = try await post(bench, "\(path)/\(order)", body)
                #expect(answer.status == status && answer.problem?.detail.contains(words) == true, "\(order): \(answer.text)")
            }
            try await refused("resume", status: 409, "not paused")
            // Another replica has not confirmed the phase: it could not sign.
            try await bench.ledger.report(nil, of: "another")
            try await refused("advance", status: 409, "holds")
            try await refused("advance", #"{"force":true,"reason":"drill"}"#, status: 409, "nothing forces that")
            try await refused("advance", #"{"force":true}"#, status: 400, "reason")
            try await refused("pause", #"{"force":true}"#, status: 400, "force")
            try await refused("abort", #"{"reason":""}"#, status: 400, "reason")

            let paused = try rotation(try await post(bench, "\(path)/pause", #"{"reason":"the night"}"#))
            #expect(paused.paused && paused.gate != nil && paused.events?.last?.event == "paused")
            #expect(paused.events?.last?.detail == "the night")
            try await refused("pause", status: 409, "paused already")
            let resumed = try rotation(try await post(bench, "\(path)/resume"))
            #expect(!resumed.paused && resumed.events?.map(\.event) == ["distributing", "paused", "resumed"])

            let held = "/certificate-authorities/default.ca-1"
            #expect(try await bench.send(.get, held).json?["automaticHeld"] == nil)
            let aborted = try rotation(try await post(bench, "\(path)/abort", "{}"))
            #expect(aborted.phase == "reverting" && aborted.events?.last?.event == "reverting")
            #expect(try await bench.send(.get, held).json?["automaticHeld"] == .bool(true))
            try await refused("abort", status: 409, "on its way back")
            for order in ["advance", "pause", "resume", "abort"] {
                let answer = try await post(bench, "/rotations/rot-0123456789abcdef/\(order)")
                #expect(answer.status == 404 && answer.problem?.detail.contains("rot-0123456789abcdef") == true)
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a rotation by hand goes from gate to gate, and one that was aborted holds those by age until it is resumed`()
        async throws
    {
        try await AdminBench.run { bench in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await bench.authority.run() }
                defer { group.cancelAll() }
                func wait(_ path: String, _ what: String, _ isThere: @Sendable (RotationMessage) -> Bool) async throws {
                    try await eventually(within: .seconds(20), what) {
                        bench.clock.advance(by: .seconds(1))
                        return isThere(try rotation(try await bench.send(.get, path)))
                    }
                }
                let started = try rotation(try await post(bench, Self.rotations, #"{"manual":true}"#))
                let path = "/rotations/\(started.id)"
                for next in ["issuing", "withdrawing", "completed"] {
                    try await wait(path, "an open gate before \(next)") { $0.gate?.open == true }
                    let answer = try await post(bench, "\(path)/advance", #"{"reason":"looks well"}"#)
                    #expect(try rotation(answer).phase == next, "\(answer.text)")
                }
                let ended = try rotation(try await bench.send(.get, path))
                #expect(ended.endedAt != nil && ended.duration != nil && ended.gate == nil && ended.leftBehind == nil)
                #expect(ended.events?.map(\.event) == ["distributing", "issuing", "withdrawing", "completed"])
                #expect(try await post(bench, "\(path)/abort").status == 409)

                let other = try rotation(try await post(bench, Self.rotations))
                let otherPath = "/rotations/\(other.id)"
                #expect(try await post(bench, "\(otherPath)/abort").status == 200)
                try await wait(otherPath, "the abort") { $0.phase == "aborted" }
                let held = try await bench.send(.get, "/certificate-authorities/default.ca-1")
                #expect(held.json?["automaticHeld"] == .bool(true) && held.json?["automaticHeldBy"] == .string(other.id))
                #expect(try rotation(try await post(bench, "\(otherPath)/resume")).phase == "aborted")
                let free = try await bench.send(.get, "/certificate-authorities/default.ca-1")
                #expect(free.json?["automaticHeld"] == nil && free.json?["automaticHeldBy"] == nil, "\(free.text)")
                #expect(try await post(bench, "\(otherPath)/resume").status == 409)
            }
        }
    }

    @Test func `an order with If-Match is obeyed in the state that was read alone`() async throws {
        try await AdminBench.run { bench in
            let path = "/rotations/\(try rotation(try await post(bench, Self.rotations, #"{"manual":true}"#)).id)"
            func order(_ name: String, ifMatch tag: String, token: String? = nil) async throws -> AdminBench.Answer {
                try await bench.send(.post, "\(path)/\(name)", token: token ?? bench.admin, headers: [.ifMatch: tag])
            }
            let tag = try #require(try await bench.send(.get, path).headers[.eTag])
            #expect(!tag.hasPrefix("W/"))
            for name in ["advance", "pause", "resume", "abort"] {
                for other in [#""distributing-0""#, "W/" + tag] {
                    let answer = try await order(name, ifMatch: other)
                    #expect(answer.status == 412 && answer.problem?.detail.contains("read it again") == true, "\(answer.text)")
                }
                #expect(try await order(name, ifMatch: "none").status == 400)
            }
            #expect(try await bench.send(.get, path).headers[.eTag] == tag)
            #expect(try await order("pause", ifMatch: tag).status == 200)
            // It is the same phase, but not what whoever read it saw.
            #expect(try await order("resume", ifMatch: tag).status == 412)
            #expect(try await order("resume", ifMatch: "*").status == 200)
            let resumed = try #require(try await bench.send(.get, path).headers[.eTag])
            #expect(resumed != tag)
            #expect(try await order("abort", ifMatch: #""x", "# + resumed).status == 200)
            #expect(try await order("abort", ifMatch: resumed).status == 412)
            #expect(
                try await bench.send(.post, "/rotations/rot-0123456789abcdef/pause", headers: [.ifMatch: "*"]).status == 404)
            // Whoever may not know of it learns nothing by a guess.
            try await bench.putMesh("elsewhere")
            let stranger = try await bench.userToken(.operator, meshes: ["elsewhere"])
            #expect(try await order("pause", ifMatch: tag, token: stranger).status == 403)
        }
    }

    @Test func `of a certificate authority's issuers, those that count now are told from those of before`() async throws {
        try await AdminBench.run { bench in
            func authority(_ name: String, token: String? = nil) async throws -> CertificateAuthorityMessage {
                let answer = try await bench.send(.get, "/certificate-authorities/\(name)", token: token ?? bench.admin)
                return try WireJSON.decode(CertificateAuthorityMessage.self, from: Array(answer.text.utf8))
            }
            func revoke(_ issuer: String, of name: String) async throws {
                let answer = try await post(
                    bench, "/certificate-authorities/\(name)/issuers/\(issuer)/revoke", #"{"reason":"drill"}"#)
                #expect(answer.status == 200, "\(answer.text)")
            }
            let first = try await authority("default.ca-1")
            #expect(first.currentIssuers == first.issuers && first.issuers.count == 1)
            let running = try rotation(try await post(bench, Self.rotations))
            #expect(try await Set(authority("default.ca-1").currentIssuers) == [running.from, running.to])
            try await revoke(running.from, of: "default.ca-1")
            let after = try await authority("default.ca-1")
            let active = try #require(bench.authority.state.activeIssuer(of: MeshName("default"))).id.text
            #expect(after.currentIssuers == [active] && after.issuers.count > 1)

            // One that no mesh uses: whoever joins gets the newest that was not revoked.
            _ = try await bench.put("/certificate-authorities/spare", #"{"type":"CertificateAuthority","name":"spare"}"#)
            let old = try #require(try await authority("spare").currentIssuers.first)
            try await revoke(old, of: "spare")
            let spare = try await authority("spare")
            #expect(!spare.currentIssuers.contains(old) && spare.currentIssuers.count == spare.issuers.count - 1)
        }
    }

    @Test func `a revoked root signs nothing any more, and the answer says what took its place`() async throws {
        try await AdminBench.run { bench in
            let mesh = try MeshName("default")
            let old = try #require(bench.authority.state.activeIssuer(of: mesh)).id.text
            let issuers = "/certificate-authorities/default.ca-1/issuers"
            for body in ["{}", #"{"reason":" "}"#, #"{"reason":"x","why":"y"}"#] {
                #expect(try await post(bench, "\(issuers)/\(old)/revoke", body).status == 400, "\(body)")
            }
            #expect(try await post(bench, "\(issuers)/\(old)/revoke").status == 400)
            #expect(try await post(bench, "\(issuers)/0000000000000000/revoke", #"{"reason":"x"}"#).status == 404)
            #expect(bench.authority.state.activeIssuer(of: mesh)?.id.text == old)

            let running = try rotation(try await post(bench, Self.rotations))
            let answer = try await post(bench, "\(issuers)/\(old)/revoke", #"{"reason":"key copied from a backup"}"#)
            #expect(answer.status == 200, "\(answer.text)")
            let revoked = try WireJSON.decode(IssuerRevocationMessage.self, from: Array(answer.text.utf8))
            #expect(revoked.revoked == [old] && revoked.warnings.isEmpty)
            let new = try #require(revoked.newIssuer)
            #expect(bench.authority.state.activeIssuer(of: mesh)?.id.text == new && new != running.to)
            let superseded = try rotation(try await bench.send(.get, "/rotations/\(running.id)"))
            #expect(superseded.phase == "aborted" && superseded.events?.last?.event == "superseded")
            let following = try rotation(try await bench.send(.get, "/rotations/\(try #require(revoked.rotation))"))
            #expect(following.kind == "revoke" && following.phase == "withdrawing" && following.to == new)
            #expect(try await post(bench, "/rotations/\(following.id)/pause").status == 409)
            #expect(try await post(bench, "/rotations/\(following.id)/abort").status == 409)
            let root = try await bench.send(.get, "\(issuers)/\(old)")
            #expect(root.json?["revokedAt"] == .string("2027-01-15T08:00:00Z"), "\(root.text)")
            #expect(root.json?["uses"]?.elements?.first?["state"] == .string("revoked"))
            #expect(try await bench.send(.get, "\(issuers)/\(new)").json?["revokedAt"] == nil)
            #expect(try await post(bench, "\(issuers)/\(old)/revoke", #"{"reason":"again"}"#).status == 409)
            let audit = try await bench.send(.get, "/audit")
            #expect(audit.text.contains("key copied from a backup"))
        }
    }

    @Test func `a changed key type starts a rotation, and the answer says whose root it replaces`() async throws {
        try await AdminBench.run { bench in
            let document = #"{"type":"CertificateAuthority","name":"corp","keyType":"EC-P384"}"#
            _ = try await bench.put("/certificate-authorities/corp", document.replacing("384", with: "256"))
            let preview = try await bench.put("/certificate-authorities/corp?dryRun=true", document)
            let expected = #""replacement":{"certificateAuthority":"corp","meshes":[]}"#
            #expect(preview.status == 200 && preview.text.contains(expected), "\(preview.text)")
            let changed = try await bench.put("/certificate-authorities/corp", document)
            let id = try #require(changed.json?["replacement"]?["rotation"]?.text, "\(changed.text)")
            #expect(changed.json?["rotations"] == .array([.string(id)]) && changed.json?["moves"] == .array([]))
            let mesh = AdminBench.mesh("default").replacing(
                #""type":"builtin""#, with: #""type":"builtin","conf":{"caCert":{"keyType":"RSA-2048"}}"#)
            let answer = try await bench.put("/meshes/default", mesh)
            #expect(answer.json?["replacement"]?["certificateAuthority"] == .string("default.ca-1"), "\(answer.text)")
            #expect(answer.json?["replacement"]?["rotation"] == answer.json?["rotation"] && answer.json?["move"] == nil)
        }
    }

    @Test func `whoever is limited steers what concerns their own meshes alone, and sees no others in it`() async throws {
        try await AdminBench.run { bench in
            _ = try await bench.put("/certificate-authorities/corp", #"{"type":"CertificateAuthority","name":"corp"}"#)
            for name in ["home", "annex", "abroad"] {
                try await bench.putMesh(name)
                guard name != "abroad" else { continue }
                let shared = AdminBench.mesh(name).replacing(
                    #""type":"builtin""#, with: #""type":"shared","conf":{"authority":"corp"}"#)
                #expect(try await bench.put("/meshes/\(name)", shared).status == 200)
            }
            let home = try await bench.userToken(.operator, meshes: ["home"])
            let both = try await bench.userToken(.operator, meshes: ["home", "annex"])
            let corp = "/certificate-authorities/corp"
            for path in ["\(corp)/rotations", "\(corp)/rotations?dryRun=true", "/certificate-authorities/abroad.ca-1/rotations"] {
                let answer = try await post(bench, path, token: home)
                #expect(answer.status == 403 && answer.problem?.reason == "mesh-out-of-scope", "\(path): \(answer.text)")
                #expect(!answer.text.contains("annex") && !answer.text.contains("abroad"))
            }
            // One that no mesh uses is of all of them.
            _ = try await bench.put("/certificate-authorities/spare", #"{"type":"CertificateAuthority","name":"spare"}"#)
            #expect(try await post(bench, "/certificate-authorities/spare/rotations", token: both).status == 403)
            let abroad = try rotation(try await post(bench, "/certificate-authorities/abroad.ca-1/rotations"))
            for order in ["advance", "pause", "resume", "abort"] {
                let foreign = try await post(bench, "/rotations/\(abroad.id)/\(order)", token: home)
                #expect(foreign.status == 403, "\(order): \(foreign.text)")
            }
            let state = bench.authority.state
            let root = try #require(state.issuers.values.first { $0.certificateAuthority == "corp" }).id.text
            let refused = try await post(bench, "\(corp)/issuers/\(root)/revoke", #"{"reason":"x"}"#, token: home)
            #expect(refused.status == 403, "\(refused.text)")
            let reached = try await post(bench, "\(corp)/rotations", token: both)
            #expect(reached.status == 409 && reached.problem?.detail.contains("is in the rotation") == true, "\(reached.text)")
        }
    }
}
