/// A certificate authority that gets a new root by a change of its document.
package struct RootReplacementMessage: Codable, Sendable, Hashable {
    package var certificateAuthority: String
    /// The meshes that it signs for.
    package var meshes: [String]
    /// The id of the rotation; absent in a dry run.
    package var rotation: String?

    package init(certificateAuthority: String, meshes: [String], rotation: String?) {
        self.certificateAuthority = certificateAuthority
        self.meshes = meshes
        self.rotation = rotation
    }
}
