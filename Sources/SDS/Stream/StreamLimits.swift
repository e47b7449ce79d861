/// What one stream may take of the service, and how long it is waited for; every number says why.
package struct StreamLimits: Sendable, Hashable {
    /// How long a response may stay unanswered before its names are shown as silent. Envoy answers within a round trip
    /// once its workers took the secret; half a minute leaves room for a stalled host.
    package var ackTimeout: Duration = .seconds(30)
    /// How long an opened stream may say nothing. Envoy's first request follows the headers at once; who holds streams
    /// open without naming itself is let go within the time that a slow network needs.
    package var firstMessageTimeout: Duration = .seconds(15)
    /// How often a stream's standing is looked at when nothing happens: what a lost signal may cost at most.
    package var tick: Duration = .seconds(5)
    /// The shortest time between two leaves of one stream: a proxy that subscribes and unsubscribes in a loop costs one
    /// signature a second for each of its streams, not as many as it can ask for.
    package var leafSpacing: Duration = .seconds(1)
    /// How long a state-of-the-world response waits for the leaf, so that identity and bundle asked together arrive
    /// together. Issuing takes milliseconds; a ledger that is away must not hold back the bundle.
    package var leafPatience: Duration = .seconds(1)
    /// The first wait after a leaf could not be issued; it doubles with each failure.
    package var retryFloor: Duration = .milliseconds(250)
    /// The longest such wait: a database that came back is noticed within seconds, and ten thousand streams ask it no
    /// more than a thousand times a second meanwhile.
    package var retryCeiling: Duration = .seconds(10)
    /// Names on one stream. An Envoy with ADS asks for two and one for each outbound service; a hundred is beyond any
    /// sidecar, and bounds what a stream keeps.
    package var mostNames = 100
    /// Octets of a name: the longest lawful one is a SPIFFE ID of 2048, or a service name with its prefix.
    package var mostNameBytes = 2304
    /// Octets of a node id, the length of a DNS name; Kuma's are `<mesh>.<proxy>`.
    package var mostNodeIDBytes = 255
    /// Lines that one stream may write to the log about what its proxy asks and rejects: a proxy in a loop is told from one
    /// in trouble by then, and the counters and its status go on telling.
    package var mostLogLines = 200

    package init() {}
}
