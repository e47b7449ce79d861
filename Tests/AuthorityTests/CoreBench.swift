import Authority
import PKI

/// The state with the ledger's rules, changed by what the core decides: what the shell does, without keys and without waiting.
struct CoreBench {
    /// What the ledger would have refused.
    struct Conflict: Error {
        var what: String
    }

    private(set) var state: AuthorityState
    /// Rotations that ended, in their order.
    private(set) var ended: [Rotation] = []
    /// How long the roots that are made here live.
    var rootLife = Duration.seconds(86_400 * 3650)
    /// Who signed a cross certificate for whom, and until when it is valid.
    private(set) var crossCertificates: [(signer: IssuerID, subject: IssuerID, notAfter: Timestamp)] = []
    private var rootsMade = 0
    private var rotationsMade = 0

    init(_ state: AuthorityState) {
        self.state = state
    }

    /// Applies the document, and gives the rotation that it started or turned round.
    @discardableResult
    mutating func put(
        _ mesh: Mesh, connected: [String] = [], leave: Bool = false, at now: Timestamp = Fixture.now
    ) throws -> Rotation? {
        let directives = try state.directives(toApply: mesh, connected: connected, leave: leave, at: now)
        var next = self
        next.state.revision += 1
        let entry = state.meshes[mesh.name]
        next.state.meshes[mesh.name] = AuthorityState.MeshEntry(
            mesh: mesh, revision: next.state.revision, createdAt: entry?.createdAt ?? now, modifiedAt: now)
        var incoming: IssuerID?
        var rotation: Rotation?
        for directive in directives {
            switch directive {
            case .createCertificateAuthority(let authority, let backend, let use):
                guard next.state.certificateAuthorities[authority.name] == nil else { throw Conflict(what: authority.name) }
                next.insert(authority)
                let kind = mesh.mtls?.backends.first { $0.name == backend }?.kind
                let issuer = next.makeRoot(of: authority.name, kind: kind, at: now)
                try next.set(mesh.name, issuer, from: nil, to: use)
                if use == .prepared { incoming = issuer }
            case .deleteCertificateAuthority(let name):
                try next.remove(name)
            case .move(let from, let previous, let authority, let retireAfter):
                next.rotationsMade += 1
                guard let incoming else { throw Conflict(what: "a move without an issuer to move to") }
                let started = Rotation(
                    id: "rot-\(next.rotationsMade)", kind: .move, meshes: [mesh.name], certificateAuthority: authority,
                    previousAuthority: previous, from: from, to: incoming, retireAfter: retireAfter, startedAt: now)
                try next.insert(started)
                rotation = started
            case .replaceCertificateAuthority(let authority):
                guard next.state.certificateAuthorities[authority.name] != nil else { throw Conflict(what: authority.name) }
                next.state.certificateAuthorities[authority.name]?.authority = authority
            case .replaceRoot(let authority):
                next.state.certificateAuthorities[authority.name]?.authority = authority
                rotation = try next.start(
                    next.state.replacementTerms(of: authority.name, at: now), isManual: false, retireAfter: nil, isCovered: true,
                    trigger: .operator, at: now)
            case .retire(let issuer, let from):
                try next.set(mesh.name, issuer, from: from, to: .retired)
            case .revert(let id):
                guard let running = next.state.rotations[id], let transition = next.state.revert(running.rotation, at: now) else {
                    throw Conflict(what: id)
                }
                try next.apply(transition)
                rotation = transition.rotation
            case .touch(let name):
                guard next.state.certificateAuthorities[name] != nil else { throw Conflict(what: name) }
                next.state.certificateAuthorities[name]?.revision = next.state.revision
            case .use(let issuer, let from, let use):
                try next.set(mesh.name, issuer, from: from, to: use)
                if use == .prepared { incoming = issuer }
            }
        }
        try next.checkReferences()
        self = next
        return rotation
    }

    /// Takes the rotation on, as through an open gate.
    @discardableResult
    mutating func advance(_ id: String, at now: Timestamp = Fixture.now) throws -> RotationTransition {
        guard let entry = state.rotations[id], let transition = state.advance(entry.rotation, at: now) else {
            throw Conflict(what: id)
        }
        try commit(transition, revision: entry.revision)
        return transition
    }

