/// The types of document that this version reads, as `type` or `kind` names them; in the order in which messages list them.
package enum DocumentKind: String, Sendable, Hashable, CaseIterable {
    case mesh = "Mesh"
    case crossMeshAccess = "CrossMeshAccess"
}
