/// What the operator can choose of the service's behaviour; every default says why.
package struct AuthoritySettings: Sendable, Hashable {
    /// Whether the mesh `default` is left unmade at the first start.
    package var skipDefaultMesh = false
    /// Kuma's tokens live ten years; thirty days make a lost one a bounded loss, and a renewal a monthly routine.
    package var dataplaneTokenLifetime: Duration = .seconds(30 * 86_400)
    /// A working day and a night: an admin token is made anew, not kept.
    package var userTokenLifetime: Duration = .seconds(86_400)
    /// No token lives longer than a year, whatever is asked.
    package var maximumTokenLifetime: Duration = .seconds(365 * 86_400)
    /// How long a pushed secret may stay unacknowledged before the proxy is called silent. Envoy answers within a round
    /// trip once its workers took the secret; half a minute leaves room for a stalled host.
    package var ackTimeout: Duration = .seconds(30)
    /// How often the ledger's revision is asked where a notification was lost. One cheap query for each replica.
    package var revisionPollInterval: Duration = .seconds(1)

    package init() {}
}
