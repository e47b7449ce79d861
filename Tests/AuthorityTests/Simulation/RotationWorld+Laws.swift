import Authority
import PKI

/// The laws, judged by what the proxies really hold.
extension RotationWorld {
    /// What holds after every event.
    mutating func checkLaws() throws {
        try checkFirstLaw()
        try checkThirdLaw()
        try checkNinthLaw()
        try checkRevocations()
    }

    /// Alive, with bundles that it was given while it was, and left behind by no revocation and no order: whoever is so talks to the
    /// others, and must go on.
    func isHealthy(_ proxy: SimulatedProxy) -> Bool {
        guard let leaf = proxy.leaf, now < leaf.notAfter else { return false }
        return proxy.isConfirmed && !abandoned.contains(leaf.serial)
    }

    /// One active issuer for each mesh with mTLS, and one running rotation at most.
    private func checkFirstLaw() throws {
        for entry in bench.state.meshes.values {
            let active = (bench.state.meshIssuers[entry.mesh.name] ?? [:]).values.filter { $0 == .active }.count
            guard active == 1 else { throw LawBroken(law: 1, description: "\(entry.mesh.name) has \(active) active issuers") }
            let running = bench.state.rotations.values.filter { $0.rotation.meshes.contains(entry.mesh.name) }.count
            guard running <= 1 else { throw LawBroken(law: 1, description: "\(entry.mesh.name) is in \(running) rotations") }
        }
        for name in bench.state.certificateAuthorities.keys {
            let running = bench.state.rotations.values.filter {
                $0.rotation.kind != .move && $0.rotation.certificateAuthority == name
            }.count
            guard running <= 1 else { throw LawBroken(law: 1, description: "\(name) is in \(running) rotations") }
        }
    }

    /// No leaf is signed under a root that a bundle of a healthy proxy lacks, where it binds the leaf's domain, unless the chain
    /// carries a cross certificate that it accepts.
    func checkSecondLaw(_ leaf: SimulatedLeaf) throws {
        if abandoned.contains(leaf.serial) { return }
        for proxy in proxies where isHealthy(proxy) {
            for (name, context) in proxy.contexts {
                guard isMeant(leaf.mesh, for: proxy.caller.mesh, by: name),
                    let roots = context.trustDomains[leaf.identity.trustDomain], !roots.contains(leaf.root),
                    !(leaf.crossRoot.map { roots.contains($0) } ?? false)
                else { continue }
                throw LawBroken(
                    law: 2, description: "\(leaf.identity) is signed by \(leaf.issuer), which \(proxy.caller.identity) lacks")
            }
        }
    }

    /// Whether the context of that name is to hold the mesh, now: a domain that it was left by a mesh that parted counts for nothing.
    private func isMeant(_ mesh: MeshName, for asking: MeshName, by name: SecretName) -> Bool {
        mesh == asking
            || bench.state.crossMeshAccesses.values.contains { entry in
                let (from, to) = (entry.access.from.mesh, entry.access.to.mesh)
                return name == .peers ? from == mesh && to == asking : from == asking && to == mesh
            }
    }

    /// No leaf that lives, and that its proxy still uses, stands under a root that is bound nowhere any more.
    private func checkThirdLaw() throws {
        for proxy in proxies {
            guard let leaf = proxy.leaf, now < leaf.notAfter, !abandoned.contains(leaf.serial) else { continue }
            guard bench.state.meshIssuers[leaf.mesh]?[leaf.issuer]?.isBound == true else {
                throw LawBroken(law: 3, description: "\(leaf.identity) still uses a leaf of \(leaf.issuer), which has gone")
            }
        }
        for leaf in leaves where leaf.node == nil && now < leaf.notAfter && !abandoned.contains(leaf.serial) {
            guard bench.state.meshIssuers[leaf.mesh]?[leaf.issuer]?.isBound == true else {
                throw LawBroken(
                    law: 3, description: "a leaf that \(leaf.identity) fetched of \(leaf.issuer) lives, and it has gone")
            }
        }
    }

    /// No leaf outlives its root.
    func checkFourthLaw(_ leaf: SimulatedLeaf, _ issuer: Issuer) throws {
        guard leaf.notAfter <= issuer.notAfter else {
            throw LawBroken(law: 4, description: "a leaf of \(leaf.identity) outlives \(issuer.id)")
        }
    }

    /// Whoever has followed a revocation takes nothing that the stolen key can sign: neither under the root itself, nor under the one
    /// that signed a cross certificate for it.
    private mutating func checkRevocations() throws {
        if stolenRoots.revision != bench.state.revision {
            stolenRoots = (bench.state.revision, [:])
            for issuer in bench.state.issuers.values where issuer.revokedAt != nil {
                stolenRoots.roots[issuer.certificate] = issuer.id
                for cross in bench.crossCertificates where cross.subject == issuer.id && now < cross.notAfter {
                    if let signer = bench.state.issuers[cross.signer] { stolenRoots.roots[signer.certificate] = issuer.id }
                }
            }
        }
        let roots = stolenRoots.roots
        guard !roots.isEmpty else { return }
        for proxy in proxies where isHealthy(proxy) {
            for (name, context) in proxy.contexts {
                for (domain, bound) in context.trustDomains {
                    guard let mesh = bench.state.mesh(of: domain)?.name, isMeant(mesh, for: proxy.caller.mesh, by: name),
                        let issuer = bound.lazy.compactMap({ roots[$0] }).first
                    else { continue }
                    throw LawBroken(
                        law: 0,
                        description:
                            "\(proxy.caller.identity) has followed, and accepts in \(name) what \(issuer) signs for \(mesh), by "
                            + bench.state.issuers.values.filter { bound.contains($0.certificate) }.map(\.id.text).sorted()
                            .joined(separator: " "))
                }
            }
        }
    }

