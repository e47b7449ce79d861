import AuthorityService
import Foundation
import Listeners
import TestSupport
import Testing

@testable import signet

@Suite struct ConfigurationTests {
    private func load(
        _ yaml: String? = nil, environment: [String: String] = [:], set: [String] = []
    ) throws -> ServiceConfiguration {
        try ServiceConfiguration(values(yaml, environment: environment, set: set))
    }

    private func values(
        _ yaml: String?, environment: [String: String] = [:], set: [String] = []
    ) throws -> ConfigurationValues {
        guard let yaml else { return try ConfigurationValues(file: nil, environment: environment, overrides: set) }
        let path = "/tmp/signet-test-\(UUID().uuidString).yaml"
        try yaml.write(toFile: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            return try ConfigurationValues(file: path, environment: environment, overrides: set)
        } catch {
            throw ConfigurationProblem(error.description.replacingOccurrences(of: path, with: "FILE"))
        }
    }

    @Test func `Nothing set gives the defaults of the table`() throws {
        let configuration = try load()
        #expect(configuration.sds.description == "0.0.0.0:5678")
        #expect(configuration.health.description == "127.0.0.1:5680")
        #expect(configuration.minimumVersion == .tls13)
        #expect(configuration.authority.dataplaneTokenLifetime == .seconds(30 * 86_400))
        // The reasons stand where the numbers are used.
        #expect(configuration.limits == DoorLimits())
        #expect(configuration.authority.rates == AdmissionRates())
        #expect(configuration.postgres == nil)
    }

