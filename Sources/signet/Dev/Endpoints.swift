import Foundation
import Listeners

/// What `signet dev` leaves in its data directory while it runs, so that commands and scripts find it.
struct Endpoints: Codable, Hashable, Sendable {
    /// `https://127.0.0.1:5682`.
    var admin: String
    /// `127.0.0.1:5678`.
    var sds: String
    var mtls: String
    /// `http://127.0.0.1:5680`.
    var health: String
    /// The path of the unix socket, if there is one.
    var unix: String?
    /// The roots of the serving certificate, for whoever connects.
    var caFile: String
    var tokenFile: String

    init(_ doors: BoundDoors, in directory: DataDirectory, configuration: ServiceConfiguration) {
        admin = "https://\(Endpoints.reachable(doors.admin.address))"
        sds = Endpoints.reachable(doors.sds.address).description
        mtls = Endpoints.reachable(doors.mtls.address).description
        health = "http://\(Endpoints.reachable(doors.health.address))"
        unix = configuration.unixSocket.map(DataDirectory.absolute)
        caFile = configuration.certificateFiles?.authority.map(DataDirectory.absolute) ?? directory.certificateAuthority
        tokenFile = configuration.adminTokenFile.map(DataDirectory.absolute) ?? directory.adminToken
    }

    func write(to path: String) throws(DoorFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { throw .file(path: path, detail: "it cannot be encoded") }
        try DurableFile.write(data, to: path, mode: 0o644)
    }

    /// Nil if no `signet dev` runs there.
    static func read(_ path: String) -> Endpoints? {
        guard let bytes = (try? DurableFile.read(path)) ?? nil else { return nil }
        return try? JSONDecoder().decode(Endpoints.self, from: Data(bytes))
    }

    private static func reachable(_ address: ListenAddress) -> ListenAddress {
        guard address.isWildcard else { return address }
        return ListenAddress(host: address.host == "::" ? "::1" : "127.0.0.1", port: address.port)
    }
}
