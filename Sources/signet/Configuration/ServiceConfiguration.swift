import AdminWire
import AuthorityService
import Foundation
import Listeners
import Logging
import PKICrypto
import Postgres

/// The configuration of the service, typed; nothing in it can be wrong any more but the world that it names.
struct ServiceConfiguration: Sendable {
    var sds: ListenAddress
    var mtls: ListenAddress
    var unixSocket: String?
    var admin: ListenAddress
    var health: ListenAddress
    /// Nil for `signet dev` without files of its own.
    var certificateFiles: CertificatePaths?
    var minimumVersion: TLSDoor.MinimumVersion
    var keyEncryptionKeyFile: String?
    /// In place of the file.
    var keyEncryptionKeyURI: String?
    /// Files and URIs.
    var additionalKeyEncryptionKeys: [String]
    var adminTokenFile: String?
    /// Nil for `signet dev`, which has a cluster of its own.
    var postgres: PostgresConfiguration?
    var authority: AuthoritySettings
    /// Nil: without the database no certificate is issued.
    var journalDirectory: String?
    var limits: DoorLimits
    var logLevel: Logger.Level

    struct CertificatePaths: Sendable, Hashable {
        var certificate: String
        var key: String
        /// The roots behind the certificate; the service itself needs none.
        var authority: String?
    }

    init(_ values: ConfigurationValues) throws(ConfigurationProblem) {
        sds = try values.address("listen.sds")
        mtls = try values.address("listen.mtls")
        unixSocket = values.text("listen.unix")
        admin = try values.address("listen.admin")
        health = try values.address("listen.health")
        try ServiceConfiguration.checkDistinct([
            ("listen.sds", sds), ("listen.mtls", mtls), ("listen.admin", admin), ("listen.health", health),
        ])
        let authorityFile = values.text("tls.caFile")
        switch (values.text("tls.certificateFile"), values.text("tls.keyFile")) {
        case (let certificate?, let key?):
            certificateFiles = CertificatePaths(certificate: certificate, key: key, authority: authorityFile)
        case (nil, nil) where authorityFile != nil:
            throw ConfigurationProblem("tls.certificateFile is not set: tls.caFile is for the certificate in it")
        case (nil, nil): certificateFiles = nil
        case (_?, nil): throw ConfigurationProblem("tls.keyFile is not set: tls.certificateFile needs its key")
        case (nil, _?): throw ConfigurationProblem("tls.certificateFile is not set: tls.keyFile needs its certificate")
        }
        minimumVersion = TLSDoor.MinimumVersion(rawValue: values.text("tls.minimumVersion") ?? "") ?? .tls13
        keyEncryptionKeyFile = values.text("keyEncryptionKeyFile")
        keyEncryptionKeyURI = values.text("keyEncryptionKeyURI")
        additionalKeyEncryptionKeys = values.list("additionalKeyEncryptionKeys")
        guard keyEncryptionKeyFile == nil || keyEncryptionKeyURI == nil else {
            throw ConfigurationProblem("keyEncryptionKeyFile and keyEncryptionKeyURI are both set: set one of them")
        }
        if let uri = keyEncryptionKeyURI { try ServiceConfiguration.checkKey(uri, of: "keyEncryptionKeyURI", mustBeURI: true) }
        for place in additionalKeyEncryptionKeys {
            try ServiceConfiguration.checkKey(place, of: "additionalKeyEncryptionKeys", mustBeURI: false)
        }
        adminTokenFile = values.text("adminTokenFile")
        try ServiceConfiguration.checkOverwritesNothing("adminTokenFile", values)
        postgres = try ServiceConfiguration.postgres(values)
        journalDirectory = values.text("journal.directory")
        guard journalDirectory?.hasPrefix("/") ?? true else {
            throw ConfigurationProblem("journal.directory is not absolute: write an absolute path")
        }
        authority = AuthoritySettings()
        authority.skipDefaultMesh = values.flag("skipDefaultMesh")
        authority.dataplaneTokenLifetime = try values.duration("tokens.dataplaneLifetime")
        authority.userTokenLifetime = try values.duration("tokens.userLifetime")
        authority.maximumTokenLifetime = try values.duration("tokens.maximumLifetime")
        authority.ledgerRetention = try values.duration("ledger.retention")
        for key in ["pkcs11.modules", "pkcs11.pinFiles"] {
            guard values.list(key).allSatisfy({ $0.hasPrefix("/") }) else {
                throw ConfigurationProblem("\(key) has a path that is not absolute: write absolute paths")
            }
        }
        authority.tokenAccess = TokenAccess(
            modules: Set(values.list("pkcs11.modules")), pinFiles: Set(values.list("pkcs11.pinFiles")))
        authority.ackTimeout = try values.duration("sds.ackTimeout")
        for (key, lifetime) in [
            ("tokens.dataplaneLifetime", authority.dataplaneTokenLifetime), ("tokens.userLifetime", authority.userTokenLifetime),
        ] where lifetime > authority.maximumTokenLifetime {
            throw ConfigurationProblem(
                "\(key) is \(WireDuration(lifetime).text): it must not be longer than tokens.maximumLifetime, "
                    + WireDuration(authority.maximumTokenLifetime).text)
        }
        limits = DoorLimits()
        limits.connections = try values.integer("limits.connections")
        limits.connectionsPerAddress = try values.value(
            "limits.connectionsPerAddress", within: "limits.connections", values.integer)
        limits.streamsPerConnection = try values.integer("limits.streamsPerConnection")
        limits.handshakes = try values.integer("limits.handshakes")
        limits.messageBytes = try values.integer("limits.messageBytes")
        limits.handshake = try values.value("limits.handshakeTime", within: "limits.firstCallTime", values.duration)
        limits.firstCall = try values.duration("limits.firstCallTime")
        limits.idle = try values.duration("limits.idleTime")
        limits.headers = try values.value("limits.headerTime", within: "limits.requestTime", values.duration)
        limits.request = try values.duration("limits.requestTime")
        authority.rates = try ServiceConfiguration.rates(values)
        logLevel = Logger.Level(rawValue: values.text("log.level") ?? "") ?? .info
    }

