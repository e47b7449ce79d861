import SwiftASN1
import X509

/// The name constraints of a CA certificate (RFC 5280 §4.2.1.10).
struct NameConstraintSubtrees: Sendable {
    var permitted: [GeneralName]
    var excluded: [GeneralName]

    /// Reads the extension's value. A subtree has no minimum and no maximum (they are fixed by the RFC), and a list of
    /// subtrees is never empty.
    init(der: ArraySlice<UInt8>) throws {
        (permitted, excluded) = try SwiftASN1.DER.sequence(SwiftASN1.DER.parse(der), identifier: .sequence) { nodes in
            let permitted = try SwiftASN1.DER.optionalImplicitlyTagged(
                &nodes, tagNumber: 0, tagClass: .contextSpecific, NameConstraintSubtrees.subtrees)
            let excluded = try SwiftASN1.DER.optionalImplicitlyTagged(
                &nodes, tagNumber: 1, tagClass: .contextSpecific, NameConstraintSubtrees.subtrees)
            guard permitted != nil || excluded != nil else {
                throw MalformedDER("name constraints that constrain nothing")
            }
            return (permitted ?? [], excluded ?? [])
        }
    }

    private static func subtrees(_ node: ASN1Node) throws -> [GeneralName] {
        guard case .constructed(let nodes) = node.content else { throw MalformedDER("an unexpected element") }
        let names = try nodes.map { subtree in
            try SwiftASN1.DER.sequence(subtree, identifier: .sequence) { parts in
                guard let base = parts.next() else {
                    throw MalformedDER("a subtree without its base")
                }
                return try GeneralName(derEncoded: base)
            }
        }
        guard !names.isEmpty else { throw MalformedDER("an empty list of subtrees") }
        guard names.count <= ParsedExtensions.maximumNames else {
            throw MalformedDER("\(names.count) subtrees are more than the \(ParsedExtensions.maximumNames) accepted")
        }
        return names
    }
}
