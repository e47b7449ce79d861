internal import AdminWire
internal import AuthorityService
import Foundation
internal import PKI

extension AuditMessage {
    /// `isLimited`: without what may be of other meshes than the one that the row is of.
    init(_ row: AuditRow, isLimited: Bool) {
        self.init(
            seq: row.seq, at: row.at.iso8601, atMilliseconds: row.at.milliseconds, actor: row.actor, source: row.source,
            action: row.action, mesh: row.mesh, object: row.object, details: row.details, requestID: row.requestID,
            before: isLimited ? nil : row.before, after: isLimited ? nil : row.after,
            previous: isLimited ? nil : Hex.encode(row.previous), hash: isLimited ? nil : Hex.encode(row.hash))
    }
}

extension AuditHeadMessage {
    init(_ head: AuditHead) {
        self.init(
            genesis: Hex.encode(head.genesis), seq: head.seq, hash: Hex.encode(head.hash),
            signed: head.seal.map { seal in
                Seal(
                    seq: seal.seq, hash: Hex.encode(seal.hash), at: seal.at.iso8601, atMilliseconds: seal.at.milliseconds,
                    publicKey: Data(seal.publicKey).base64EncodedString(), keyFingerprint: seal.keyFingerprint.description,
                    signature: Data(seal.signature).base64EncodedString())
            })
    }
}
