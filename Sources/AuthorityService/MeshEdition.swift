internal import Authority

/// What a snapshot knows of one mesh besides the state: kept from one snapshot to the next for as long as nothing changes that
/// concerns the mesh.
struct MeshEdition: Sendable {
    /// The generation of the snapshot in which something last changed for the mesh's proxies.
    var number: Int64
    let trust: TrustTable
    /// The rotation that it is in; there is at most one.
    let rotation: AuthorityState.RotationEntry?

    init(number: Int64, rotation: AuthorityState.RotationEntry?) {
        self.number = number
        self.rotation = rotation
        trust = TrustTable()
    }
}
