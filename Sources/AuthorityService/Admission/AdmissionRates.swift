package import Authority

/// How often who may ask for what; every default says why.
///
/// Renewals on schedule and the re-issue of a rotation are none of it: nothing holds them up but their own pace. Proxies of one
/// service share its identity and often its token, so that an identity's rates allow for a fleet, and a proxy's for one Envoy.
package struct AdmissionRates: Sendable, Hashable {
    /// Streams and fetches that one proxy (identity, token and Envoy node) opens. An Envoy has a stream for each secret, up to a
    /// hundred, and opens all at once after a reconnect: four reconnects in a row, and then one secret's retries at Envoy's
    /// shortest wait for twenty of them.
    package var streamsPerProxy = Rate.fixed(400, perSecond: 20)
    /// Streams and fetches of one identity: ten thousand proxies with two streams reconnect twice in a row; who makes up node
    /// names is held to a fraction of what a replica can open.
    package var streamsPerIdentity = Rate.fixed(40_000, perSecond: 1_000)
    /// Streams and fetches of all: above what a replica can open, so that it bounds the queue and not the work.
    package var streams = Rate.fixed(100_000, perSecond: 20_000)
    /// Leaves that one proxy asks for beyond its renewals. One at its start and one for each restart: twenty restarts in a row,
    /// and then one a second, which is more often than any process can be restarted for long.
    package var leavesPerProxy = Rate.fixed(20, perSecond: 1)
    /// Leaves that one identity asks for beyond renewals: twice a fleet of ten thousand that starts at once, and then a tenth of
    /// what a replica can issue.
    package var leavesPerIdentity = Rate.fixed(20_000, perSecond: 500)
    /// Leaves that all ask for beyond renewals: above what a replica can issue, so that it bounds the queue and not the work.
    package var leaves = Rate.fixed(50_000, perSecond: 10_000)
    /// Writes of one admin token: a thousand documents are applied at once, and then a tenth of what the database can commit.
    package var writesPerToken = Rate.fixed(1_000, perSecond: 50)
    /// Credentials from one address that were refused; beyond it no token is looked at that was not good before, but for
    /// `newcomers`. Fifty a second are what three hundred misconfigured Envoys behind one NAT come to, and cost some three
    /// thousandths of a processor. A client certificate has a bucket of its own, instead of its address's.
    package var refusalsPerAddress = Rate.fixed(200, perSecond: 50)
    /// Tokens that are looked at beyond `refusalsPerAddress`, of all addresses together: behind a balancer all have one, and after
    /// a restart none is known, so that strangers would shut out everybody. Ten times the rate of one address, which costs some
    /// three hundredths of a processor, however many addresses and strangers there are.
    package var newcomers = Rate.fixed(500, perSecond: 500)

    package init() {}
}
