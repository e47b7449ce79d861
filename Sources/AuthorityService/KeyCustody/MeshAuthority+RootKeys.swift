internal import Authority
internal import Logging
internal import PKI
internal import PKICrypto

/// The key of a root that is being made.
struct NewRootKey {
    var signer: any SigningKey
    /// As the ledger keeps it.
    var stored: IssuerKey
    /// Nil unless it was made in a token.
    var inToken: PKCS11SigningKey?
}

extension MeshAuthority {
    /// A fresh key where the certificate authority keeps its keys: sealed for the ledger, or made in its token.
    ///
    /// Crash state: a token may hold a key that no ledger names. It signs nothing that anybody trusts.
    func newRootKey(for authority: CertificateAuthority, id: IssuerID) async throws(AuthorityError) -> NewRootKey {
        switch authority.keyStore {
        case .database:
            let key = try await RootKeys.generate(authority.keyAlgorithm)
            let sealed = try await ServiceKeys.seal(
                try cryptographically { try key.pkcs8() }, owner: authority.name, name: id.text, with: keyRing)
            return NewRootKey(signer: key, stored: .sealed(sealed), inToken: nil)
        case .pkcs11(let location):
            try confirmAllowed(location)
            do {
                let key = try await PKCS11SigningKey.generate(
                    authority.keyAlgorithm, id: id.text, label: "signet root \(id.text) of \(authority.name)", in: location)
                logger.notice(
                    "a root key was made in a token",
                    metadata: [
                        "certificate-authority": "\(authority.name)", "token": "\(LogText.escaped(location.token))",
                        "key": "\(id)",
                    ])
                return NewRootKey(
                    signer: key, stored: .token(TokenKeyReference(location: location, id: id.text)), inToken: key)
            } catch {
                ServiceMetrics.keyStoreFailed(token: location.token)
                throw AuthorityError(error, field: nil)
            }
        }
    }

    /// The key of a root, ready to sign; throws where it is not that of the root's certificate.
    ///
    /// One that is sealed is in the clear for as long as the caller holds it: for one signature.
    nonisolated func signingKey(
        of root: Issuer, key: IssuerKey?, in keyStore: KeyStore
    ) async throws(AuthorityError) -> any SigningKey {
        guard let key else {
            throw .crypto(detail: "the key of issuer \(root.id) of '\(root.certificateAuthority)' is missing")
        }
        let publicKey = try cryptographically { try CertificateFacts(der: root.certificate).subjectPublicKeyInfo }
        switch key {
        case .sealed(let sealed):
            let pkcs8 = try await ServiceKeys.open(
                sealed, owner: root.certificateAuthority, name: root.id.text, with: keyRing)
            let opened = try cryptographically { try PrivateKey(pkcs8: pkcs8) }
            guard opened.subjectPublicKeyInfo == publicKey else {
                throw .crypto(
                    detail: "the key of issuer \(root.id) of '\(root.certificateAuthority)' is not that of its certificate")
            }
            return opened
        case .token(let reference):
            let location = reference.location(in: keyStore)
            try confirmAllowed(location)
            // Whoever signs records the certificate first: not for a token that is known to be away.
            guard !location.isPausing else {
                throw .keyStoreUnavailable(detail: "the token '\(LogText.escaped(location.token))' failed a moment ago")
            }
            do {
                return try PKCS11SigningKey(id: reference.id, in: location, publicKey: publicKey)
            } catch {
                throw AuthorityError(error, "using the key of issuer \(root.id)")
            }
        }
    }

