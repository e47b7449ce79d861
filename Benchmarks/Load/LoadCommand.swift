import ArgumentParser
import Foundation

/// `signet-load`: thousands of proxies in one process, each with a TLS connection and an SDS stream of its own that asks for the
/// identity and the trust bundle and acknowledges whatever comes, as Envoy does.
@main
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signet-load", abstract: "Simulated proxies that hold SDS streams open.",
        discussion: "Example: signet-load --proxies 1000 --ca-file ~/.local/share/signet/ca.pem --token-file web.token --for 60")

    @Option(help: "How many; at most 20000.")
    var proxies: Int

    @Option(help: "The address of the port for tokens; loopback only.")
    var port = 5678

    @Option(help: "The root of the serving certificate, PEM.")
    var caFile: String

    @Option(help: "A dataplane token without a name: each simulated proxy is named by its node id.")
    var tokenFile: String

    @Option(help: "How many connect at a time.")
    var width = 64

    @Option(name: .customLong("for"), help: "Ends after so many seconds, at most 3600.")
    var seconds = 60

    func validate() throws {
        guard (1...20_000).contains(proxies) else { throw ValidationError("--proxies must be 1 to 20000") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--for must be 1 to 3600 seconds") }
        guard (1...1000).contains(width) else { throw ValidationError("--width must be 1 to 1000") }
    }

    func run() async throws {
        let token = try String(contentsOfFile: tokenFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let tally = Tally(proxies: proxies)
        let start = ContinuousClock.now
        let deadline = start + .seconds(seconds)
        let turns = Turns(width: width)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await tally.whenAllServed()
                print("served \(proxies) after \(ContinuousClock.now - start)")
                fflush(nil)
            }
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                print(tally.report)
                // Thousands of streams end sooner with the process than one by one.
                fflush(nil)
                Foundation.exit(0)
            }
            for number in 0..<proxies {
                group.addTask {
                    await turns.take()
                    let proxy = SimulatedProxy(number: number, port: port, caFile: caFile, token: token, tally: tally)
                    do {
                        try await proxy.run { turns.give() }
                    } catch {
                        tally.lost("proxy \(number): \(error)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
