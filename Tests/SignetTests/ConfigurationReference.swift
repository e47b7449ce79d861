@testable import signet

/// The text of docs/configuration.md, made from the table so that the two cannot differ.
enum ConfigurationReference {
    static func markdown() -> String {
        var text = """
            # Configuration of the service

            One YAML file (`signet serve --config FILE`), overridden by the environment, overridden by flags (`--set key=value`).
            An unknown key, a wrong type or a value out of range ends the start with exit code 2 before any port or database is
            opened; `signet check-config` makes the same checks and opens nothing.

            Durations are numbers with the units `y w d h m s ms`, also joined: `1h30m`. A list in the environment has commas
            between its elements. Secrets are named by file, never written into the configuration.

            ## Keys


            """
        for key in ConfigurationTable.keys {
            let fallback = key.fallback.map { $0.isEmpty ? "empty" : "`\($0)`" } ?? "none"
            text += "### `\(key.path)`\n\n\(key.summary)\n\n"
            text += "Type: \(key.kind.title). Default: \(fallback). Environment: `\(key.environmentVariable)`.\n\n"
        }
        return text + "## Example\n\n```yaml\n\(example())```\n"
    }

    /// A file with every key at its default, commented, and what `serve` needs filled in.
    static func example() -> String {
        let filled: [String: String] = [
            "tls.certificateFile": "/etc/signet/tls.crt", "tls.keyFile": "/etc/signet/tls.key",
            "keyEncryptionKeyFile": "/etc/signet/key-encryption.key", "postgres.hosts": "[db1.example:5432, db2.example:5432]",
            "postgres.passwordFile": "/etc/signet/postgres.password",
            "pkcs11.modules": "[/usr/lib/softhsm/libsofthsm2.so]", "pkcs11.pinFiles": "[/etc/signet/hsm.pin]",
            "postgres.tls.rootCertificateFile": "/etc/signet/postgres-ca.crt", "journal.directory": "/var/lib/signet/journal",
        ]
        var text = ""
        var open: [String] = []
        for key in ConfigurationTable.keys {
            let sections = Array(key.components.dropLast())
            if !sections.elementsEqual(open) {
                let shared = zip(sections, open).prefix { $0 == $1 }.count
                for depth in shared..<max(shared, sections.count) {
                    text += String(repeating: "  ", count: depth) + sections[depth] + ":\n"
                }
                open = sections
            }
            let margin = String(repeating: "  ", count: sections.count)
            let name = key.components.last ?? key.path
            if let value = filled[key.path] {
                text += "\(margin)\(name): \(value)\n"
            } else if let fallback = key.fallback, !fallback.isEmpty {
                text += "\(margin)\(name): \(ConfigurationReference.scalar(fallback))\n"
            } else {
                text += "\(margin)# \(name):\n"
            }
        }
        return text
    }

    /// `1.3` and `24h` stay text; the reader takes scalars as text anyway.
    private static func scalar(_ text: String) -> String {
        Double(text) != nil && text.contains(".") ? "\"\(text)\"" : text
    }
}
