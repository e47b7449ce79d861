import Listeners

/// All listening sockets of the service, bound together: if one port is in use, nothing has been served yet.
struct BoundDoors: Sendable {
    let sds: BoundSocket
    let mtls: BoundSocket
    let unix: BoundSocket?
    let admin: BoundSocket
    let health: BoundSocket

    init(_ configuration: ServiceConfiguration) throws(CommandFailure) {
        do {
            sds = try .tcp(configuration.sds, key: "listen.sds")
            mtls = try .tcp(configuration.mtls, key: "listen.mtls")
            unix = try configuration.unixSocket.map { path throws(DoorFailure) in try .unix(path: path) }
            admin = try .tcp(configuration.admin, key: "listen.admin")
            health = try .tcp(configuration.health, key: "listen.health")
        } catch {
            throw .failed(error.description)
        }
    }
}
