/// The types of document that this version reads, as `type` or `kind` names them; in the order in which messages list them.
package enum DocumentKind: String, Sendable, Hashable, CaseIterable {
    case mesh = "Mesh"
    case certificateAuthority = "CertificateAuthority"
    case crossMeshAccess = "CrossMeshAccess"
    case meshService = "MeshService"

    /// `a, b or c`.
    static func list(of kinds: [DocumentKind], _ text: (DocumentKind) -> String) -> String {
        let texts = kinds.map(text)
        guard let last = texts.last, texts.count > 1 else { return texts.joined() }
        return "\(texts.dropLast().joined(separator: ", ")) or \(last)"
    }
}
