internal import Authority
package import PKI
package import PKICrypto

/// Every sealed secret of a ledger, with what it is sealed for.
package struct KeyInventory: Sendable {
    /// One row: the secret, and the only context in which it opens.
    package struct Entry: Sendable, Hashable {
        package var row: SealedKeyRow
        package var sealed: SealedKey
        package var context: SealingContext
    }

    package let entries: [Entry]
    /// How many root keys are in tokens, where no key-encryption key has to do with them.
    package let inTokens: Int

    package init(of state: LedgerState) {
        var entries: [Entry] = []
        var inTokens = 0
        for (id, key) in state.issuerKeys {
            switch key {
            case .token: inTokens += 1
            case .sealed(let sealed):
                let owner = state.authority.issuers[id]?.certificateAuthority ?? ""
                entries.append(
                    Entry(row: .issuer(id), sealed: sealed, context: SealingContext(owner: owner, name: id.text)))
            }
        }
        for (name, sealed) in state.serviceKeys {
            entries.append(
                Entry(
                    row: .service(name: name), sealed: sealed,
                    context: SealingContext(owner: ServiceKeys.owner, name: name)))
        }
        for key in state.tokenSigningKeys {
            entries.append(
                Entry(
                    row: .tokenSigning(id: key.id), sealed: key.sealedKey,
                    context: SealingContext(owner: ServiceKeys.tokenOwner, name: key.id)))
        }
        self.entries = entries.sorted { ($0.context.owner, $0.context.name) < ($1.context.owner, $1.context.name) }
        self.inTokens = inTokens
    }

    /// How many rows are sealed under each key-encryption key, by its id.
    package var counts: [String: Int] { entries.reduce(into: [:]) { $0[$1.sealed.keyEncryptionKeyID, default: 0] += 1 } }

    /// Throws when a row is sealed under a key that the ring has not: sooner or later it would be missed.
    func confirmOpen(with ring: KeyRing) throws(AuthorityError) {
        let missing = counts.filter { !ring.contains($0.key) }.sorted { $0.key < $1.key }
        guard !missing.isEmpty else { return }
        let list = missing.map { "\($0.value) under \($0.key)" }.joined(separator: ", ")
        throw .crypto(
            detail: "sealed keys are under a key-encryption key that is not configured (\(list)): name it in "
                + "additionalKeyEncryptionKeys until 'signet keys status' shows no row under it")
    }
}
