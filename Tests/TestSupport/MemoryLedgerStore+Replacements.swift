internal import Authority
package import AuthorityService
package import PKI
internal import Postgres

/// What the database's checks, its index of replacements, and its one row of who drives say.
extension MemoryLedgerStore {
    /// Who drives, or did last.
    package struct Driver: Hashable, Sendable {
        package var lease: DriverLease
        package var expiresAt: Timestamp
    }

    /// As the database's indexes of running rotations: at once.
    func checkIsAlone(_ rotation: Rotation) throws(LedgerFailure) {
        guard rotation.phase.isRunning else { return }
        let replacements = rotations.map(\.rotation).filter { other in
            other.kind != .move && other.phase.isRunning && other.certificateAuthority == rotation.certificateAuthority
        }
        if rotation.kind != .move, replacements.count > 1 {
            throw .conflict(what: "the rotation of certificate authority '\(rotation.certificateAuthority)'")
        }
        for mesh in rotation.meshes where running(of: mesh).count > 1 {
            throw .conflict(what: "the rotation of mesh '\(mesh)'")
        }
    }

    /// As the database's checks of a row.
    func checkMakesSense(_ rotation: Rotation) throws(LedgerFailure) {
        var isSane = (rotation.endedAt == nil) == rotation.phase.isRunning
        isSane = isSane && (rotation.kind == .revoke || rotation.from != rotation.to)
        if let cross = rotation.crossCertificate {
            isSane = isSane && rotation.kind == .replace && !cross.certificate.isEmpty && cross.notBefore < cross.notAfter
        }
        guard isSane else { throw .rejected(detail: "the rotation '\(rotation.id)' makes no sense") }
    }

    mutating func insertEvent(_ event: RotationEvent, of rotation: String) {
        rotationEvents[rotation, default: []].append(StorableText.storable(event))
    }

    /// Nil while another's lease lives.
    mutating func takeLease(_ holder: String, for duration: Duration, at now: Timestamp) -> DriverLease? {
        let isOwn = driver?.lease.holder == holder
        if let driver, !isOwn, now < driver.expiresAt { return nil }
        let lease = DriverLease(holder: holder, fence: (driver?.lease.fence ?? 0) + (isOwn ? 0 : 1))
        driver = Driver(lease: lease, expiresAt: now + duration)
        return lease
    }

    mutating func endLease(_ lease: DriverLease, at now: Timestamp) {
        guard let driver, driver.lease == lease else { return }
        self.driver?.expiresAt = min(driver.expiresAt, now)
    }

    func requireLease(_ lease: DriverLease, at now: Timestamp) throws(LedgerFailure) {
        guard let driver, driver.lease == lease, now < driver.expiresAt else {
            throw .conflict(what: "the lease of the driver")
        }
    }

    mutating func revokeIssuer(_ issuer: IssuerID, at: Timestamp) throws(LedgerFailure) {
        guard let stored = state.authority.issuers[issuer] else { throw .conflict(what: "issuer '\(issuer)'") }
        state.authority.issuers[issuer]?.revokedAt = stored.revokedAt ?? at
    }
}
