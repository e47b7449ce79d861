internal import Authority
internal import PKI

/// The contexts that proxies should have by now and the rotations that ask for them, each found once for all proxies that get the
/// same.
struct WantedContexts {
    struct Wanted {
        var version: String
        /// Those whose gate waits for whoever subscribed to it.
        var rotations: [String]
    }

    private struct Key: Hashable {
        var name: SecretName
        /// Doors open for a service, and a context depends on nothing else of a caller.
        var service: String?
    }

    private var made: [MeshName: [Key: Wanted?]] = [:]
    /// Of one mesh. Proxies choose names and tags: what is beyond is looked up each time.
    private static let most = 4096

    /// The contexts of these meshes may be others now.
    mutating func forget(_ meshes: Set<MeshName>) {
        for mesh in meshes { made[mesh] = nil }
    }

    /// Of a bundle that `caller` asks for; nil for its identity, and where there is no such resource.
    mutating func wanted(
        by status: SubscriptionStatus, of caller: Caller, in snapshot: Snapshot, _ courses: [String: RotationCourse]
    ) -> Wanted? {
        guard let name = status.meaning, name != .identity else { return nil }
        let key = Key(name: name, service: caller.service)
        if let wanted = made[caller.mesh]?[key] { return wanted }
        let served = try? snapshot.trust(name, for: caller)
        let wanted = served.map { served in
            Wanted(
                version: served.version,
                rotations: courses.filter { _, course in
                    course.asksForBundles
                        && (course.concerned.contains(caller.mesh)
                            || course.domains.contains { served.context.trustDomains[$0] != nil })
                }.map(\.key))
        }
        if (made[caller.mesh]?.count ?? 0) < WantedContexts.most { made[caller.mesh, default: [:]][key] = .some(wanted) }
        return wanted
    }
}
