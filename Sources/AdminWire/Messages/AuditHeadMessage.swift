/// Where the chain of the audit trail begins and ends, and how far it is signed. Digests in hexadecimal.
package struct AuditHeadMessage: Codable, Sendable, Hashable {
    /// A replica's signature of the chain up to a row.
    package struct Seal: Codable, Sendable, Hashable {
        package var seq: Int64
        package var hash: String
        package var at: String
        /// The same moment in milliseconds since the Unix epoch, as it is signed.
        package var atMilliseconds: Int64
        /// SubjectPublicKeyInfo, DER, base64.
        package var publicKey: String
        /// SHA-256 of it, in hexadecimal.
        package var keyFingerprint: String
        /// ECDSA with SHA-256, DER, base64.
        package var signature: String

        package init(
            seq: Int64, hash: String, at: String, atMilliseconds: Int64, publicKey: String, keyFingerprint: String,
            signature: String
        ) {
            self.seq = seq
            self.hash = hash
            self.at = at
            self.atMilliseconds = atMilliseconds
            self.publicKey = publicKey
            self.keyFingerprint = keyFingerprint
            self.signature = signature
        }
    }

    package var genesis: String
    /// Of the last row; 0 when there is none.
    package var seq: Int64
    package var hash: String
    /// Nil until a replica has signed.
    package var signed: Seal?

    package init(genesis: String, seq: Int64, hash: String, signed: Seal?) {
        self.genesis = genesis
        self.seq = seq
        self.hash = hash
        self.signed = signed
    }
}

/// Rows of the audit trail, oldest first.
package struct AuditChainMessage: Codable, Sendable {
    /// Empty after the last one.
    package var items: [AuditMessage]

    package init(items: [AuditMessage]) {
        self.items = items
    }
}

/// The first line of an exported trail, and what is kept of a head.
package struct AuditExportMessage: Codable, Sendable, Hashable {
    /// The row before the first one that follows.
    package struct Start: Codable, Sendable, Hashable {
        package var seq: Int64
        package var hash: String

        package init(seq: Int64, hash: String) {
            self.seq = seq
            self.hash = hash
        }
    }

    package var head: AuditHeadMessage
    /// Nil: from the first row.
    package var start: Start?

    package init(head: AuditHeadMessage, start: Start? = nil) {
        self.head = head
        self.start = start
    }
}