    /// Takes the rotation on to its end.
    mutating func complete(_ id: String, at now: Timestamp = Fixture.now) throws {
        while state.rotations[id] != nil { try advance(id, at: now) }
    }

    /// One compare-and-swap on the rotation's revision.
    mutating func commit(_ transition: RotationTransition, revision: Int64) throws {
        guard state.rotations[transition.rotation.id]?.revision == revision else { throw Conflict(what: transition.rotation.id) }
        var next = self
        next.state.revision += 1
        try next.apply(transition)
        try next.checkReferences()
        self = next
    }

    private mutating func apply(_ transition: RotationTransition) throws {
        for change in transition.changes { try set(change.mesh, change.issuer, from: change.from, to: change.to) }
        for name in transition.obsolete { try remove(name) }
        if transition.rotation.phase.isRunning {
            state.rotations[transition.rotation.id] = AuthorityState.RotationEntry(
                rotation: transition.rotation, revision: state.revision)
        } else {
            state.rotations[transition.rotation.id] = nil
            ended.append(transition.rotation)
        }
    }

    // MARK: - Replacements

    /// Starts the replacement of a certificate authority's root.
    @discardableResult
    mutating func replace(
        _ authority: String, isManual: Bool = false, retireAfter: RetireAfter? = nil, isCovered: Bool = true,
        trigger: Rotation.Trigger = .operator, at now: Timestamp = Fixture.now
    ) throws -> Rotation {
        let terms = try state.replacementTerms(of: authority, at: now)
        var next = self
        next.state.revision += 1
        let rotation = try next.start(
            terms, isManual: isManual, retireAfter: retireAfter, isCovered: isCovered, trigger: trigger, at: now)
        try next.checkReferences()
        self = next
        return rotation
    }

    private mutating func start(
        _ terms: ReplacementTerms, isManual: Bool, retireAfter: RetireAfter?, isCovered: Bool, trigger: Rotation.Trigger,
        at now: Timestamp
    ) throws -> Rotation {
        let name = terms.certificateAuthority.name
        let root = makeRoot(of: name, kind: nil, at: now)
        for mesh in terms.meshes { try set(mesh, root, from: nil, to: .prepared) }
        var cross: CrossCertificate?
        if isCovered {
            let end = min(terms.from.notAfter, now + .seconds(7 * 86_400))
            cross = CrossCertificate(certificate: Array("cross \(root)".utf8), notBefore: now, notAfter: end)
            crossCertificates.append((terms.from.id, root, end))
        }
        rotationsMade += 1
        let rotation = Rotation(
            id: "rot-\(rotationsMade)", kind: .replace, trigger: trigger, meshes: terms.meshes, certificateAuthority: name,
            previousAuthority: name, from: terms.from.id, to: root,
            retireAfter: retireAfter ?? terms.certificateAuthority.retireAfter, isManual: isManual, crossCertificate: cross,
            startedAt: now)
        state.certificateAuthorities[name]?.authority.isAutomaticHeld = false
        try insert(rotation)
        return rotation
    }

    /// Does what an operator says, if it may be done.
    @discardableResult
    mutating func order(
        _ order: RotationOrder, _ id: String, gate: RotationGate? = nil, at now: Timestamp = Fixture.now
    ) throws -> RotationTransition {
        guard let entry = state.rotations[id] else { throw Conflict(what: id) }
        let transition = try state.transition(of: entry.rotation, by: order, gate: gate, at: now)
        try commit(transition, revision: entry.revision)
        if order == .abort, entry.rotation.kind == .replace {
            state.certificateAuthorities[entry.rotation.certificateAuthority]?.authority.isAutomaticHeld = true
        }
        return transition
    }

