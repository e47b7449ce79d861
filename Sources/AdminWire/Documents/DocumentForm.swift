/// Kuma's two forms of the same document.
package enum DocumentForm: String, Sendable, Hashable, CaseIterable {
    /// `apiVersion`, `kind`, `metadata` and `spec`.
    case kubernetes
    /// `type`, `name` and the fields beside them.
    case universal
}
