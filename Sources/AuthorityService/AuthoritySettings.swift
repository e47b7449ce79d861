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
    /// How long a rotation's gate must have been open before the rotation goes on. A TLS handshake that began with the older
    /// certificate ends within it.
    package var rotationDwell: Duration = .seconds(1)
    /// Leaves re-issued in each second after an issuer went out, by all replicas together: a third of what one of them and the
    /// database can do.
    package var reissuePace = 5_000
    /// How often the progress of a running rotation is looked at.
    package var rotationInterval: Duration = .milliseconds(500)
    /// How long acknowledgements gather before a gate looks at them. Thousands come within a second or two: twenty looks a second
    /// follow them closely enough, and cost next to nothing.
    package var rotationGathering: Duration = .milliseconds(50)
    /// How often a replica says that it lives.
    package var heartbeatInterval: Duration = .seconds(5)
    /// Three heartbeats and the pause of a stalled host. Of a replica that is silent for longer a gate no longer waits for news:
    /// its proxies are taken to be away, until they are seen elsewhere or their certificates end.
    package var replicaWindow: Duration = .seconds(20)

    /// How long a replica drives rotations without saying so again: another takes over when it is silent for longer. Within the
    /// window in which it counts as living, and long enough for a stalled commit.
    package var driverLease: Duration = .seconds(10)

    /// How long the ledger keeps a leaf after its end: a quarter of a year to look into what happened, and a bounded ledger.
    package var ledgerRetention: Duration = .seconds(90 * 86_400)

    /// How often who may ask for what.
    package var rates = AdmissionRates()

    /// Which HSMs documents may name: none, unless the operator lists them.
    package var tokenAccess = TokenAccess()

    package init() {}
}