    /// Throws for a key store that the server was not configured to use, or that does not let it in: before anything is made.
    func confirm(_ authority: CertificateAuthority, replacing current: CertificateAuthority?) async throws(AuthorityError) {
        guard case .pkcs11(let location) = authority.keyStore else { return }
        try confirmAllowed(location)
        do {
            try await location.confirm()
        } catch {
            throw AuthorityError(error, field: "keyStore.pkcs11")
        }
        guard let current, current.keyStore != authority.keyStore, current.keyStore.isSamePlace(as: authority.keyStore)
        else { return }
        // The keys that there are must be found by the new way, too.
        let state = state
        let bound = Set(state.meshIssuers.values.flatMap { $0.filter { $0.value.isBound }.keys })
        let newest = state.currentIssuer(of: authority.name, at: clock.now).map { [$0.id] } ?? []
        for (id, key) in try await ledger.loadState().issuerKeys where bound.contains(id) || newest.contains(id) {
            guard case .token(let reference) = key, let root = state.issuers[id], root.certificateAuthority == authority.name
            else { continue }
            do {
                let publicKey = try CertificateFacts(der: root.certificate).subjectPublicKeyInfo
                try await PKCS11SigningKey(
                    id: reference.id, in: reference.location(in: authority.keyStore), publicKey: publicKey
                ).confirm()
            } catch let failure as PKCS11Failure {
                throw AuthorityError(failure, field: "keyStore.pkcs11")
            } catch {
                throw .crypto(detail: "\(error)")
            }
        }
    }

    private nonisolated func confirmAllowed(_ location: TokenLocation) throws(AuthorityError) {
        guard let refusal = settings.tokenAccess.refusal(of: location) else { return }
        throw .invalid([refusal])
    }

    /// Destroys keys that were made in tokens for something that did not happen. Not where its outcome is unknown.
    func discard(_ keys: [PKCS11SigningKey?], because error: AuthorityError) async {
        if case .ledger(.outcomeUnknown) = error { return }
        for case let key? in keys {
            do {
                try await key.destroy()
            } catch {
                logger.warning("a key that nobody uses stays in its token", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Whether it was not said within the last half minute.
    func isNews(of what: String) -> Bool {
        let now = ContinuousClock.now
        if let last = warnedOfObstacles[what], now - last < .seconds(30) { return false }
        warnedOfObstacles[what] = now
        return true
    }
}

extension AuthorityState {
    /// Where the keys of the issuer's certificate authority are.
    func keyStore(of issuer: Issuer) -> KeyStore {
        certificateAuthorities[issuer.certificateAuthority]?.authority.keyStore ?? .database
    }
}

extension KeyStore {
    /// For the audit trail.
    var auditName: String {
        switch self {
        case .database: "database"
        case .pkcs11(let location): "pkcs11 \(location.token)"
        }
    }

    /// Whether it failed a moment ago.
    var isPausing: Bool {
        switch self {
        case .database: false
        case .pkcs11(let location): location.isPausing
        }
    }
}

extension IssuerKey {
    /// Nil for a key in the database.
    var token: TokenKeyReference? {
        switch self {
        case .sealed: nil
        case .token(let reference): reference
        }
    }
}

extension SignerDescription {
    /// The description of a root by its certificate alone.
    init(root certificate: [UInt8]) throws {
        let facts = try CertificateFacts(der: certificate)
        guard let algorithm = SubjectPublicKeyInfo.algorithm(of: facts.subjectPublicKeyInfo) else {
            throw CryptoFailure("sign with the key of a root", reasons: ["its kind, \(facts.keyAlgorithm), is not known here"])
        }
        self.init(
            subject: facts.subjectName,
            subjectKeyIdentifier: facts.subjectKeyIdentifier
                ?? SubjectPublicKeyInfo.keyIdentifier(of: facts.subjectPublicKeyInfo),
            keyAlgorithm: algorithm)
    }
}

extension AuthorityError {
    /// What was being done when a signature failed.
    init(_ failure: SigningFailure, _ operation: String) {
        switch failure {
        case .crypto(let failure): self = .crypto(detail: "\(operation): \(failure)")
        case .token(let failure): self.init(failure, field: nil)
        }
    }

    /// `field` is that of the document which named the token; nil where none did just now.
    init(_ failure: PKCS11Failure, field: String?) {
        let detail = failure.description
        let part: String? =
            switch failure {
            case .moduleUnusable: "module"
            case .pinFileUnusable, .pinKnownWrong, .pinRefused: "pinFile"
            case .tokenAmbiguous, .tokenMissing: "token"
            case .deadline, .keyAmbiguous, .keyExtractable, .keyMismatch, .keyMissing, .keyPresent, .pausing, .returned, .uri: nil
            }
        if let field, let part {
            self = .invalid([InvalidParameter(field: "\(field).\(part)", reason: detail)])
        } else {
            self = failure.isTransient ? .keyStoreUnavailable(detail: detail) : .conflict(detail: detail)
        }
    }
}
