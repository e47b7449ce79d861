import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import UnixSignals

/// `signet-load`: thousands of proxies in one process, each with a TLS connection of its own over which it asks for its identity and
/// its trust bundle, and acknowledges whatever comes, as Envoy does.
@main
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signet-load", abstract: "Simulated proxies that hold SDS streams open.",
        discussion: """
            Example: signet-load --proxies 1000 --ca-file ~/.local/share/signet/ca.pem --token-file web.token --for 60

            Proxies whose service went come back as soon as they are let in, and name the versions that they hold. SIGUSR1 cuts all
            connections and has them come back so; SIGUSR2 cuts them, has all connect with TLS and HTTP/2 alone, and cuts them again,
            until SIGUSR1.
            """)

    @Option(help: "How many; at most 20000.")
    var proxies: Int

    @Option(help: "The port for tokens, on the loopback address.")
    var port = 5678

    @Option(help: "The port for certificates, on the loopback address.")
    var mtlsPort = 5679

    @Flag(help: "Come by mTLS, with leaves that were given out on the port for tokens before.")
    var mtls = false

    @Flag(help: "With --mtls: each proxy has a leaf of its own; else a few are shared.")
    var leafEach = false

    @Option(help: "The root of the serving certificate, PEM.")
    var caFile: String

    @Option(help: "A dataplane token without a name: each simulated proxy is named by its node id.")
    var tokenFile: String

    @Option(help: "Streams of each connection: 2, one for each secret as Envoy has it, or 1 that asks for both.")
    var streams = 2

    @Flag(help: "Connect with TLS and HTTP/2, ask for nothing, and end.")
    var handshakesOnly = false

    @Option(help: "What node ids begin with: two of these programs at one service need two.")
    var prefix = "load"

    @Option(help: "How many connect at a time.")
    var width = 64

    @Option(help: "Threads; the service measured needs the cores.")
    var threads = 1

    @Option(name: .customLong("for"), help: "Ends after so many seconds, at most 3600.")
    var seconds = 60

    @Flag(help: "Print events as JSON, one a line.")
    var json = false

    func validate() throws {
        guard (1...20_000).contains(proxies) else { throw ValidationError("--proxies must be 1 to 20000") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--for must be 1 to 3600 seconds") }
        guard (1...1000).contains(width) else { throw ValidationError("--width must be 1 to 1000") }
        guard (1...16).contains(threads) else { throw ValidationError("--threads must be 1 to 16") }
        guard [1, 2].contains(streams) else { throw ValidationError("--streams must be 1 or 2") }
        guard mtls || !leafEach else { throw ValidationError("--leaf-each needs --mtls") }
    }

    private enum Order {
        case comeBack, cutAndComeBack, shakeHands
    }

    func run() async throws {
        let start = ContinuousClock.now
        try ProcessUsage.allowOpenFiles(connections: proxies)
        let plan = try plan()
        let print = printer
        let identities = try IdentityShelf(roots: NIOSSLCertificate.fromPEMFile(caFile), leaves: plan.leaves)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let fleet = Fleet(plan: plan, identities: identities, group: group, announce: print)
        let (orders, order) = AsyncStream.makeStream(of: Order.self)
        let stops = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let cuts = await UnixSignalsSequence(trapping: .sigusr1, .sigusr2)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [deadline = start + .seconds(seconds)] in
                await withTaskGroup(of: Void.self) { either in
                    either.addTask { for await _ in stops { return } }
                    either.addTask { try? await Task.sleep(until: deadline, clock: .continuous) }
                    await either.next()
                    either.cancelAll()
                }
                end(fleet, after: ContinuousClock.now - start, print)
            }
            tasks.addTask { for await cut in cuts { order.yield(cut == .sigusr1 ? .cutAndComeBack : .shakeHands) } }
            tasks.addTask { for await _ in fleet.losses { order.yield(.comeBack) } }
            if plan.leaves > 0 { print(try await fleet.go(.seeding, count: plan.leaves)) }
            guard !handshakesOnly else {
                print(try await fleet.go(.handshakes, count: proxies))
                end(fleet, after: ContinuousClock.now - start, print)
            }
            print(try await fleet.go(.admission, count: proxies))
            for await order in orders {
                switch order {
                case .comeBack: guard fleet.hasLosses else { continue }
                case .cutAndComeBack: fleet.cut()
                case .shakeHands:
                    fleet.cut()
                    print(try await fleet.go(.handshakes, count: proxies))
                    fleet.cut()
                    continue
                }
                print(try await fleet.go(.returning, count: proxies))
            }
            try await tasks.waitForAll()
        }
    }

    private func plan() throws -> LoadPlan {
        let token = try String(contentsOfFile: tokenFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let names: [[SecretName]] = streams == 1 ? [[.identity, .bundle]] : [[.identity], [.bundle]]
        return LoadPlan(
            proxies: proxies, width: width, prefix: prefix, hasLeafEach: leafEach, usesCertificates: mtls,
            tokenDoor: try SocketAddress(ipAddress: "127.0.0.1", port: port),
            certificateDoor: try SocketAddress(ipAddress: "127.0.0.1", port: mtlsPort),
            streams: try StreamPlan.plans(names, token: mtls ? nil : token),
            seedingStreams: try StreamPlan.plans([[.identity]], token: token))
    }

    private var printer: @Sendable (LoadEvent) -> Void {
        { [json] event in
            print(json ? event.json : event.text)
            fflush(nil)
        }
    }

    /// Thousands of connections end sooner with the process than one by one. The exit code says whether all are served.
    private func end(_ fleet: Fleet, after duration: Duration, _ print: @Sendable (LoadEvent) -> Void) -> Never {
        let served = fleet.servedCount
        print(fleet.tally.report(served: served, after: duration / .seconds(1)))
        Foundation.exit(served == proxies ? 0 : 1)
    }
}
