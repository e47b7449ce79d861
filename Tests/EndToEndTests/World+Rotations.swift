import Foundation
import TestSupport

extension World {
    /// The rotations, newest first.
    func rotations() async throws -> [RotationReport] {
        try await signet.json(Listing<RotationReport>.self, "get", "rotations").items
    }

    /// One of them, with what its gate waits for.
    func rotation(_ id: String) async throws -> RotationReport {
        try JSONDecoder().decode(RotationReport.self, from: Data(try await adminRequest("GET", "/rotations/\(id)").utf8))
    }

    /// The one that runs.
    func runningRotation() async throws -> RotationReport {
        guard let running = try await rotations().first(where: { !$0.hasEnded }) else {
            throw ChildProcess.Failure(name: "rotation", detail: "none runs")
        }
        return try await rotation(running.id)
    }

    /// Waits until its gate is open, in this phase.
    func waitForOpenGate(of id: String, in phase: String, within limit: Duration = .seconds(60)) async throws {
        try await eventually(within: limit, "an open gate in \(phase)", every: .milliseconds(200)) {
            let rotation = try await rotation(id)
            return rotation.phase == phase && rotation.gate?.open == true
        }
    }

    /// Waits until it is in this phase.
    func waitForPhase(_ phase: String, of id: String, within limit: Duration = .seconds(60)) async throws {
        try await eventually(within: limit, "\(phase)", every: .milliseconds(200)) {
            try await rotation(id).phase == phase
        }
    }

    /// Waits until none runs.
    func waitForRotations(within limit: Duration = .seconds(90)) async throws {
        try await eventually(within: limit, "the end of the rotations") {
            try await rotations().allSatisfy { $0.hasEnded }
        }
    }

    func issuers(of authority: String) async throws -> [IssuerReport] {
        let text = try await adminRequest("GET", "/certificate-authorities/\(authority)/issuers")
        return try JSONDecoder().decode(Listing<IssuerReport>.self, from: Data(text.utf8)).items
    }

    /// The roots that a mesh's bundle holds, PEM.
    func roots(of mesh: String) async throws -> [String] {
        certificates(in: try await signet.command("bundle", "show", "--mesh", mesh))
    }

    /// The roots that an Envoy has in its contexts, PEM, as its own configuration dump shows them.
    func roots(heldBy envoy: EnvoyProcess) async throws -> Set<String> { try await World.roots(heldBy: envoy) }

    static func roots(heldBy envoy: EnvoyProcess) async throws -> Set<String> {
        let dump = try await HTTP.fetch("http://\(envoy.adminAddress)/config_dump?resource=dynamic_active_secrets").body
        let bundles = trustBundles(in: try JSONSerialization.jsonObject(with: Data(dump.utf8)))
        return Set(bundles.flatMap { certificates(in: String(decoding: $0, as: UTF8.self)) })
    }

    /// The certificates of a text, PEM.
    func certificates(in text: String) -> [String] { World.certificates(in: text) }

    static func certificates(in text: String) -> [String] {
        let begin = "-----BEGIN CERTIFICATE-----"
        return text.components(separatedBy: begin).dropFirst().map { begin + $0 }
    }

    private static func trustBundles(in value: Any) -> [Data] {
        if let list = value as? [Any] { return list.flatMap { trustBundles(in: $0) } }
        guard let members = value as? [String: Any] else { return [] }
        if let bundle = members["trust_bundle"] as? [String: Any], let bytes = bundle["inline_bytes"] as? String {
            return [Data(base64Encoded: bytes) ?? Data()]
        }
        return members.values.flatMap { trustBundles(in: $0) }
    }

    /// A mesh with two CAs of its own, `ca-1` and `ca-2`, of which one is enabled.
    func applyMesh(_ name: String, enabling backend: String, leafLife: String) async throws {
        let document = """
            type: Mesh
            name: \(name)
            mtls:
              enabledBackend: \(backend)
              backends:
              - name: ca-1
                type: builtin
                dpCert: {rotation: {expiration: \(leafLife)}}
              - name: ca-2
                type: builtin
                dpCert: {rotation: {expiration: \(leafLife)}}
                conf: {caCert: {keyType: EC-P384}}
            """
        try await signet.command("apply", "-f", "-", input: document)
    }
}