    private static func rates(_ values: ConfigurationValues) throws(ConfigurationProblem) -> AdmissionRates {
        var rates = AdmissionRates()
        rates.streamsPerProxy = try values.rate("limits.streamsPerProxy")
        rates.streamsPerIdentity = try values.rate("limits.streamsPerIdentity")
        rates.streams = try values.rate("limits.streams")
        rates.leavesPerProxy = try values.rate("limits.leavesPerProxy")
        rates.leavesPerIdentity = try values.rate("limits.leavesPerIdentity")
        rates.leaves = try values.rate("limits.leaves")
        rates.writesPerToken = try values.rate("limits.writesPerToken")
        rates.refusalsPerAddress = try values.rate("limits.refusalsPerAddress")
        rates.newcomers = try values.rate("limits.newcomers")
        return rates
    }

    /// What `signet serve` cannot do without, checked before anything is opened.
    func checkedForServe() throws(ConfigurationProblem) -> ServiceConfiguration {
        func missing(_ path: String, _ why: String) -> ConfigurationProblem {
            guard let key = ConfigurationTable.byPath[path] else { return ConfigurationProblem("\(path) is not set: \(why)") }
            return .missing(key, why: why)
        }
        guard certificateFiles != nil else {
            throw missing("tls.certificateFile", "name the PEM files of the serving certificate and, in tls.keyFile, its key")
        }
        guard keyEncryptionKeyPlace != nil else {
            throw missing("keyEncryptionKeyFile", "name a file of 32 random octets, mode 0400")
        }
        guard postgres != nil else { throw missing("postgres.hosts", "name the database server") }
        return self
    }

    /// The file or URI of the key that seals.
    var keyEncryptionKeyPlace: String? { keyEncryptionKeyFile ?? keyEncryptionKeyURI }

    private static func checkKey(_ place: String, of key: String, mustBeURI: Bool) throws(ConfigurationProblem) {
        guard mustBeURI || PKCS11URI.isMeant(by: place) else { return }
        do {
            _ = try PKCS11URI(place)
        } catch {
            throw ConfigurationProblem("\(key): \(error)")
        }
    }