    @Test func `Two doors on one port are refused with both keys`() throws {
        #expect(
            throws: ConfigurationProblem(
                "listen.sds (0.0.0.0:7000) and listen.admin (127.0.0.1:7000) are on the same port: give one another")
        ) { _ = try load("listen: {sds: '0.0.0.0:7000', admin: '127.0.0.1:7000'}\n") }
        _ = try load("listen: {sds: '127.0.0.1:7000', admin: '127.0.0.2:7000', mtls: '127.0.0.1:0', health: '127.0.0.1:0'}\n")
    }

    @Test func `A byte order mark before the first key is passed over`() throws {
        #expect(try load("\u{FEFF}sds: {ackTimeout: 10s}\n").authority.ackTimeout == .seconds(10))
    }

    @Test func `Every default is itself lawful`() {
        for key in ConfigurationTable.keys {
            guard let fallback = key.fallback, !fallback.isEmpty else { continue }
            #expect(key.kind.complaint(about: fallback) == nil, "\(key.path)")
        }
    }

    @Test func `Flags win over the environment, the environment over the file`() throws {
        let yaml = "sds: {ackTimeout: 10s}\nlimits: {connections: 10, streamsPerConnection: 10}\n"
        let configuration = try load(
            yaml, environment: ["SIGNET_LIMITS_CONNECTIONS": "20", "SIGNET_LIMITS_STREAMS_PER_CONNECTION": "20"],
            set: ["limits.connections=30"])
        #expect(configuration.authority.ackTimeout == .seconds(10))
        #expect(configuration.limits.streamsPerConnection == 20)
        #expect(configuration.limits.connections == 30)
    }

    @Test(arguments: ConfigurationTable.keys.map(\.path))
    func `Every key can be set by its environment variable`(path: String) throws {
        let key = try #require(ConfigurationTable.byPath[path])
        // No kind of value may have a control character: the complaint shows that the variable was read.
        #expect { _ = try load(environment: [key.environmentVariable: "\u{1}"]) } throws: { error in
            "\(error)".hasPrefix("the environment: \(path) is ")
        }
    }

    @Test func `A list is a YAML list, or text with commas in environment and flags`() throws {
        let base = "postgres: {tls: {mode: require}}\n"
        for configuration in [
            try load("postgres: {hosts: [a, 'b:1'], tls: {mode: require}}\n"),
            try load(base, environment: ["SIGNET_POSTGRES_HOSTS": "a, b:1"]), try load(base, set: ["postgres.hosts=a,b:1"]),
        ] {
            #expect(configuration.postgres?.description == "signet@a:5432,b:1, TLS require, database signet")
        }
    }

    @Test(arguments: [
        (
            "listn: {sds: x}",
            "FILE, line 1: there is no configuration key 'listn': see docs/configuration.md for the keys there are"
        ),
        (
            "listen:\n  sds: '127.0.0.1:1'\n  sdss: x\n",
            "FILE, line 3: there is no configuration key 'listen.sdss': did you mean listen.sds?"
        ),
        (
            "listen: {sds: '127.0.0.1'}",
            "FILE: listen.sds is '127.0.0.1': it must be an address such as 127.0.0.1:5678 or [::1]:5678"
        ),
        ("limits: {connections: many}", "FILE: limits.connections is 'many': it must be an integer"),
        ("limits: {connections: 0}", "FILE: limits.connections is '0': it must be between 1 and 1000000"),
        (
            "limits: {leaves: 20/s}",
            "FILE: limits.leaves is '20/s': it must be a rate such as 20+1/s, both numbers 1 to 1000000"
        ),
        ("skipDefaultMesh: maybe", "FILE: skipDefaultMesh is 'maybe': it must be true or false"),
        ("sds: {ackTimeout: 5}", "FILE: sds.ackTimeout is '5': it must be a duration such as 30s or 1h30m"),
        ("sds: {ackTimeout: 2h}", "FILE: sds.ackTimeout is '2h': it must be between 1s and 1h"),
        ("tls: {minimumVersion: '1.1'}", "FILE: tls.minimumVersion is '1.1': it must be 1.2 or 1.3"),
        ("listen: {sds: [a, b]}", "FILE: listen.sds is 'a list': it must be ip:port"),
        ("listen: {sds: {host: a}}", "FILE: listen.sds is 'a mapping': it must be ip:port"),
        ("postgres: {hosts: a}", "FILE: postgres.hosts is 'not a list': it must be list"),
        ("- a\n- b\n", "FILE: the file is not a mapping: write keys such as 'listen:' at its top"),
    ])
    func `What is wrong in the file is told with the key`(yaml: String, problem: String) throws {
        #expect(throws: ConfigurationProblem(problem)) { _ = try values(yaml) }
    }

    @Test(arguments: ["a: [", "limits: {connections: 1}\nlimits: {connections: 2}\n"])
    func `What is not YAML is refused`(yaml: String) throws {
        #expect(throws: ConfigurationProblem.self) { _ = try values(yaml) }
    }

    @Test func `A file of comments alone is the defaults`() throws {
        #expect(try load("# nothing\n").limits.connections == 16_000)
        #expect(try load("").limits.connections == 16_000)
    }

    @Test func `Unknown variables are refused, those of Kubernetes and of the commands are not`() throws {
        #expect(
            throws: ConfigurationProblem(
                "the environment: there is no configuration key 'SIGNET_LISTEN_SSDS': did you mean SIGNET_LISTEN_SDS?")
        ) { _ = try load(environment: ["SIGNET_LISTEN_SSDS": "x"]) }
        _ = try load(environment: [
            "SIGNET_SERVICE_HOST": "10.0.0.1", "SIGNET_SERVICE_PORT_SDS": "5678", "SIGNET_PORT": "tcp://10.0.0.1:5678",
            "SIGNET_PORT_5678_TCP_ADDR": "10.0.0.1", "SIGNET_ADMIN_SERVICE_HOST": "10.0.0.2", "SIGNET_ADDRESS": "https://x",
            "SIGNET_TOKEN_FILE": "x", "SIGNET_CA_FILE": "x", "SIGNET_DATA_DIR": "x",
        ])
    }

    @Test(arguments: [
        ("limits.connections", "--set limits.connections: it has no '=': write --set key=value"),
        ("limit.connections=1", "--set: there is no configuration key 'limit.connections': did you mean limits.connections?"),
        ("limits.connections=-1", "--set: limits.connections is '-1': it must be between 1 and 1000000"),
    ])
    func `A wrong override is told`(text: String, problem: String) throws {
        #expect(throws: ConfigurationProblem(problem)) { _ = try load(set: [text]) }
    }

    @Test func `What serve cannot do without is named, with its variable`() throws {
        #expect(
            throws: ConfigurationProblem(
                "tls.certificateFile is not set: name the PEM files of the serving certificate and, in tls.keyFile, its key, in the file or as SIGNET_TLS_CERTIFICATE_FILE"
            )
        ) { _ = try load().checkedForServe() }
        #expect(throws: ConfigurationProblem("tls.certificateFile is not set: tls.caFile is for the certificate in it")) {
            _ = try load("tls: {caFile: /c}")
        }
        #expect(throws: ConfigurationProblem("tls.keyFile is not set: tls.certificateFile needs its key")) {
            _ = try load("tls: {certificateFile: /c}")
        }
        #expect(throws: ConfigurationProblem.self) {
            _ = try load("tls: {certificateFile: /c, keyFile: /k}\nkeyEncryptionKeyFile: /e\n").checkedForServe()
        }
    }

    @Test func `Values that do not fit each other are refused`() throws {
        #expect(
            throws: ConfigurationProblem("tokens.userLifetime is 1d: it must not be longer than tokens.maximumLifetime, 1h")
        ) { _ = try load("tokens: {maximumLifetime: 1h, dataplaneLifetime: 1h}") }
        #expect(throws: ConfigurationProblem.self) { _ = try load("postgres: {hosts: [a]}") }
        #expect(
            throws: ConfigurationProblem("postgres.hosts and postgres.socketDirectory are both set: set one of them")
        ) { _ = try load("postgres: {hosts: [a], socketDirectory: /s}") }
    }

    @Test(arguments: [
        (
            "limits: {connections: 100, connectionsPerAddress: 101}",
            "limits.connectionsPerAddress is 101: it must not be more than limits.connections, 100"
        ),
        (
            "limits: {connectionsPerAddress: 20000}",
            "limits.connectionsPerAddress is 20000: it must not be more than limits.connections, 16000"
        ),
        (
            "limits: {handshakeTime: 30s}",
            "limits.handshakeTime is 30s: it must not be more than limits.firstCallTime, 20s"
        ),
        ("limits: {headerTime: 2m}", "limits.headerTime is 2m: it must not be more than limits.requestTime, 1m"),
        (
            "adminTokenFile: /etc/signet/key\nkeyEncryptionKeyFile: /etc/signet/../signet/key",
            "adminTokenFile and keyEncryptionKeyFile are the same file, which would be overwritten: give each its own"
        ),
        (
            "adminTokenFile: /k/2\nadditionalKeyEncryptionKeys: [/k/1, /k/2]",
            "adminTokenFile and additionalKeyEncryptionKeys are the same file, which would be overwritten: give each its own"
        ),
        ("journal: {directory: journal}", "journal.directory is not absolute: write an absolute path"),
        ("postgres: {hosts: [a, 'b:5433', 'A:5432']}", "postgres.hosts names A:5432 twice: name each server once"),
    ])
    func `A limit beyond the one that holds it, and a file for two things, are refused with their names`(
        yaml: String, problem: String
    ) throws {
        #expect(throws: ConfigurationProblem(problem)) { _ = try load(yaml) }
    }

    @Test func `A limit that nobody set gives way to the one that holds it`() throws {
        let limits = try load("limits: {connections: 100, firstCallTime: 5s, requestTime: 3s}").limits
        #expect(limits.connectionsPerAddress == 100 && limits.handshake == .seconds(5) && limits.headers == .seconds(3))
    }

    @Test func `The reference in docs is the table's, and its example is a good configuration`() throws {
        let path = Repository.path("docs/configuration.md")
        let expected = ConfigurationReference.markdown()
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] != nil {
            try expected.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(
            try String(contentsOfFile: path, encoding: .utf8) == expected,
            "run: UPDATE_DOCS=1 swift test --filter ConfigurationTests")
        _ = try load(ConfigurationReference.example()).checkedForServe()
    }

    @Test func `check-config says that a good configuration is good, and opens nothing of what it names`() async throws {
        try await Workspace.open("config") { workspace in
            let file = try workspace.write(ConfigurationReference.example(), to: "signet.yaml")
            let good = try await SignetLine().run("check-config", "--config", file)
            #expect(good.status == 0 && good.output == "the configuration is good\n", "\(good)")
            let bad = try await SignetLine().run("check-config", "--config", file, "--set", "log.level=loud")
            #expect(bad.status == 2)
            #expect(bad.errors == "signet: --set: log.level is 'loud': it must be trace, debug, info, notice, warning or error\n")
            let missing = try await SignetLine().run("serve", "--config", workspace.file("none.yaml"))
            #expect(missing.status == 2)
            #expect(
                missing.errors
                    == "signet: there is no file \(workspace.file("none.yaml")): name an existing one with --config\n")
        }
    }
}
