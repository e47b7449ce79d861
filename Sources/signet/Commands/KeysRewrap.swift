import ArgumentParser
import AuthorityService
import Foundation
import PKICrypto
import Postgres

/// `signet keys rewrap`: everything sealed, under another key, while the service runs.
struct KeysRewrap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewrap", abstract: "Seal every key in the database under another key-encryption key.",
        discussion: """
            Example: signet keys rewrap --config /etc/signet/signet.yaml --new-key /etc/signet/key-encryption-2.key

            The service runs on meanwhile; every replica must have both keys, the old one and the new one (docs/keys.md). What is \
            interrupted goes on with the same command. At its end it says how many rows are under which key: with none under the \
            old one, that key may go.
            """)

    @Option(
        help: ArgumentHelp(
            "The key to seal under: a path or a PKCS #11 URI (default: the one that the configuration seals with).",
            valueName: "file|uri"))
    var newKey: String?

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let newKey = newKey
        try await KeyCustodian.with(options) { custodian in
            do {
                var ring = custodian.ring
                if let newKey { ring = ring.sealing(with: try await KeyEncryptionKey.named(newKey)) }
                let done = try await KeyRewrap(
                    ledger: custodian.ledger, ring: ring, actor: "local:\(NSUserName())",
                    seen: try DirectLedger.seen(custodian.configuration), now: { ServiceClock.system.now }
                ).run { done, all in try Console.out("\(done) of \(all)") }
                try Console.out(done == 0 ? "no row was under another key" : "sealed \(done) rows under \(ring.current.id)")
                let inventory = KeyInventory(of: try await custodian.ledger.load())
                try Console.out(KeysStatus.text(inventory, ring))
            } catch let failure as CommandFailure {
                throw failure
            } catch {
                throw CommandFailure.failed("\(error)")
            }
        }
    }
}
