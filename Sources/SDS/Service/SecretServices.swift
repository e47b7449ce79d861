package import AuthorityService
package import GRPCHTTP2
package import Logging
internal import ServiceLifecycle

/// The gRPC services that proxies call, all forms of SDS, for all doors.
///
/// Streams live on the event loops of their connections, without a task of their own. What they need of the world of tasks
/// is here, once for all of them: credentials are judged, leaves issued, and changes of the authority's state passed on.
package struct SecretServices: Service, CustomStringConvertible {
    package let description = "secret discovery"
    private let authority: MeshAuthority
    private let limits: StreamLimits
    private let logger: Logger
    private let leaves: LeafDesk
    private let tasks = TaskDesk()
    private let sessions = LoopLocal { LoopSessions(eventLoop: $0) }
    private let encoder: ResponseEncoder
    /// Listened to from the beginning, so that no stream is judged by a state whose end is not heard of.
    private let changes: AsyncStream<Void>

    package init(authority: MeshAuthority, limits: StreamLimits = StreamLimits(), logger: Logger) {
        self.authority = authority
        self.limits = limits
        self.logger = logger
        leaves = LeafDesk(authority: authority)
        encoder = ResponseEncoder(replica: authority.instance)
        changes = authority.changes()
    }

    /// Serves until the service stops; the doors must have stopped before.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await leaves.serve() }
            group.addTask { await tasks.serve() }
            for await _ in changes.cancelOnGracefulShutdown() {
                encoder.stateChanged()
                sessions.runOnEach { $0.changed() }
            }
        }
    }

    /// The calls of one door.
    package func router(for door: Door) -> CallRouter {
        let server = SecretServer(
            authority: authority, door: door, limits: limits, logger: logger, leaves: leaves, tasks: tasks,
            sessions: sessions, encoder: encoder)
        let stateOfTheWorld: CallRouter.Opening = { call, headers in
            SecretSession(.stateOfTheWorld, call: call, headers: headers, server: server)
        }
        let delta: CallRouter.Opening = { call, headers in
            SecretSession(.delta, call: call, headers: headers, server: server)
        }
        let secrets = "/envoy.service.secret.v3.SecretDiscoveryService/"
        // For secrets alone: other types are never answered.
        let aggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
        return CallRouter([
            secrets + "StreamSecrets": stateOfTheWorld,
            secrets + "DeltaSecrets": delta,
            secrets + "FetchSecrets": { call, headers in FetchCall(call: call, headers: headers, server: server) },
            aggregated + "StreamAggregatedResources": stateOfTheWorld,
            aggregated + "DeltaAggregatedResources": delta,
        ])
    }
}