    /// Every replica that serves can sign under the root that signs now.
    func checkIssuingCertificates(after rotation: Rotation) throws {
        for replica in replicas where replica.isServing && !rotation.meshes.isEmpty && !replica.issuing.contains(rotation.to) {
            throw LawBroken(law: 7, description: "\(rotation.id) goes on, and \(replica.name) cannot sign under \(rotation.to)")
        }
    }

    /// What a gate that opened says was so: by what the proxies hold, not by what they were sent.
    func checkTransition(
        of rotation: Rotation, _ step: RotationStep, reportsSince oldest: Int, leaving blockers: [RotationBlocker] = []
    ) throws {
        let domains = Set(rotation.meshes.compactMap { bench.state.meshes[$0]?.mesh.trustDomain })
        let concerned = bench.state.meshesConcerned(by: rotation)
        let named = Set(blockers.compactMap(\.identity))
        func broken(_ law: Int, _ proxy: SimulatedProxy, _ what: String) -> LawBroken {
            LawBroken(law: law, description: "\(rotation.id) left \(rotation.phase), and \(proxy.caller.identity) \(what)")
        }
        /// Who was there when the oldest report was written, and is still.
        func wasThere(_ proxy: SimulatedProxy, _ name: SecretName) -> Bool {
            proxy.streams[name].map { $0.openedAt < oldest } ?? false
        }
        func checkNewRoot(amongConnected: Bool) throws {
            let root = bench.state.issuers[rotation.to]?.certificate ?? []
            for proxy in proxies where concerned.contains(proxy.caller.mesh) && isHealthy(proxy) {
                for (name, context) in proxy.contexts where !amongConnected || wasThere(proxy, name) {
                    for (domain, roots) in context.trustDomains where domains.contains(domain) && !roots.contains(root) {
                        guard let mesh = bench.state.mesh(of: domain)?.name, isMeant(mesh, for: proxy.caller.mesh, by: name),
                            !named.contains(proxy.caller.identity)
                        else { continue }
                        throw broken(7, proxy, "lacks the new root")
                    }
                }
            }
        }
        switch step {
        case .distribute(let isCovered):
            try checkNewRoot(amongConnected: isCovered)
            try checkIssuingCertificates(after: rotation)
        case .issue(let from, _):
            if rotation.asksWhomItCovered { try checkNewRoot(amongConnected: false) }
            for leaf in leaves where leaf.issuer == from && rotation.meshes.contains(leaf.mesh) && now < leaf.notAfter {
                if named.contains(leaf.identity) { continue }
                guard rotation.retireAfter == .reissued, leaf.node != nil else {
                    throw LawBroken(law: 3, description: "\(from) went with a leaf of \(leaf.identity) that lives")
                }
            }
            for proxy in proxies where rotation.meshes.contains(proxy.caller.mesh) && proxy.leaf?.issuer == from {
                if proxy.isAlive(at: now), !named.contains(proxy.caller.identity) {
                    throw broken(7, proxy, "has a leaf of the old root")
                }
            }
        case .expel:
            let revoked = Set(bench.state.issuers.values.filter { $0.revokedAt != nil }.map(\.certificate))
            for proxy in proxies where !named.contains(proxy.caller.identity) {
                for (name, context) in proxy.contexts where concerned.contains(proxy.caller.mesh) && wasThere(proxy, name) {
                    for (domain, roots) in context.trustDomains where domains.contains(domain) && !revoked.isDisjoint(with: roots)
                    {
                        throw broken(0, proxy, "has a revoked root in \(name)")
                    }
                }
                guard rotation.meshes.contains(proxy.caller.mesh), wasThere(proxy, .identity), let leaf = proxy.leaf else {
                    continue
                }
                guard bench.state.meshIssuers[leaf.mesh]?[leaf.issuer] == .active else {
                    throw broken(0, proxy, "has a leaf of \(leaf.issuer)")
                }
            }
        case .withdraw:
            let gone = rotation.phase == .reverting ? rotation.to : rotation.from
            guard let root = bench.state.issuers[gone]?.certificate else { return }
            for proxy in proxies where concerned.contains(proxy.caller.mesh) {
                for (name, context) in proxy.contexts {
                    // Who came back since the reports were written was away when they were judged.
                    guard wasThere(proxy, name), !named.contains(proxy.caller.identity),
                        context.trustDomains.contains(where: { domains.contains($0.key) && $0.value.contains(root) })
                    else { continue }
                    throw broken(7, proxy, "has the old root in \(name)")
                }
            }
        }
    }
}