    /// A root is compromised: gives the plan, and the rotation by which one sees who has followed.
    @discardableResult
    mutating func revoke(
        _ issuer: IssuerID, of authority: String, sparesSigners: Bool = false, at now: Timestamp = Fixture.now
    ) throws -> (plan: Revocation, rotation: Rotation?) {
        let live = crossCertificates.filter { now < $0.notAfter && !sparesSigners }
        var signers: Set<IssuerID> = []
        var last: Set<IssuerID> = [issuer]
        while !last.isEmpty {
            last = Set(live.filter { last.contains($0.subject) }.map(\.signer)).subtracting(signers)
            signers.formUnion(last)
        }
        let plan = try state.revocation(of: issuer, in: authority, crossSigners: signers, at: now)
        var next = self
        next.state.revision += 1
        for superseded in plan.superseded {
            next.state.rotations[superseded.id] = nil
            next.ended.append(superseded)
        }
        let root = plan.needsRoot ? next.makeRoot(of: authority, kind: nil, at: now) : nil
        for change in state.changes(of: plan, root: root) {
            try next.set(change.mesh, change.issuer, from: change.from, to: change.to)
        }
        for id in plan.issuers { next.state.issuers[id]?.revokedAt = now }
        var rotation: Rotation?
        if let successor = plan.outcomes.first.flatMap({ $0.active ?? root }) {
            next.rotationsMade += 1
            let started = Rotation(
                id: "rot-\(next.rotationsMade)", kind: .revoke, meshes: plan.outcomes.map(\.mesh),
                certificateAuthority: authority, previousAuthority: authority, from: issuer, to: successor, phase: .withdrawing,
                retireAfter: .reissued, startedAt: now)
            try next.insert(started)
            rotation = started
        }
        try next.checkReferences()
        self = next
        return (plan, rotation)
    }

    private mutating func insert(_ rotation: Rotation) throws {
        for mesh in rotation.meshes where state.rotation(of: mesh) != nil { throw Conflict(what: "the rotation of \(mesh)") }
        if rotation.kind != .move, state.replacement(of: rotation.certificateAuthority) != nil {
            throw Conflict(what: "the rotation of \(rotation.certificateAuthority)")
        }
        state.rotations[rotation.id] = AuthorityState.RotationEntry(rotation: rotation, revision: state.revision)
    }

    private mutating func insert(_ authority: CertificateAuthority) {
        state.certificateAuthorities[authority.name] = AuthorityState.CertificateAuthorityEntry(
            authority: authority, revision: state.revision, createdAt: Fixture.now, modifiedAt: Fixture.now)
    }

    private mutating func makeRoot(of authority: String, kind: Mesh.Backend.Kind?, at now: Timestamp) -> IssuerID {
        rootsMade += 1
        let number = withUnsafeBytes(of: UInt32(rootsMade).bigEndian) { Array($0) }
        let id = IssuerID(random: [1, 0, 0, 0] + number)
        var certificate: [UInt8] = [0x31] + number
        if case .provided(let brought)? = kind { certificate = brought }
        state.issuers[id] = Issuer(
            id: id, certificateAuthority: authority, certificate: certificate, serial: SerialNumber(bytes: [1] + number),
            fingerprint: Fingerprint(sha256: [UInt8](repeating: 1, count: 28) + number), notBefore: now,
            notAfter: now + rootLife)
        return id
    }

    private mutating func set(_ mesh: MeshName, _ issuer: IssuerID, from: IssuerState?, to: IssuerState) throws {
        guard state.meshIssuers[mesh]?[issuer] == from else { throw Conflict(what: "issuer \(issuer) of \(mesh)") }
        state.meshIssuers[mesh, default: [:]][issuer] = to
        if (state.meshIssuers[mesh] ?? [:]).values.filter({ $0 == .active }).count > 1 {
            throw Conflict(what: "the active issuer of \(mesh)")
        }
    }

    private mutating func remove(_ authority: String) throws {
        guard let entry = state.certificateAuthorities.removeValue(forKey: authority) else { throw Conflict(what: authority) }
        for issuer in state.issuers.values where issuer.certificateAuthority == authority {
            state.issuers[issuer.id] = nil
            for (mesh, issuers) in state.meshIssuers {
                guard let issuerState = issuers[issuer.id] else { continue }
                if mesh == entry.authority.owner || !issuerState.isBound { state.meshIssuers[mesh]?[issuer.id] = nil }
            }
        }
    }

    private func checkReferences() throws {
        for (mesh, issuers) in state.meshIssuers {
            for id in issuers.keys where state.issuers[id] == nil { throw Conflict(what: "an issuer of \(mesh)") }
        }
        for entry in state.rotations.values {
            for id in [entry.rotation.from, entry.rotation.to] where state.issuers[id] == nil {
                throw Conflict(what: "an issuer of the running rotation \(entry.rotation.id)")
            }
        }
    }
}
