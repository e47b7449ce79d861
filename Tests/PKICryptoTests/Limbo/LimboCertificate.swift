import PKI

/// A certificate of a case, encoded from nothing: every field can be left out, doubled or falsified before it is signed.
struct LimboCertificate {
    /// The subject, a whole Name.
    var name: [UInt8]
    var key = LimboKey.fresh()
    /// The octet of the version; nil leaves the field out, which means version 1.
    var version: UInt8? = 2
    /// The octets of the INTEGER.
    var serial: [UInt8] = (0..<16).map { $0 == 0 ? 0x3A : UInt8.random(in: .min ... .max) }
    var notBefore = Forge.now - .seconds(3600)
    var notAfter = Forge.now + .seconds(86_400)
    /// In place of both times.
    var validity: [UInt8]?
    /// In place of the signer's name.
    var issuer: [UInt8]?
    /// In place of the key's own SubjectPublicKeyInfo.
    var publicKey: [UInt8]?
    /// Without the key identifiers, which are added unless one stands here or `hasKeyIdentifiers` says no.
    var extensions: [LimboExtension]
    var hasSubjectKeyIdentifier = true
    var hasAuthorityKeyIdentifier = true
    /// Unique identifiers, or whatever stands between key and extensions.
    var beforeExtensions: [UInt8] = []
    /// Behind the extensions, still inside of what is signed.
    var afterExtensions: [UInt8] = []
    /// Nil: the one that goes with the signer's key.
    var hash: LimboKey.Hash?
    /// In place of the signature algorithm inside of what is signed.
    var innerAlgorithm: [UInt8]?
    /// In place of the signature algorithm in both places.
    var algorithm: [UInt8]?
    /// Changes the signature before it is put in.
    var alter: (([UInt8]) -> [UInt8])?

    static func root(_ name: String = "root") -> LimboCertificate {
        LimboCertificate(name: RawDER.name(name), extensions: [.authority(), .keyUsage(.keyCertSign, .cRLSign)])
    }

    /// An issuing certificate without name constraints, under which no other CA stands.
    static func issuing(_ name: String = "issuing") -> LimboCertificate {
        LimboCertificate(
            name: RawDER.name(name),
            extensions: [
                .authority(pathLength: 0), .keyUsage(.keyCertSign, .cRLSign), .names(.uri("spiffe://payments")).critical(false),
            ])
    }

    /// A leaf without a subject: its one name is the SPIFFE ID.
    static func leaf(_ names: LimboName...) -> LimboCertificate {
        LimboCertificate(
            name: RawDER.sequence(),
            extensions: [
                .endEntity, .keyUsage(.digitalSignature), .purposes(.serverAuth, .clientAuth),
                .names(names.isEmpty ? [.uri("spiffe://payments/api")] : names),
            ])
    }

    /// Puts an extension in the place of the one with its identifier, or at the end.
    mutating func set(_ ext: LimboExtension) {
        if let place = extensions.firstIndex(where: { $0.identifier == ext.identifier }) {
            extensions[place] = ext
        } else {
            extensions.append(ext)
        }
    }

    mutating func remove(_ identifier: String) {
        extensions.removeAll { $0.identifier == identifier }
    }

    func selfSigned() throws -> [UInt8] { try signed(by: self) }

    /// Signs with the key of `signer`, and takes its subject as the issuer's name.
    func signed(by signer: LimboCertificate) throws -> [UInt8] {
        let hash = hash ?? signer.key.hash
        let outer = algorithm ?? signer.key.algorithm(hash)
        let body = RawDER.sequence(
            version.map { RawDER.element(0xA0, RawDER.integer($0)) } ?? [],
            RawDER.integer(serial),
            innerAlgorithm ?? outer,
            issuer ?? signer.name,
            RawDER.sequence(validity ?? RawDER.time(notBefore) + RawDER.time(notAfter)),
            name,
            publicKey ?? key.publicKey,
            beforeExtensions,
            extensionList(signer: signer),
            afterExtensions)
        let signature = try signer.key.signature(of: body, hash)
        return RawDER.sequence(body, outer, RawDER.bits(alter?(signature) ?? signature))
    }

    /// The field `extensions`, which is left out if it would be empty or the version has none.
    private func extensionList(signer: LimboCertificate) -> [UInt8] {
        guard version == 2 else { return [] }
        var all = extensions
        func has(_ identifier: String) -> Bool { all.contains { $0.identifier == identifier } }
        if hasSubjectKeyIdentifier, !has(LimboExtension.subjectKeyIdentifier) { all.append(.subjectKey(key.identifier)) }
        if hasAuthorityKeyIdentifier, signer.key.publicKey != key.publicKey, !has(LimboExtension.authorityKeyIdentifier) {
            all.append(.authorityKey(signer.key.identifier))
        }
        guard !all.isEmpty else { return [] }
        return RawDER.element(0xA3, RawDER.element(0x30, all.flatMap(\.der)))
    }
}
