import AdminWire

extension AdminClient {
    /// `GET /trust/matrix` among these meshes; none named: all.
    func trustMatrix(among meshes: [String]) async throws(CommandFailure) -> JSONValue {
        let query = meshes.map { "mesh=" + PathText.query($0) }.joined(separator: "&")
        return try json(try await send("GET", "/trust/matrix" + (query.isEmpty ? "" : "?" + query)))
    }
}
