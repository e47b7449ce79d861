import Authority
import AuthorityService
import PKI
import Postgres
import TestSupport

/// Values for the ledger, each with a name of its own.
enum LedgerFixture {
    static let now = Timestamp(seconds: 1_800_000_000)

    static func mesh(_ name: String, trustDomain: String? = nil) throws -> Mesh {
        let backend = Mesh.Backend(
            name: "ca-1", kind: .builtin(keyAlgorithm: .ecP256, expiration: .seconds(315_360_000)), mode: .strict,
            leafLifetime: .seconds(86_400), document: #"{"name":"ca-1","type":"builtin"}"#)
        return Mesh(
            name: try MeshName(name), trustDomain: try TrustDomain(trustDomain ?? name),
            mtls: Mesh.MTLS(enabledBackend: "ca-1", backends: [backend]),
            membership: MembershipConstraints(requirements: [["team": "a"]], restrictions: []),
            otherFields: #"{"logging":{"x":"quote \" backslash \\ é"}}"#)
    }

    static func door(
        _ name: String, from: String, to: String, fromServices: [String]? = nil, toServices: [String]? = nil
    ) throws -> CrossMeshAccess {
        CrossMeshAccess(
            name: name, from: CrossMeshAccess.Side(mesh: try MeshName(from), services: fromServices),
            to: CrossMeshAccess.Side(mesh: try MeshName(to), services: toServices))
    }

    static func authority(_ name: String, owner: String?) throws -> CertificateAuthority {
        CertificateAuthority(
            name: name, keyAlgorithm: .ecP384, expiration: .seconds(315_360_000), owner: try owner.map { try MeshName($0) })
    }

    static func issuer(_ number: UInt8, of authority: String) -> Issuer {
        Issuer(
            id: IssuerID(random: [UInt8](repeating: number, count: 8)), certificateAuthority: authority,
            certificate: [0x30, 0, 0xFF, number], serial: serial(UInt64(number)),
            fingerprint: Fingerprint(sha256: [UInt8](repeating: number, count: 32)), notBefore: now,
            notAfter: now + .seconds(315_360_000))
    }

    static func move(_ number: UInt8, of mesh: String, to authority: String, phase: Rotation.Phase = .distributing) throws
        -> Rotation
    {
        var rotation = Rotation(
            id: "rot-\(number)", kind: .move, meshes: [try MeshName(mesh)], certificateAuthority: authority,
            previousAuthority: "\(mesh).ca-1", from: IssuerID(random: [UInt8](repeating: number, count: 8)),
            to: IssuerID(random: [UInt8](repeating: 200, count: 8)), phase: phase, retireAfter: .reissued, startedAt: now)
        rotation.endedAt = phase.isRunning ? nil : now
        return rotation
    }

    static func replacement(
        _ number: UInt8, of authority: String, for meshes: [String] = [], kind: Rotation.Kind = .replace
    ) throws -> Rotation {
        Rotation(
            id: "rot-\(number)", kind: kind, meshes: try meshes.map { try MeshName($0) }, certificateAuthority: authority,
            previousAuthority: authority, from: IssuerID(random: [UInt8](repeating: number, count: 8)),
            to: IssuerID(random: [UInt8](repeating: 200, count: 8)), phase: kind == .revoke ? .withdrawing : .distributing,
            retireAfter: .reissued, startedAt: now)
    }

    static func service(_ name: String, of mesh: String, _ selector: [String: String]) throws -> MeshService {
        MeshService(
            mesh: try MeshName(mesh), name: name, selector: selector,
            document: #"{"type":"MeshService",  "name":"é \" \\ \u0000"}"#)
    }

    static func issuerKey(_ number: UInt8) -> IssuerKey { .sealed(key(number)) }

    static func key(_ number: UInt8) -> SealedKey {
        SealedKey(
            keyEncryptionKeyID: "00112233445566\(Hex.encode([number]))", wrappedDataKey: [number, 0, 1],
            ciphertext: [UInt8](0...255))
    }

    static func serial(_ number: UInt64) -> SerialNumber {
        SerialNumber(bytes: [1] + withUnsafeBytes(of: number.bigEndian) { Array($0) } + [UInt8](repeating: 7, count: 8))
    }

    static func leaf(
        _ number: UInt64, mesh: String, service: String = "api", lifetime: Duration = .seconds(86_400)
    ) throws -> CertificateRecord {
        CertificateRecord(
            serial: serial(number), kind: .leaf, mesh: try MeshName(mesh), certificateAuthority: "\(mesh).ca-1",
            issuer: IssuerID(random: [UInt8](repeating: 1, count: 8)), signedBy: serial(1),
            identity: try SPIFFEID("spiffe://\(mesh)/\(service)"), notBefore: now - .seconds(10), notAfter: now + lifetime,
            digest: Fingerprint(sha256: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 32)), issuedAt: now,
            origin: CertificateRecord.Origin(
                tokenID: "token-1", proxy: "proxy \"1\"", tags: ["kuma.io/service": [service], "a\\b\n": ["", "é"]]))
    }

    static func token(_ id: String, mesh: String?, lifetime: Duration = .seconds(3600)) throws -> TokenRecord {
        TokenRecord(
            id: id, kind: mesh == nil ? .user : .dataplane, mesh: try mesh.map { try MeshName($0) }, name: "n",
            tags: mesh == nil ? [:] : ["kuma.io/service": ["api"]], roles: mesh == nil ? ["admin"] : [],
            identity: try mesh.map { try SPIFFEID("spiffe://\($0)/api") },
            digest: Fingerprint(sha256: [UInt8](repeating: 9, count: 32)), issuedAt: MemoryLedger.systemTime(),
            expiresAt: MemoryLedger.systemTime() + lifetime,
            meshes: try mesh == nil ? [MeshName("a"), MeshName("b")] : nil)
    }

    static func audit(_ object: String, mesh: String? = nil, details: [String: String] = [:]) throws -> AuditEntry {
        AuditEntry(
            at: now, actor: "user:admin", source: "127.0.0.1:5", action: "mesh-created",
            mesh: try mesh.map { try MeshName($0) }, object: object, details: details, requestID: "r-1")
    }

    static func transaction(_ writes: [LedgerWrite], _ object: String = "x") throws -> LedgerTransaction {
        LedgerTransaction(writes: writes, audit: try audit(object))
    }

    /// Everything that makes a mesh with its own certificate authority, as the service does it.
    static func creation(_ name: String, issuer number: UInt8 = 1) throws -> LedgerTransaction {
        let authority = "\(name).ca-1"
        let issuer = issuer(number, of: authority)
        return try transaction(
            [
                .insertMesh(try mesh(name), at: now),
                .insertCertificateAuthority(try Self.authority(authority, owner: name), at: now),
                .insertIssuer(issuer, key: issuerKey(number)),
                .insertMeshIssuer(try MeshName(name), issuer.id, .active),
            ], name)
    }
}

/// The two implementations of `Ledger`.
enum LedgerKind: String, CaseIterable, Sendable {
    case memory, postgres

    /// Runs `body` with an empty ledger.
    func withLedger(_ body: (any Ledger) async throws -> Void) async throws {
        switch self {
        case .memory: try await body(MemoryLedger())
        case .postgres: try await TestDatabase.make().withLedger { try await body($0) }
        }
    }
}
