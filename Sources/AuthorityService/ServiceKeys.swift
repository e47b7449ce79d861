internal import PKI
internal import PKICrypto

/// The service's own keys in the ledger, sealed like root keys.
enum ServiceKeys {
    /// 32 octets: the MAC key of `LeafVersion`.
    static let leafVersion = "leaf-version"
    /// PKCS#8: the ECDSA P-256 key that signs the head of the audit trail.
    static let auditHead = "audit-head"
    /// The owner in the additional data of everything sealed that belongs to no certificate authority.
    static let owner = "service"
    static let tokenOwner = "token"
    /// A new ES256 key for tokens of `mesh`, or for admin tokens.
    static func tokenSigningKey(
        mesh: MeshName?, with keyRing: KeyRing, at now: Timestamp
    ) async throws(AuthorityError) -> TokenSigningKey {
        let id = Hex.encode(SecureRandom.bytes(8))
        do {
            let key = try PrivateKey.generate(.ecP256)
            let sealed = try await seal(try key.pkcs8(), owner: tokenOwner, name: id, with: keyRing)
            return TokenSigningKey(
                id: id, mesh: mesh, publicKey: key.subjectPublicKeyInfo, sealedKey: sealed, createdAt: now, endsAt: nil)
        } catch let error as AuthorityError {
            throw error
        } catch {
            throw .crypto(detail: "\(error)")
        }
    }

    /// The write that makes the key which signs the audit trail; a conflict where there is one.
    static func newAuditKey(with keyRing: KeyRing) async throws(AuthorityError) -> LedgerWrite {
        do {
            let key = try PrivateKey.generate(.ecP256)
            return .insertServiceKey(
                name: auditHead, try await seal(try key.pkcs8(), owner: owner, name: auditHead, with: keyRing))
        } catch let error as AuthorityError {
            throw error
        } catch {
            throw .crypto(detail: "\(error)")
        }
    }

    static func seal(
        _ secret: SecretBytes, owner: String, name: String, with keyRing: KeyRing
    ) async throws(AuthorityError) -> SealedKey {
        do {
            return try await keyRing.seal(secret, context: SealingContext(owner: owner, name: name))
        } catch {
            throw .crypto(detail: "sealing '\(name)': \(error)")
        }
    }

    static func open(
        _ sealed: SealedKey, owner: String, name: String, with keyRing: KeyRing
    ) async throws(AuthorityError) -> SecretBytes {
        do {
            return try await keyRing.open(sealed, context: SealingContext(owner: owner, name: name))
        } catch {
            throw .crypto(detail: "opening the sealed key '\(name)' of '\(owner)': \(error)")
        }
    }
}

extension Ledger {
    /// `load`, with the failure as the service's own error.
    func loadState() async throws(AuthorityError) -> LedgerState {
        do { return try await load() } catch { throw .ledger(error) }
    }
}
