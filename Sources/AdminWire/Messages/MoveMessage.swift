/// A mesh that goes from one certificate authority to another by a change.
package struct MoveMessage: Codable, Sendable, Hashable {
    package var mesh: String
    /// The names of certificate authorities.
    package var from: String
    package var to: String

    package init(mesh: String, from: String, to: String) {
        self.mesh = mesh
        self.from = from
        self.to = to
    }
}
