/// Every key of the service's configuration. What is not here does not exist: an unknown key is an error.
enum ConfigurationTable {
    private static let year: Duration = .seconds(365 * 86_400)

    static let keys: [ConfigurationKey] = [
        ConfigurationKey(
            "listen.sds", .address, "0.0.0.0:5678",
            "gRPC over TLS for proxies that bring a dataplane token. Kuma's port number; every interface, since proxies are "
                + "elsewhere."),
        ConfigurationKey(
            "listen.mtls", .address, "0.0.0.0:5679",
            "The same services over mTLS, for proxies that bring an identity certificate."),
        ConfigurationKey(
            "listen.unix", .path, "",
            "A unix socket (mode 0660) with the same services, for proxies on the same host. Empty: none."),
        ConfigurationKey(
            "listen.admin", .address, "0.0.0.0:5682",
            "The admin REST API over TLS. No address is ever admin by itself: each request brings an admin token."),
        ConfigurationKey(
            "listen.health", .address, "127.0.0.1:5680",
            "/healthz, /readyz and /metrics, plain HTTP. Loopback, since metrics name meshes."),
        ConfigurationKey(
            "tls.certificateFile", .path, "",
            "PEM chain, leaf first, that the TLS ports show. Read again when it changes. Required by 'signet serve'."),
        ConfigurationKey(
            "tls.keyFile", .path, "", "The private key of tls.certificateFile, PEM. Required by 'signet serve'."),
        ConfigurationKey(
            "tls.caFile", .path, "",
            "PEM roots by which clients know tls.certificateFile. Only 'signet dev' reads it, to tell the commands, and requires "
                + "it beside tls.certificateFile."),
        ConfigurationKey(
            "tls.minimumVersion", .choice(["1.2", "1.3"]), "1.3",
            "The oldest TLS version that is spoken. 1.2 only for clients that cannot do better."),
        ConfigurationKey(
            "keyEncryptionKeyFile", .path, "",
            "32 random octets in a file of mode 0400, under which every key in the database is sealed ('signet keys create'). "
                + "Required by 'signet serve', unless keyEncryptionKeyURI is set."),
        ConfigurationKey(
            "keyEncryptionKeyURI", .text, "",
            "A key of an HSM instead of that file: pkcs11:token=LABEL;object=LABEL?module-path=PATH&pin-source=PATH (RFC 7512)."),
        ConfigurationKey(
            "additionalKeyEncryptionKeys", .list, "",
            "Files or PKCS #11 URIs of keys that open what is sealed under them and seal nothing: while the key is exchanged "
                + "for another one, by 'signet keys rewrap'."),
        ConfigurationKey(
            "pkcs11.modules", .list, "",
            "The PKCS #11 modules that documents may name as a CA's keyStore. To load a module is to run it, so that none may be "
                + "named that is not listed."),
        ConfigurationKey(
            "pkcs11.pinFiles", .list, "",
            "The PIN files (mode 0400) that documents may name as a CA's keyStore: what is in them is sent to the module."),
        ConfigurationKey(
            "adminTokenFile", .path, "",
            "Where each start writes a new admin token (mode 0600) for the first administrator. Empty: none is made."),
        ConfigurationKey(
            "postgres.hosts", .list, "",
            "host:port of each server that may hold the database; the first that accepts writes is used. Required by "
                + "'signet serve', unless postgres.socketDirectory is set."),
        ConfigurationKey(
            "postgres.socketDirectory", .path, "",
            "The directory of PostgreSQL's unix socket, instead of postgres.hosts. TLS does not apply to it."),
        ConfigurationKey(
            "postgres.socketPort", .integer(1...65_535), "5432", "The number in the unix socket's file name."),
        ConfigurationKey(
            "postgres.listenHosts", .list, "",
            "Where LISTEN connects when postgres.hosts is a transaction pooler, which cannot carry it. Empty: postgres.hosts."),
        ConfigurationKey("postgres.database", .text, "signet", "The name of the database."),
        ConfigurationKey("postgres.user", .text, "signet", "The role to connect as."),
        ConfigurationKey(
            "postgres.passwordFile", .path, "",
            "A file whose first line is the password. Empty: none is sent. There is no key for the password itself: files "
                + "rotate, configurations leak."),
        ConfigurationKey(
            "postgres.tls.mode", .choice(["disable", "require", "verify-ca", "verify-full"]), "verify-full",
            "As libpq's sslmode. Plain text must be asked for with 'disable'."),
        ConfigurationKey(
            "postgres.tls.rootCertificateFile", .path, "", "PEM: what verify-ca and verify-full verify against."),
        ConfigurationKey("postgres.tls.certificateFile", .path, "", "A client certificate for PostgreSQL, PEM."),
        ConfigurationKey("postgres.tls.keyFile", .path, "", "The private key of postgres.tls.certificateFile, PEM."),
        ConfigurationKey(
            "postgres.poolSize", .integer(1...1000), "8",
            "The most connections at a time, beside the one that listens. Eight keep two cores' commits and reads busy."),
        ConfigurationKey(
            "postgres.connectTimeout", .duration(.milliseconds(1) ... .seconds(3600)), "5s",
            "For each server: twice what a TLS handshake over a bad link needs."),
        ConfigurationKey(
            "postgres.acquireTimeout", .duration(.milliseconds(1) ... .seconds(3600)), "5s",
            "How long a request waits for a connection of the pool before it is told that the database is unavailable."),
        ConfigurationKey(
            "postgres.statementTimeout", .duration(.milliseconds(1) ... .seconds(3600)), "10s",
            "What one statement may take: a hundred times the slowest that is normal."),
        ConfigurationKey(
            "ledger.retention", .duration(.seconds(86_400) ... .seconds(100 * 365 * 86_400)), "90d",
            "How long the record of a certificate is kept after the certificate's end, in whole weeks: a quarter of a year to look "
                + "into what happened, and a database that does not grow for ever."),
        ConfigurationKey(
            "journal.directory", .path, "",
            "Where certificates are recorded that are issued while the database is away, for an hour or half of a leaf's life: a "
                + "directory on a disk of this replica's own, which is made with mode 0700 and kept. Empty: without the database "
                + "none is issued."),
        ConfigurationKey(
            "skipDefaultMesh", .boolean, "false", "Whether the first start leaves the mesh 'default' unmade."),
        ConfigurationKey(
            "tokens.dataplaneLifetime", .duration(.seconds(1)...year), "30d",
            "How long a dataplane token lives unless its request says otherwise: a lost one is a bounded loss, a renewal a "
                + "monthly routine."),
        ConfigurationKey(
            "tokens.userLifetime", .duration(.seconds(1)...year), "24h",
            "How long an admin token lives unless its request says otherwise."),
        ConfigurationKey(
            "tokens.maximumLifetime", .duration(.seconds(1)...year), "365d",
            "The longest life that a request may ask for."),
        ConfigurationKey(
            "sds.ackTimeout", .duration(.seconds(1) ... .seconds(3600)), "30s",
            "How long a pushed secret may stay unacknowledged before the proxy is shown as silent."),
        ConfigurationKey(
            "limits.connections", .integer(1...1_000_000), "16000",
            "Connections open at a time on each port. Each costs a file descriptor and about 100 KB."),
        ConfigurationKey(
            "limits.streamsPerConnection", .integer(1...10_000), "100",
            "RPCs at a time on one connection. Envoy opens one for each secret."),
        ConfigurationKey(
            "limits.connectionsPerAddress", .integer(1...1_000_000), "12000",
            "Of those, the most from one address (IPv6: one /64). Three quarters, since a fleet may be behind one NAT, and no "
                + "address takes the last places from all others; never more than limits.connections. Lower it where proxies have addresses of their own."
        ),
        ConfigurationKey(
            "limits.handshakes", .integer(1...100_000), "256",
            "TLS handshakes under way at a time on each port for proxies; the rest wait unread, addresses in turn, so that those "
                + "that have begun are done within their clients' patience."),
        ConfigurationKey(
            "limits.messageBytes", .integer((16 << 10)...(16 << 20)), "1048576",
            "The largest gRPC message. Envoy's first one carries its node with all extensions, some 100 KB."),
        ConfigurationKey(
            "limits.handshakeTime", .duration(.milliseconds(100) ... .seconds(300)), "10s",
            "For a TLS handshake: three messages, with time for retransmissions. At most limits.firstCallTime."),
        ConfigurationKey(
            "limits.firstCallTime", .duration(.milliseconds(100) ... .seconds(300)), "20s",
            "From a proxy's connection to its first request: until then nobody has shown a token. Envoy connects when it has "
                + "something to ask."),
        ConfigurationKey(
            "limits.idleTime", .duration(.milliseconds(100) ... .seconds(86_400)), "1m",
            "How long a connection may be without a request after its last one. Envoy's streams stay open, and one that was "
                + "refused asks again within 30 s."),
        ConfigurationKey(
            "limits.headerTime", .duration(.milliseconds(100) ... .seconds(300)), "10s",
            "For the headers of an HTTP request, from their first byte to their last: they fit into a dozen packets. At most "
                + "limits.requestTime."),
        ConfigurationKey(
            "limits.requestTime", .duration(.milliseconds(100) ... .seconds(3600)), "1m",
            "For a whole HTTP request, from its first byte to the end of its answer, its body of up to 1 MiB included."),
        ConfigurationKey(
            "limits.streamsPerProxy", .rate, "400+20/s",
            "Streams and fetches that one proxy (identity, token, node) opens. An Envoy opens one for each secret, up to a "
                + "hundred, all at once after a reconnect."),
        ConfigurationKey(
            "limits.streamsPerIdentity", .rate, "40000+1000/s",
            "Streams and fetches of all proxies with one identity: ten thousand of them, with two streams, reconnect twice in a "
                + "row; who makes up node names is held to a fraction of what a replica can open."),
        ConfigurationKey(
            "limits.streams", .rate, "100000+20000/s",
            "Streams and fetches of all proxies together: above what a replica can open. It bounds the queue, not the work."),
        ConfigurationKey(
            "limits.leavesPerProxy", .rate, "20+1/s",
            "Certificates that one proxy asks for: one at each of its starts. Renewals and the re-issue of a rotation do not "
                + "count, here and in the two that follow."),
        ConfigurationKey(
            "limits.leavesPerIdentity", .rate, "20000+500/s",
            "Certificates that all proxies with one identity ask for: a fleet of ten thousand starts twice in a row, and then a "
                + "tenth of what a replica can issue."),
        ConfigurationKey(
            "limits.leaves", .rate, "50000+10000/s",
            "Certificates that all proxies together ask for: above what a replica can issue, so that it bounds the queue and not "
                + "the work."),
        ConfigurationKey(
            "limits.writesPerToken", .rate, "1000+50/s",
            "Writes of one admin token: a thousand documents at once, and then a tenth of what the database commits."),
        ConfigurationKey(
            "limits.refusalsPerAddress", .rate, "200+50/s",
            "Refused credentials from one address, beyond which no token from there is looked at that was not good before, but for "
                + "`limits.newcomers`: what three hundred misconfigured Envoys behind one NAT come to. The unix socket has none. A "
                + "client certificate has this rate to itself: it is nothing to it what its address was refused, nor to the address what "
                + "the certificate was."),
        ConfigurationKey(
            "limits.newcomers", .rate, "500+500/s",
            "Tokens that are looked at beyond `limits.refusalsPerAddress`, of all addresses together: behind one balancer strangers "
                + "would else shut out whoever is not known yet. Some three hundredths of a processor, however many there are."),
        ConfigurationKey(
            "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error"]), "info",
            "The least severe message that is logged, to standard error."),
    ]

    static let byPath: [String: ConfigurationKey] = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })
}
