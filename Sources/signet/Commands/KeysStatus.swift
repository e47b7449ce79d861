import ArgumentParser
import AuthorityService
import PKICrypto

/// `signet keys status`: which rows are sealed under which key.
struct KeysStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how many keys in the database are sealed under which key-encryption key.",
        discussion: """
            Example: signet keys status --config /etc/signet/signet.yaml

            Exit code 1 when there is a row that no configured key opens.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let inventory = try await KeyCustodian.with(options) { custodian in
            let inventory: KeyInventory
            do {
                inventory = KeyInventory(of: try await custodian.ledger.load())
            } catch {
                throw CommandFailure.failed("\(error)")
            }
            try Console.out(KeysStatus.text(inventory, custodian.ring))
            return (inventory, custodian.ring)
        }
        let lost = inventory.0.counts.keys.filter { !inventory.1.contains($0) }.sorted()
        guard lost.isEmpty else {
            throw CommandFailure.failed(
                "no configured key opens what is sealed under \(lost.joined(separator: ", ")): name it in "
                    + "additionalKeyEncryptionKeys")
        }
    }

    /// One line for each key-encryption key, those without a row too, and one for root keys that are in tokens.
    static func text(_ inventory: KeyInventory, _ ring: KeyRing) -> String {
        var table = TextTable("KEY", "ROWS", "CONFIGURED")
        let counts = inventory.counts
        for id in ring.ids + counts.keys.filter({ !ring.contains($0) }).sorted() {
            let use = id == ring.current.id ? "seals" : ring.contains(id) ? "opens" : "no"
            table.add(id, "\(counts[id] ?? 0)", use)
        }
        var text = table.text
        if inventory.inTokens > 0 { text += "\(inventory.inTokens) root keys are in tokens, under no key-encryption key\n" }
        return String(text.dropLast())
    }
}
