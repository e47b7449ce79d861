package import PKI

/// A PKCS #11 URI (RFC 7512) that names one key: the token by its label, the key by its own, the module, and the PIN's file.
package struct PKCS11URI: Hashable, Sendable {
    package let location: TokenLocation
    /// CKA_LABEL of the key.
    package let object: String

    /// Whether a text is meant as one: a scheme is the same in capitals (RFC 3986, section 3.1).
    package static func isMeant(by text: String) -> Bool { text.prefix(scheme.count).lowercased() == scheme }

    /// Reads `pkcs11:token=LABEL;object=LABEL?module-path=PATH&pin-source=PATH`: all four, in any order, and nothing else but
    /// `type=secret-key`.
    package init(_ text: String) throws(PKCS11Failure) {
        let example = "write pkcs11:token=LABEL;object=LABEL?module-path=PATH&pin-source=PATH"
        guard PKCS11URI.isMeant(by: text) else { throw .uri(reason: "it does not begin with 'pkcs11:': \(example)") }
        let parts = text.dropFirst(PKCS11URI.scheme.count).split(
            separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = try PKCS11URI.attributes(parts[0], separator: ";", known: ["object", "token", "type"])
        let query = try PKCS11URI.attributes(
            parts.count > 1 ? parts[1] : "", separator: "&", known: ["module-path", "pin-source"])
        guard path["type"] ?? "secret-key" == "secret-key" else { throw .uri(reason: "a type other than secret-key") }
        for (name, values) in [("token", path), ("object", path), ("module-path", query), ("pin-source", query)]
        where values[name]?.isEmpty ?? true {
            throw .uri(reason: "it has no \(name): \(example)")
        }
        var pinFile = query["pin-source"] ?? ""
        if pinFile.hasPrefix("file:") { pinFile = String(pinFile.dropFirst(pinFile.hasPrefix("file://") ? 7 : 5)) }
        let module = query["module-path"] ?? ""
        for (name, value) in [("module-path", module), ("pin-source", pinFile)] where !value.hasPrefix("/") {
            throw .uri(reason: "its \(name) is not an absolute path")
        }
        location = TokenLocation(module: module, token: path["token"] ?? "", pinFile: pinFile)
        object = path["object"] ?? ""
    }

    private static func attributes(
        _ text: Substring, separator: Character, known: Set<String>
    ) throws(PKCS11Failure) -> [String: String] {
        var attributes: [String: String] = [:]
        for part in text.split(separator: separator) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(pair[0])
            if name == "pin-value" { throw .uri(reason: "it holds the PIN itself: name a file of mode 0400 with pin-source") }
            guard known.contains(name) else { throw .uri(reason: "'\(name.prefix(40))' is not taken here") }
            guard pair.count == 2, let value = PKCS11URI.decoded(pair[1]) else {
                throw .uri(reason: "\(name) cannot be read")
            }
            guard attributes.updateValue(value, forKey: name) == nil else { throw .uri(reason: "it has two of \(name)") }
        }
        return attributes
    }

    /// Nil where a per cent sign is not followed by two hexadecimal digits, or the octets are no UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        var octets: [UInt8] = []
        var rest = text.utf8[...]
        while let octet = rest.popFirst() {
            guard octet == 0x25 else {
                octets.append(octet)
                continue
            }
            guard rest.count >= 2, let byte = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self))?.first else {
                return nil
            }
            octets.append(byte)
            rest = rest.dropFirst(2)
        }
        return String(validating: octets, as: UTF8.self)
    }

    private static let scheme = "pkcs11:"
}
