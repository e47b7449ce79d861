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
            "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error"]), "info",
            "The least severe message that is logged, to standard error."),
    ]

    static let byPath: [String: ConfigurationKey] = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })
}
