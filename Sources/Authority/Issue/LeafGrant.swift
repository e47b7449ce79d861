package import PKI

/// A leaf that a caller may have: for whom, under which issuer, and for how long.
package struct LeafGrant: Sendable, Hashable {
    package var identity: SPIFFEID
    package var issuer: IssuerID
    package var notBefore: Timestamp
    package var notAfter: Timestamp
}

extension AuthorityState {
    /// Which leaf `caller` may have now from the issuing certificate that ends at `issuingNotAfter`.
    ///
    /// A leaf never outlives its issuing certificate (law 4), which never outlives its root.
    package func grantLeaf(
        to caller: Caller, issuingNotAfter: Timestamp, backdate: Duration, at now: Timestamp
    ) throws(Refusal) -> LeafGrant {
        try confirmStanding(of: caller, at: now)
        guard let mesh = meshes[caller.mesh]?.mesh, let issuer = activeIssuer(of: caller.mesh) else {
            throw .meshWithoutMTLS(caller.mesh)
        }
        // The issuer's own comparison of parsed trust domains: the third of the walls between meshes that share a root.
        guard caller.identity.trustDomain == mesh.trustDomain else { throw .identityNotGranted(caller.identity) }
        let notAfter = min((now + mesh.leafLifetime).wholeSeconds, issuingNotAfter)
        return LeafGrant(
            identity: caller.identity, issuer: issuer.id, notBefore: (now - backdate).wholeSeconds, notAfter: notAfter)
    }

    /// Whether a leaf that `caller` holds is still its right one, so that it is not sent another at once: its issuer is the
    /// active one, or its re-issue is merely pending, and more than half of its life is left.
    package func isRightful(issuer: IssuerID, notBefore: Timestamp, notAfter: Timestamp, for caller: Caller, at now: Timestamp)
        -> Bool
    {
        switch meshIssuers[caller.mesh]?[issuer] {
        case .active, .outgoing: break
        case .prepared, .retired, .revoked, nil: return false
        }
        // One that begins in the future was issued by a clock that was ahead, and nobody accepts it; a minute for clocks that differ.
        return (notAfter - now) * 2 > notAfter - notBefore && notBefore <= now + .seconds(60)
    }
}

/// When a leaf is renewed: a point between 50 % and 80 % of its life, drawn by its own random serial.
///
/// Every replica computes the same point from the certificate alone, so a reconnect neither hastens nor postpones it.
package enum LeafRenewal {
    package static func time(serial: SerialNumber, notBefore: Timestamp, notAfter: Timestamp) -> Timestamp {
        // The last two octets are uniformly random; the first is not.
        let draw = serial.bytes.suffix(2).reduce(0) { $0 << 8 | Int64($1) }
        let life = notAfter.milliseconds - notBefore.milliseconds
        return Timestamp(milliseconds: notBefore.milliseconds + life / 2 + life * 3 / 10 * draw / 65_536)
    }

    /// The turn of a leaf in the re-issue that spreads over `spread` from `start`: drawn by its serial too, from other octets,
    /// so that a mesh's proxies do not come back in the order of their renewals.
    package static func reissue(serial: SerialNumber, from start: Timestamp, spread: Duration) -> Timestamp {
        let draw = serial.bytes.suffix(4).prefix(2).reduce(0) { $0 << 8 | Int64($1) }
        return start + spread * draw / 65_536
    }
}
