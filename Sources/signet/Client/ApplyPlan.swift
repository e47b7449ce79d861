import AdminWire

/// In which order documents are sent, so that one run with everything applies: certificate authorities, then the meshes that
/// share them, then what stands between meshes or in them.
struct ApplyPlan: Sendable {
    struct Step: Sendable {
        var document: PolicyDocument
        /// A certificate authority whose document adds meshes of this very run, once more when those are there.
        var isSecondPass = false
    }

    private(set) var steps: [Step] = []

    init(_ documents: [PolicyDocument]) {
        let meshes = Set(documents.filter { $0.kind == .mesh }.map(\.name))
        var repeated: [Step] = []
        var others: [Step] = []
        for document in ApplyPlan.ordered(documents) {
            switch document {
            case .certificateAuthority(var authority):
                let all = authority.meshes.count
                authority.meshes.removeAll { meshes.contains($0.name) }
                steps.append(Step(document: .certificateAuthority(authority)))
                if authority.meshes.count < all { repeated.append(Step(document: document, isSecondPass: true)) }
            case .mesh: steps.append(Step(document: document))
            case .crossMeshAccess, .meshService: others.append(Step(document: document))
            }
        }
        steps += repeated + others
    }

    /// Certificate authorities, meshes, then the rest; within each in the order given.
    static func ordered(_ documents: [PolicyDocument]) -> [PolicyDocument] {
        let first: [DocumentKind] = [.certificateAuthority, .mesh]
        return first.flatMap { kind in documents.filter { $0.kind == kind } } + documents.filter { !first.contains($0.kind) }
    }
}
