import SwiftASN1

/// One attribute of a certificate signing request, with its single value (RFC 2985 §5.4).
struct CertificateSigningRequestAttribute {
    let type: ASN1ObjectIdentifier
    let value: ASN1Node

    init(_ node: ASN1Node) throws {
        (type, value) = try SwiftASN1.DER.sequence(node, identifier: .sequence) { nodes in
            let type = try ASN1ObjectIdentifier(derEncoded: &nodes)
            guard let set = nodes.next(), set.identifier == .set, case .constructed(let values) = set.content else {
                throw MalformedDER("an attribute without its values")
            }
            var iterator = values.makeIterator()
            guard let value = iterator.next(), iterator.next() == nil else {
                throw MalformedDER("an attribute with another number of values than one")
            }
            return (type, value)
        }
    }
}