    /// What is written there replaces what is there, a key that exists nowhere else too.
    private static func checkOverwritesNothing(_ path: String, _ values: ConfigurationValues) throws(ConfigurationProblem) {
        func places(_ key: String) -> Set<String> {
            Set(values.list(key).map { URL(fileURLWithPath: $0).standardizedFileURL.path })
        }
        let written = places(path)
        for key in [
            "keyEncryptionKeyFile", "additionalKeyEncryptionKeys", "tls.certificateFile", "tls.keyFile", "tls.caFile",
            "pkcs11.pinFiles", "postgres.passwordFile", "postgres.tls.rootCertificateFile", "postgres.tls.certificateFile",
            "postgres.tls.keyFile", "listen.unix",
        ] where !written.isDisjoint(with: places(key)) {
            throw ConfigurationProblem("\(path) and \(key) are the same file, which would be overwritten: give each its own")
        }
    }

    /// Port 0 is another one for each door.
    private static func checkDistinct(_ doors: [(key: String, address: ListenAddress)]) throws(ConfigurationProblem) {
        for (index, door) in doors.enumerated() where door.address.port != 0 {
            for other in doors[..<index] where other.address.port == door.address.port {
                guard other.address.host == door.address.host || other.address.isWildcard || door.address.isWildcard else {
                    continue
                }
                throw ConfigurationProblem(
                    "\(other.key) (\(other.address)) and \(door.key) (\(door.address)) are on the same port: give one another")
            }
        }
    }

    /// One that is named twice is asked twice in vain.
    private static func checkOnce(_ hosts: [String]) throws {
        var seen: Set<String> = []
        for host in try hosts.map({ try PostgresHost($0, key: "hosts") }) where !seen.insert("\(host)".lowercased()).inserted {
            throw ConfigurationProblem("postgres.hosts names \(host) twice: name each server once")
        }
    }

    private static func postgres(_ values: ConfigurationValues) throws(ConfigurationProblem) -> PostgresConfiguration? {
        let (hosts, socket) = (values.list("postgres.hosts"), values.text("postgres.socketDirectory"))
        guard !hosts.isEmpty || socket != nil else { return nil }
        guard hosts.isEmpty || socket == nil else {
            throw ConfigurationProblem("postgres.hosts and postgres.socketDirectory are both set: set one of them")
        }
        do {
            try checkOnce(hosts)
            let listenHosts = try values.list("postgres.listenHosts").map { try PostgresHost($0, key: "listenHosts") }
            let location: PostgresConfiguration.Location =
                if let socket {
                    .socketDirectory(socket, port: UInt16(clamping: try values.integer("postgres.socketPort")))
                } else {
                    .hosts(try hosts.map { try PostgresHost($0, key: "hosts") })
                }
            return try PostgresConfiguration(
                location: location, listenLocation: listenHosts.isEmpty ? nil : .hosts(listenHosts),
                user: values.text("postgres.user") ?? "", database: values.text("postgres.database") ?? "",
                password: values.text("postgres.passwordFile").map { .file(path: $0) },
                tls: PostgresTLS(
                    mode: try PostgresTLS.mode(values.text("postgres.tls.mode") ?? ""),
                    rootCertificateFile: values.text("postgres.tls.rootCertificateFile"),
                    certificateFile: values.text("postgres.tls.certificateFile"), keyFile: values.text("postgres.tls.keyFile")),
                timing: PostgresConfiguration.Timing(
                    connect: try values.duration("postgres.connectTimeout"),
                    acquire: try values.duration("postgres.acquireTimeout"),
                    statement: try values.duration("postgres.statementTimeout")),
                poolSize: try values.integer("postgres.poolSize"))
        } catch let error as PostgresConfigurationError {
            throw ConfigurationProblem("postgres.\(error.description)")
        } catch let problem as ConfigurationProblem {
            throw problem
        } catch {
            throw ConfigurationProblem("postgres: \(error)")
        }
    }
}
