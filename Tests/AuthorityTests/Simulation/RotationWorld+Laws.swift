import Authority
import PKI

/// The laws, judged by what the proxies really hold.
extension RotationWorld {
    /// What holds after every event.
    mutating func checkLaws() throws {
        try checkFirstLaw()
        try checkThirdLaw()
        try checkNinthLaw()
    }

    /// One active issuer for each mesh with mTLS, and one running rotation at most.
    private func checkFirstLaw() throws {
        for entry in bench.state.meshes.values {
            let active = (bench.state.meshIssuers[entry.mesh.name] ?? [:]).values.filter { $0 == .active }.count
            guard active == 1 else { throw LawBroken(law: 1, description: "\(entry.mesh.name) has \(active) active issuers") }
            let running = bench.state.rotations.values.filter { $0.rotation.meshes.contains(entry.mesh.name) }.count
            guard running <= 1 else { throw LawBroken(law: 1, description: "\(entry.mesh.name) is in \(running) rotations") }
        }
    }

    /// No leaf is signed under a root that a bundle of a healthy proxy lacks, where it binds the leaf's domain.
    func checkSecondLaw(_ leaf: SimulatedLeaf) throws {
        for proxy in proxies where proxy.isHealthy(at: now) {
            for (name, context) in proxy.contexts {
                guard isMeant(leaf.mesh, for: proxy.caller.mesh, by: name),
                    let roots = context.trustDomains[leaf.identity.trustDomain], !roots.contains(leaf.root)
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
            guard let leaf = proxy.leaf, now < leaf.notAfter else { continue }
            guard bench.state.meshIssuers[leaf.mesh]?[leaf.issuer]?.isBound == true else {
                throw LawBroken(law: 3, description: "\(leaf.identity) still uses a leaf of \(leaf.issuer), which has gone")
            }
        }
        for leaf in leaves where leaf.node == nil && now < leaf.notAfter {
            guard bench.state.meshIssuers[leaf.mesh]?[leaf.issuer]?.isBound == true else {
                throw LawBroken(
                    law: 3, description: "a leaf that \(leaf.identity) fetched of \(leaf.issuer) lives, and it has gone")
            }
        }
    }

    /// What a gate that opened says was so: by what the proxies hold, not by what they were sent.
    func checkTransition(of rotation: Rotation, _ step: RotationStep, reportsSince oldest: Int) throws {
        let domains = Set(rotation.meshes.compactMap { bench.state.meshes[$0]?.mesh.trustDomain })
        let concerned = bench.state.meshesConcerned(by: rotation)
        func broken(_ law: Int, _ proxy: SimulatedProxy, _ what: String) -> LawBroken {
            LawBroken(law: law, description: "\(rotation.id) left \(rotation.phase), and \(proxy.caller.identity) \(what)")
        }
        switch step {
        case .distribute:
            let root = bench.state.issuers[rotation.to]?.certificate ?? []
            for proxy in proxies where concerned.contains(proxy.caller.mesh) && proxy.isHealthy(at: now) {
                for (name, context) in proxy.contexts {
                    for (domain, roots) in context.trustDomains where domains.contains(domain) && !roots.contains(root) {
                        guard let mesh = bench.state.mesh(of: domain)?.name, isMeant(mesh, for: proxy.caller.mesh, by: name)
                        else { continue }
                        throw broken(7, proxy, "lacks the new root")
                    }
                }
            }
        case .issue(let from, _):
            for leaf in leaves where leaf.issuer == from && rotation.meshes.contains(leaf.mesh) && now < leaf.notAfter {
                guard rotation.retireAfter == .reissued, leaf.node != nil else {
                    throw LawBroken(law: 3, description: "\(from) went with a leaf of \(leaf.identity) that lives")
                }
            }
            for proxy in proxies where rotation.meshes.contains(proxy.caller.mesh) && proxy.leaf?.issuer == from {
                if proxy.isAlive(at: now) { throw broken(7, proxy, "has a leaf of the old root") }
            }
        case .withdraw:
            let gone = rotation.phase == .reverting ? rotation.to : rotation.from
            guard let root = bench.state.issuers[gone]?.certificate else { return }
            for proxy in proxies where concerned.contains(proxy.caller.mesh) {
                for (name, context) in proxy.contexts {
                    // Who came back since the reports were written was away when they were judged.
                    guard let stream = proxy.streams[name], stream.openedAt < oldest,
                        context.trustDomains.contains(where: { domains.contains($0.key) && $0.value.contains(root) })
                    else { continue }
                    throw broken(7, proxy, "has the old root in \(name)")
                }
            }
        }
    }
}
