package import PKI

extension AuthorityState {
    /// Who comes with a token whose signature was verified.
    ///
    /// `nodeID` names the proxy when the token does not; when neither does, its SPIFFE ID's path does.
    package func caller(with claims: TokenClaims, nodeID: String, at now: Timestamp) throws(Refusal) -> Caller {
        guard claims.mesh == claims.keyMesh.name else { throw .tokenOfAnotherMesh }
        guard let mesh = meshes[claims.keyMesh]?.mesh else { throw .meshUnknown(claims.mesh) }
        guard claims.notBefore <= now else { throw .tokenNotYetValid(from: claims.notBefore) }
        guard now < claims.expiresAt else { throw .tokenExpired(at: claims.expiresAt) }
        let identity = try mesh.identityPath.identity(in: mesh.trustDomain, tags: claims.tags)
        let caller = Caller(
            mesh: mesh.name, identity: identity,
            proxy: AuthorityState.proxyName(token: claims.name, nodeID: nodeID, identity: identity),
            tags: claims.tags, tokenID: claims.id)
        try confirmStanding(of: caller, at: now)
        return caller
    }

    /// Who comes with a certificate: `record` is what the ledger keeps of it, the rest what the verified chain said.
    package func caller(
        with record: CertificateRecord, identity: SPIFFEID, notAfter: Timestamp, at now: Timestamp
    ) throws(Refusal) -> Caller {
        guard record.kind == .leaf, record.identity == identity, let mesh = record.mesh, let origin = record.origin else {
            throw .certificateNotRecorded(record.serial)
        }
        let caller = Caller(
            mesh: mesh, identity: identity, proxy: origin.proxy, tags: origin.tags, tokenID: origin.tokenID,
            certificate: Caller.PresentedCertificate(serial: record.serial, issuer: record.issuer, notAfter: notAfter))
        guard meshIssuers[mesh]?[record.issuer]?.isBound == true else { throw .chain(.untrustedRoot(identity.trustDomain)) }
        try confirmStanding(of: caller, at: now)
        return caller
    }

    /// Whether `caller`, once let in, may still be here: asked anew at every change of state and by a timer.
    ///
    /// The token's expiry is not asked: a token is judged when a stream opens.
    package func confirmStanding(of caller: Caller, at now: Timestamp) throws(Refusal) {
        guard let mesh = meshes[caller.mesh]?.mesh else { throw .meshUnknown(caller.mesh.name) }
        guard !revokedTokens.contains(caller.tokenID) else { throw .tokenRevoked(id: caller.tokenID) }
        guard !revokedIdentities.contains(caller.identity) else { throw .identityRevoked(caller.identity) }
        guard caller.identity == (try mesh.identityPath.identity(in: mesh.trustDomain, tags: caller.tags)) else {
            throw .identityNotGranted(caller.identity)
        }
        if let violation = mesh.membership.refusal(of: caller.tags) { throw .membership(violation) }
        if let certificate = caller.certificate {
            guard now < certificate.notAfter else {
                throw .chain(.expired(subject: caller.identity.uri, notAfter: certificate.notAfter))
            }
            // A stream that was open when its root went stays: its certificate stands in the ledger, and over this stream comes the
            // next one. Who holds nothing else would be locked out, the door being shut to it already.
            guard meshIssuers[caller.mesh]?[certificate.issuer] != nil else {
                throw .chain(.untrustedRoot(caller.identity.trustDomain))
            }
        }
    }

    private static func proxyName(token: String, nodeID: String, identity: SPIFFEID) -> String {
        if !token.isEmpty { return token }
        return nodeID.isEmpty ? identity.path : nodeID
    }
}
