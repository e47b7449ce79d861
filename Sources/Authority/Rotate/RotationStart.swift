package import PKI

/// Why a rotation does not do what it is told: what stands in the way, and what to do.
package struct RotationRefusal: Error, Hashable, Sendable {
    package var detail: String
}

/// A certificate authority's root is to be replaced: by whom it is used, and what goes out.
package struct ReplacementTerms: Hashable, Sendable {
    package var certificateAuthority: CertificateAuthority
    /// The root that goes out.
    package var from: Issuer
    /// The meshes that it signs for, sorted; none where nobody uses the certificate authority, which meshes may share.
    package var meshes: [MeshName]
}

extension AuthorityState {
    /// What it takes to replace the root of a certificate authority; refused while one of its meshes is in a rotation.
    package func replacementTerms(of name: String, at now: Timestamp) throws(RotationRefusal) -> ReplacementTerms {
        guard let authority = certificateAuthorities[name]?.authority else {
            throw RotationRefusal(detail: "there is no certificate authority '\(name)'")
        }
        if let running = replacement(of: name)?.rotation {
            throw RotationRefusal(detail: AuthorityState.runs(running))
        }
        let meshes = meshIssuers.filter { _, states in
            states.contains { $0.value.isBound && issuers[$0.key]?.certificateAuthority == name }
        }.keys.sorted()
        for mesh in meshes {
            guard let running = rotation(of: mesh)?.rotation else { continue }
            throw RotationRefusal(
                detail:
                    "mesh '\(mesh)' of the CA '\(name)' is in the rotation \(running.id), which is \(running.phase.rawValue): "
                    + "wait for its end")
        }
        let signing = Set(meshes.compactMap { activeIssuer(of: $0)?.id })
        guard signing.count <= 1 else {
            throw RotationRefusal(
                detail: "the meshes of the CA '\(name)' have different roots of it, which no rotation can replace")
        }
        // Its mesh may drop or exchange it at any time, for nothing depends on it.
        if meshes.isEmpty, let owner = authority.owner {
            throw RotationRefusal(
                detail: "mesh '\(owner)' does not use its CA '\(name)', whose root nobody trusts: enable its backend first")
        }
        guard let from = signing.first.flatMap({ issuers[$0] }) ?? newestIssuer(of: name) else {
            throw RotationRefusal(detail: "the CA '\(name)' has no root")
        }
        return ReplacementTerms(certificateAuthority: authority, from: from, meshes: meshes)
    }

    /// The running rotation of a certificate authority's own root, if there is one.
    package func replacement(of certificateAuthority: String) -> RotationEntry? {
        rotations.values.first {
            $0.rotation.kind != .move && $0.rotation.certificateAuthority == certificateAuthority
        }
    }

    private func newestIssuer(of name: String) -> Issuer? {
        issuers.values.filter { $0.certificateAuthority == name && $0.revokedAt == nil }
            .max { ($0.notBefore, $0.id) < ($1.notBefore, $1.id) }
    }
}

/// When a root is replaced for its age, without being asked.
package enum RotationSchedule {
    /// A rotation starts when no more than this is left of the root's life: half of it, and at most thirty days.
    package static func start(of root: Issuer) -> Timestamp {
        root.notAfter + .zero - min((root.notAfter - root.notBefore) / 2, .seconds(30 * 86_400))
    }

    /// The new root signs even if not everybody has it, once no more than this is left: a sixth, and at most seven days. Only where
    /// a cross certificate covers those who have it not.
    package static func issuing(of root: Issuer) -> Timestamp {
        root.notAfter + .zero - min((root.notAfter - root.notBefore) / 6, .seconds(7 * 86_400))
    }
}

extension AuthorityState {
    /// The certificate authorities whose root is old enough to be replaced now, by name.
    ///
    /// A root that was brought is replaced by its owner alone; one that signs for nobody is left as it is. One whose end was missed is
    /// due too: nothing else gives its meshes certificates again.
    package func authoritiesDue(at now: Timestamp) -> [String] {
        authoritiesOfAge(at: now).filter { (try? replacementTerms(of: $0, at: now)) != nil }
    }

    /// Those that are of age, and what keeps each from being replaced now: the rotation of a mesh that moves, and the like.
    package func obstaclesToRotation(at now: Timestamp) -> [String: RotationRefusal] {
        var obstacles: [String: RotationRefusal] = [:]
        for name in authoritiesOfAge(at: now) {
            do throws(RotationRefusal) {
                _ = try replacementTerms(of: name, at: now)
            } catch {
                obstacles[name] = error
            }
        }
        return obstacles
    }

    /// Without those whose replacement runs already.
    private func authoritiesOfAge(at now: Timestamp) -> [String] {
        // Asked in every round: few roots are so old, and only those are looked at further.
        let aged = issuers.values.filter { now >= RotationSchedule.start(of: $0) }
        let signing = aged.filter { issuer in meshIssuers.values.contains { $0[issuer.id] == .active } }
        return Set(signing.map(\.certificateAuthority)).filter { name in
            guard let authority = certificateAuthorities[name]?.authority else { return false }
            return authority.origin == .generated && authority.rotatesAutomatically && !authority.isAutomaticHeld
                && replacement(of: name)?.rotation.kind != .replace
        }.sorted()
    }

    /// Whether the old root's end is so near that the new one signs although proxies are behind: the cross certificate covers
    /// them. Never withdraws anything, and never overrides an operator, nor a replica that cannot sign yet.
    package func isForcedByClock(_ rotation: Rotation, gate: RotationGate, at now: Timestamp) -> Bool {
        isUnderTheClock(rotation, at: now) && !gate.blockers.contains { $0.reason == .replica }
    }

    /// Whether the old root's end is so near that a gate need not be open: then it matters who holds it.
    package func isUnderTheClock(_ rotation: Rotation, at now: Timestamp) -> Bool {
        guard rotation.kind == .replace, rotation.phase == .distributing, !rotation.isManual, !rotation.isPaused,
            let root = issuers[rotation.from]
        else { return false }
        // Once the old root has ended, so has every leaf under it: nobody has anything to lose, and only the new one can sign.
        if now >= root.notAfter { return true }
        guard let cross = rotation.crossCertificate, now < cross.notAfter else { return false }
        return now >= RotationSchedule.issuing(of: root)
    }
}
