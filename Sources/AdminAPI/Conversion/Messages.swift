internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

extension ProxyMessage {
    init(_ status: ProxyStatus) {
        self.init(
            name: status.proxy, mesh: status.mesh.name, identity: status.identity.uri, node: status.node,
            replica: status.replica, connected: status.isConnected, connectedAt: status.connectedAt.iso8601,
            disconnectedAt: status.disconnectedAt?.iso8601, certificateExpiresAt: status.certificateExpiresAt?.iso8601,
            subscriptions: status.subscriptions.map { Subscription($0) })
    }
}

extension ProxyMessage.Subscription {
    fileprivate init(_ status: SubscriptionStatus) {
        self.init(
            resource: status.resource, sentVersion: status.sentVersion, sentAt: status.sentAt?.iso8601,
            ackedVersion: status.ackedVersion, ackedAt: status.ackedAt?.iso8601,
            nack: status.nack.map { .init(version: $0.version, message: $0.message, at: $0.at.iso8601) },
            refusal: status.refusal, silent: status.isSilent,
            certificate: status.leaf.map { leaf in
                .init(
                    serial: leaf.serial.description, issuer: leaf.issuer.text, notAfter: leaf.notAfter.iso8601,
                    renewAt: leaf.renewAt.iso8601)
            })
    }
}

extension CertificateMessage {
    init(_ record: CertificateRecord) {
        self.init(
            serial: record.serial.description, kind: record.kind.rawValue, mesh: record.mesh?.name,
            certificateAuthority: record.certificateAuthority, issuer: record.issuer.text,
            signedBy: record.signedBy.description, identity: record.identity?.uri, notBefore: record.notBefore.iso8601,
            notAfter: record.notAfter.iso8601, digest: record.digest.description, issuedAt: record.issuedAt.iso8601,
            origin: record.origin.map { Origin(tokenID: $0.tokenID, proxy: $0.proxy, tags: $0.tags) })
    }
}

extension TokenMessage {
    init(_ record: TokenRecord) {
        self.init(
            id: record.id, kind: record.kind.rawValue, mesh: record.mesh?.name, name: record.name, tags: record.tags,
            roles: record.roles, meshes: record.meshes?.map(\.name), identity: record.identity?.uri,
            issuedAt: record.issuedAt.iso8601,
            expiresAt: record.expiresAt.iso8601, revokedAt: record.revokedAt?.iso8601)
    }
}

extension CertificateAuthorityMessage {
    /// `heldBy` is the rotation whose abort holds the automatic ones, where it is known. `reach` leaves out the meshes that are not
    /// the asker's to know; nil: none.
    init(
        _ entry: AuthorityState.CertificateAuthorityEntry, in state: AuthorityState, heldBy: String? = nil,
        reach: Set<MeshName>?
    ) {
        let authority = entry.authority
        let meshes = state.users(of: authority.name).filter { reach?.contains($0) ?? true }
        let issuers = state.roots(of: authority.name)
        self.init(
            name: authority.name, root: authority.documentRoot(issuers), meshes: meshes.map(\.name),
            rotation: .init(automatic: authority.rotatesAutomatically, retireAfter: authority.retireAfter.rawValue),
            keyStore: authority.keyStore, automaticHeld: authority.isAutomaticHeld ? true : nil, automaticHeldBy: heldBy,
            owner: authority.owner?.name,
            issuers: issuers.map(\.id.text),
            currentIssuers: state.current(of: issuers, reach: reach).map(\.id.text), creationTime: entry.createdAt.iso8601,
            modificationTime: entry.modifiedAt.iso8601)
    }
}

extension IssuerMessage {
    /// `reach` leaves out the meshes that are not the asker's to know; nil: none.
    init(_ issuer: Issuer, in state: AuthorityState, reach: Set<MeshName>?) {
        let uses = state.meshIssuers.compactMap { mesh, states in
            reach?.contains(mesh) ?? true ? states[issuer.id].map { Use(mesh: mesh.name, state: $0.rawValue) } : nil
        }
        self.init(
            id: issuer.id.text, certificateAuthority: issuer.certificateAuthority, uses: uses.sorted { $0.mesh < $1.mesh },
            serial: issuer.serial.description, fingerprint: issuer.fingerprint.description, notBefore: issuer.notBefore.iso8601,
            notAfter: issuer.notAfter.iso8601, revokedAt: issuer.revokedAt?.iso8601,
            certificate: PEM.encode(label: "CERTIFICATE", der: issuer.certificate))
    }
}

extension TrustMatrixMessage {
    init(_ cells: [TrustCell]) {
        self.init(
            meshes: cells.filter { $0.from == $0.to }.map(\.from.name),
            cells: cells.map { cell in
                Cell(from: cell.from.name, to: cell.to.name, extent: cell.extent.rawValue, through: cell.through)
            })
    }
}

extension TrustVerdictMessage {
    init(_ verdict: TrustVerdict) {
        self.init(accepted: verdict.isAccepted, reason: verdict.reason, detail: verdict.detail)
    }
}

extension TrustChangeMessage {
    /// `reach` leaves out the pairs with a mesh that is not the asker's to know; nil: none.
    init(_ change: TrustChange, reach: Set<MeshName>? = nil) {
        func pairs(_ pairs: [TrustPair]) -> [Pair] {
            pairs.filter { pair in reach.map { $0.isSuperset(of: [pair.from, pair.to]) } ?? true }
                .map { Pair(from: $0.from.name, to: $0.to.name) }
        }
        self.init(begins: pairs(change.begins), ceases: pairs(change.ceases))
    }
}

extension MoveMessage {
    /// Of a mesh that is on its way back where the rotation was turned; nil for a rotation that moves none.
    init?(_ rotation: Rotation) {
        switch rotation.kind {
        case .move: break
        case .replace, .revoke: return nil
        }
        let (from, to) = (rotation.previousAuthority, rotation.certificateAuthority)
        let mesh = rotation.meshes.first?.name ?? ""
        switch rotation.phase {
        case .aborted, .reverting: self.init(mesh: mesh, from: to, to: from)
        case .completed, .distributing, .issuing, .withdrawing: self.init(mesh: mesh, from: from, to: to)
        }
    }
}

extension RootReplacementMessage {
    /// Nil for a rotation that moves a mesh. `reach` leaves out the meshes that are not the asker's to know; nil: none.
    init?(_ rotation: Rotation, isDryRun: Bool, reach: Set<MeshName>? = nil) {
        switch rotation.kind {
        case .move: return nil
        case .replace, .revoke: break
        }
        self.init(
            certificateAuthority: rotation.certificateAuthority,
            meshes: rotation.meshes.filter { reach?.contains($0) ?? true }.map(\.name),
            rotation: isDryRun ? nil : rotation.id)
    }
}
