package import PKI

/// A door between two meshes: admits the identities of `from` into the validation contexts of `to`, one way only.
///
/// The only thing that opens a way between meshes of different certificate authorities.
package struct CrossMeshAccess: Hashable, Sendable, Codable {
    /// One side of the door.
    package struct Side: Hashable, Sendable, Codable {
        package var mesh: MeshName
        /// The values of `kuma.io/service` that it is for; nil: the whole mesh.
        package var services: [String]?

        package init(mesh: MeshName, services: [String]?) {
            self.mesh = mesh
            self.services = services
        }

        /// Whether a proxy of `service` (nil: it has none, or several) is meant.
        package func includes(_ service: String?) -> Bool {
            guard let services else { return true }
            return service.map { services.contains($0) } ?? false
        }
    }

    /// A DNS label, unique among all doors.
    package var name: String
    package var from: Side
    package var to: Side

    package init(name: String, from: Side, to: Side) {
        self.name = name
        self.from = from
        self.to = to
    }
}
