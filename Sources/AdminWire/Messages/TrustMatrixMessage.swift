/// Who accepts whom: `GET /trust/matrix`.
package struct TrustMatrixMessage: Codable, Sendable, Hashable {
    /// What proxies of `to` accept of `from`.
    package struct Cell: Codable, Sendable, Hashable {
        package var from: String
        package var to: String
        /// `all`, `some` or `none`.
        package var extent: String
        /// `same-mesh`, or the names of the doors.
        package var through: [String]

        package init(from: String, to: String, extent: String, through: [String]) {
            self.from = from
            self.to = to
            self.extent = extent
            self.through = through
        }
    }

    /// The meshes with mTLS, by name.
    package var meshes: [String]
    /// One for each pair of them, in both directions, row by row.
    package var cells: [Cell]

    package init(meshes: [String], cells: [Cell]) {
        self.meshes = meshes
        self.cells = cells
    }
}
