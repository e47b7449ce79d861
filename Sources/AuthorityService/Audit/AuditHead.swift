package import Authority
package import PKI
package import PKICrypto

/// Where the chain of the audit trail begins and ends, and how far a replica has signed it.
package struct AuditHead: Hashable, Sendable {
    /// 32 octets, random: what the first row follows. Another in each database. Empty where somebody took the head away.
    package var genesis: [UInt8]
    /// Of the last row; 0 when there is none.
    package var seq: Int64
    /// Of the last row; `genesis` when there is none.
    package var hash: [UInt8]
    /// Nil until a replica has signed for the first time.
    package var seal: AuditSeal?
    /// Where the ledger was that it was read from, in the same moment; nil for a head that was kept.
    package var position: LedgerPosition?

    /// What is read where there is no head any more: a fault of the trail's, and none of the reading.
    package static let takenAway = AuditHead(genesis: [], seq: 0, hash: [])

    package init(genesis: [UInt8], seq: Int64, hash: [UInt8], seal: AuditSeal? = nil, position: LedgerPosition? = nil) {
        self.genesis = genesis
        self.seq = seq
        self.hash = hash
        self.seal = seal
        self.position = position
    }
}

/// A replica's word that the chain stood so: kept outside the database it shows what was cut off or written anew since.
package struct AuditSeal: Hashable, Sendable {
    /// The last row that it covers; 0 for none yet.
    package var seq: Int64
    /// The row's hash.
    package var hash: [UInt8]
    package var at: Timestamp
    /// SubjectPublicKeyInfo, DER, of the key that signs this database's trail.
    package var publicKey: [UInt8]
    /// ECDSA with SHA-256, DER.
    package var signature: [UInt8]

    package init(seq: Int64, hash: [UInt8], at: Timestamp, publicKey: [UInt8], signature: [UInt8]) {
        self.seq = seq
        self.hash = hash
        self.at = at
        self.publicKey = publicKey
        self.signature = signature
    }

    /// Signs the chain that begins with `genesis` as far as `chain` has followed it.
    package init(_ chain: AuditChain, genesis: [UInt8], at: Timestamp, with key: PrivateKey) throws(CryptoFailure) {
        self.init(
            seq: chain.seq, hash: chain.hash, at: at, publicKey: key.subjectPublicKeyInfo,
            signature: try key.signature(of: AuditSeal.form(genesis: genesis, seq: chain.seq, hash: chain.hash, at: at)))
    }

    /// Whether its own public key confirms it for the chain that begins with `genesis`.
    package func isValid(genesis: [UInt8]) -> Bool {
        SignatureCheck.passes(
            signature, digest: Digest.sha256(AuditSeal.form(genesis: genesis, seq: seq, hash: hash, at: at)),
            publicKey: publicKey, algorithm: .ecP256)
    }

    /// SHA-256 of the public key, for people to compare.
    package var keyFingerprint: Fingerprint { Fingerprint(sha256: Digest.sha256(publicKey)) }

    /// What is signed.
    private static func form(genesis: [UInt8], seq: Int64, hash: [UInt8], at: Timestamp) -> [UInt8] {
        var form = Array("signet audit head 1".utf8) + genesis
        AuditRow.append(seq, to: &form)
        form += hash
        AuditRow.append(at.milliseconds, to: &form)
        return form
    }
}
