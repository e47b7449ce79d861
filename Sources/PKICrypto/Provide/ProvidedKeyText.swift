internal import PKI

/// Reads the private key that an operator brought, in any of the forms that tools write without encrypting it.
enum ProvidedKeyText {
    /// PKCS#8 (`PRIVATE KEY`), SEC 1 (`EC PRIVATE KEY`) or PKCS #1 (`RSA PRIVATE KEY`), exactly one. Text around it and curve
    /// parameters before it are passed over.
    static func key(pem text: String) throws(ProvidedAuthorityProblem) -> PrivateKey {
        guard text.utf8.count <= maximumBytes else {
            throw problem("\(text.utf8.count) bytes are more than the \(maximumBytes) that a key may have: give the key alone")
        }
        let lines = text.utf8.split { $0 == 0x0A || $0 == 0x0D }.map(trimmed)
        let labels = lines.compactMap(label)
        let isEncrypted = lines.contains { $0.hasPrefix("Proc-Type:") && $0.contains("ENCRYPTED") }
        guard !isEncrypted, !labels.contains("ENCRYPTED PRIVATE KEY") else {
            throw problem(
                "the key is encrypted, and there is nowhere to give its passphrase: decrypt it, 'openssl pkey -in KEY -out "
                    + "DECRYPTED', and give that; it is encrypted again before it is stored")
        }
        let keys = labels.filter { $0.hasSuffix("PRIVATE KEY") }
        guard let label = keys.first else { throw problem(absence(labels)) }
        guard keys.count == 1 else {
            throw problem("there are \(keys.count) private keys where one is taken: give the one of the certificate")
        }
        do {
            return try PrivateKey(pkcs8: pkcs8(text, label: label))
        } catch let problem as ProvidedAuthorityProblem {
            throw problem
        } catch {
            throw ProvidedKeyText.problem("\(error): give the root's private key as 'openssl pkey -in KEY' writes it")
        }
    }

    private static func pkcs8(_ text: String, label: String) throws -> SecretBytes {
        let form: TraditionalKey.Form? =
            switch label {
            case "PRIVATE KEY": nil
            case "EC PRIVATE KEY": .sec1
            case "RSA PRIVATE KEY": .pkcs1
            default:
                throw problem(
                    "a block '\(PrintableText.of(label))' is not read here: convert it to PKCS#8, 'openssl pkey -in KEY'")
            }
        var blocks = try PEM.decode(text, label: label)
        let der = SecretBytes(wiping: &blocks[0])
        return if let form { try TraditionalKey.pkcs8(der, form: form) } else { der }
    }

    private static func absence(_ labels: [String]) -> String {
        let expected = "give the root's private key as PEM, '-----BEGIN PRIVATE KEY-----' and what follows"
        guard let label = labels.first else { return "there is no private key: \(expected)" }
        return "there is no private key, but a block '\(PrintableText.of(label))': \(expected)"
    }

    /// Without the white space around it, as the reader of PEM takes it.
    private static func trimmed(_ line: Substring.UTF8View) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var line = line.drop(while: isBlank)
        while let last = line.last, isBlank(last) { line.removeLast() }
        return String(Substring(line))
    }

    /// The label of a line that begins a block; nil for any other line.
    private static func label(_ line: String) -> String? {
        let begin = "-----BEGIN "
        let dashes = "-----"
        guard line.hasPrefix(begin), line.hasSuffix(dashes), line.utf8.count >= begin.utf8.count + dashes.utf8.count else {
            return nil
        }
        return String(line.dropFirst(begin.count).dropLast(dashes.count))
    }

    private static func problem(_ reason: String) -> ProvidedAuthorityProblem { ProvidedAuthorityProblem(.key, reason) }

    /// The largest key that is read, RSA-4096, has 3,300 characters; the rest is room for what tools write around it.
    private static let maximumBytes = 65_536
}
