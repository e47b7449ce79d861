package import Authority
package import PKI
package import PKICrypto

/// Seals every stored secret under another key-encryption key, while the service goes on.
///
/// Row by row by compare-and-swap, some rows a transaction, each transaction with its audit entry. What is interrupted anywhere goes
/// on with the next run: a row is under the one key or under the other, and the ring opens both. Until the end replicas need both.
package struct KeyRewrap: Sendable {
    /// What stands in the way, before anything was written.
    package enum Refusal: Error, Hashable, Sendable {
        /// Rows, by the id of a key-encryption key that is not in the ring.
        case keysMissing([String: Int])
        /// Replicas that serve and could not open what would be written.
        case replicasWithout([String], keyEncryptionKey: String)
        case rowDoesNotOpen(KeyEncryptionKeyFailure)
        /// The ledger lost transactions, or is another one: nobody has said yet that it is right.
        case unconfirmed(LedgerDoubt)
    }

    private let ledger: any Ledger
    private let ring: KeyRing
    /// Who does it, for the audit trail, such as `local:root`.
    private let actor: String
    /// What was seen of the ledger: one that is not there yet, or not any more, takes nothing. Nil: nobody knows.
    private let seen: LedgerPosition?
    private let now: @Sendable () -> Timestamp

    /// `ring` seals with the new key and opens with the old ones as well.
    package init(
        ledger: any Ledger, ring: KeyRing, actor: String, seen: LedgerPosition? = nil, now: @escaping @Sendable () -> Timestamp
    ) {
        self.ledger = ledger
        self.ring = ring
        self.actor = actor
        self.seen = seen
        self.now = now
    }

    /// How many rows one transaction writes: a short wait for whoever else commits, and few audit entries.
    package static let batch = 100

    /// Three heartbeats: a replica that was silent for longer is none.
    private static let replicaWindow: Duration = .seconds(20)

    /// Goes on until every row is sealed under the ring's current key; returns how many rows this run has sealed anew.
    ///
    /// `progress` is told after each transaction how many are done and how many were to do. Rows that others write meanwhile under an
    /// old key are taken in as well; whoever goes on writing such rows is configured with it, and holds up the end.
    package func run(progress: (_ done: Int, _ all: Int) throws -> Void) async throws -> Int {
        var done = 0
        // A row that is in the way of a competitor's write is read again; without end they come only from a misconfiguration.
        for _ in 0..<1000 {
            let state = try await ledger.load()
            if let doubt = seen?.doubt(about: state.position) { throw Refusal.unconfirmed(doubt) }
            let inventory = KeyInventory(of: state)
            let left = inventory.entries.filter { $0.sealed.keyEncryptionKeyID != ring.current.id }
            guard !left.isEmpty else { return done }
            try confirm(inventory)
            try await confirmReplicas()
            let writes = try await reseal(left.prefix(KeyRewrap.batch))
            let from = Set(left.prefix(KeyRewrap.batch).map(\.sealed.keyEncryptionKeyID)).sorted()
            Failpoint.pass("before-commit:keys-rewrapped")
            do {
                _ = try await ledger.commit(
                    LedgerTransaction(
                        writes: writes,
                        audit: AuditEntry(
                            at: now(), actor: actor, source: "local", action: "keys-rewrapped", mesh: nil,
                            object: ring.current.id,
                            details: ["from": from.joined(separator: " "), "rows": "\(writes.count)"]
                        ).with(AuditDocuments(of: writes, in: AuthorityState())), after: seen))
            } catch {
                // Somebody wrote one of the rows meanwhile: they are read again.
                guard case .conflict = error else { throw error }
                continue
            }
            Failpoint.pass("after-commit:keys-rewrapped")
            done += writes.count
            try progress(done, done + left.count - writes.count)
        }
        throw LedgerFailure.conflict(what: "sealed keys, which are written under another key all the time,")
    }

    /// Throws before the first write when not every row can be opened: nothing would be lost, but nothing finished either.
    private func confirm(_ inventory: KeyInventory) throws(Refusal) {
        let missing = inventory.counts.filter { !ring.contains($0.key) }
        guard missing.isEmpty else { throw .keysMissing(missing) }
    }

    /// A replica that has not the new key could open nothing that is written from now on.
    private func confirmReplicas() async throws {
        let announced = try await ledger.keyEncryptionKeys(within: KeyRewrap.replicaWindow)
        let without = announced.filter { !$0.value.contains(ring.current.id) }.keys.sorted()
        guard without.isEmpty else {
            throw Refusal.replicasWithout(without, keyEncryptionKey: ring.current.id)
        }
    }

    private func reseal(_ entries: some Sequence<KeyInventory.Entry>) async throws(Refusal) -> [LedgerWrite] {
        var writes: [LedgerWrite] = []
        do {
            for entry in entries {
                let secret = try await ring.open(entry.sealed, context: entry.context)
                let sealed = try await ring.seal(secret, context: entry.context)
                // What cannot be opened again is never written over what can.
                guard try await ring.open(sealed, context: entry.context).isEqual(to: secret) else {
                    throw KeyEncryptionKeyFailure.doesNotOpen(entry.context)
                }
                writes.append(.resealKey(entry.row, sealed, from: entry.sealed))
            }
        } catch let failure as KeyEncryptionKeyFailure {
            throw .rowDoesNotOpen(failure)
        } catch {
            throw .rowDoesNotOpen(.crypto(CryptoFailure("seal a key anew", reasons: ["\(error)"])))
        }
        return writes
    }
}

extension KeyRewrap.Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .keysMissing(let counts):
            "sealed keys are under keys that are not configured ("
                + counts.sorted { $0.key < $1.key }.map { "\($0.value) under \($0.key)" }.joined(separator: ", ")
                + "), and nothing was written: name those keys in additionalKeyEncryptionKeys"
        case .replicasWithout(let names, let id):
            "the replica\(names.count == 1 ? "" : "s") \(names.prefix(5).joined(separator: ", ")) "
                + "\(names.count == 1 ? "has" : "have") not the key-encryption key \(id), and nothing more was written: name it in "
                + "the configuration of every replica, start them again, and repeat"
        case .rowDoesNotOpen(let failure): "a sealed key cannot be sealed anew, and was not written over: \(failure)"
        case .unconfirmed(let doubt):
            "the database is in doubt, and nothing more was written: \(doubt): look, then 'signet ledger confirm'"
        }
    }
}
