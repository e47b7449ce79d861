internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

extension ProvidedRoot {
    /// The one certificate of a PEM text, DER; throws naming the field where there is none, or another one beside it.
    static func certificate(_ pem: String, field: String) throws(AdminError) -> [UInt8] {
        let blocks: [[UInt8]]
        do {
            blocks = try PEM.decode(pem, label: "CERTIFICATE")
        } catch {
            throw .invalid([.init(field: field, reason: "must be a certificate as PEM: \(error)")])
        }
        guard let certificate = blocks.first, blocks.count == 1 else {
            throw .invalid([
                .init(
                    field: field,
                    reason: "holds \(blocks.count) certificates: send the self-signed root alone, without a chain")
            ])
        }
        return certificate
    }
}

extension NewRootMessage {
    /// The root that a request brings; throws for a certificate that is none.
    func provided() throws(AdminError) -> ProvidedRoot {
        ProvidedRoot(
            certificate: try ProvidedRoot.certificate(certificatePEM, field: "cert"), key: .pem(key.text))
    }
}

extension ProvidedKey {
    init(_ source: KeySource) {
        switch source {
        case .fingerprint(let fingerprint): self = .fingerprint(fingerprint)
        case .pem(let key): self = .pem(key.text)
        }
    }
}

extension KeySource {
    /// The key of a root as it is read back; of one that is not there, nothing at all.
    init(of root: Issuer?) {
        self = root?.keyFingerprint.map { .fingerprint($0) } ?? .pem(PrivateKeyText(""))
    }
}

extension MeshDocument {
    /// The keys of its provided backends, by the backends' names.
    var providedKeys: [String: ProvidedKey] {
        var keys: [String: ProvidedKey] = [:]
        for backend in mtls?.backends ?? [] {
            if case .provided(_, let key) = backend.kind { keys[backend.name] = ProvidedKey(key) }
        }
        return keys
    }
}
