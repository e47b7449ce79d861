internal import AuthorityService
internal import NIOCore

/// A secret in a response: what is shared with other responses is encoded already, what is one proxy's is not.
enum EncodedSecret: Sendable {
    /// A leaf and its key, under this name.
    case identity(name: String, DeliveredLeaf)
    /// A whole `Secret`.
    case ready([UInt8])

    /// Octets of the `Secret`.
    var size: Int {
        switch self {
        case .identity(let name, let leaf):
            WireField.size(Field.name, name) + WireField.size(Field.tlsCertificate, EncodedSecret.size(of: leaf))
        case .ready(let octets): octets.count
        }
    }

    /// Octets of the `google.protobuf.Any` that it is packed in.
    var packedSize: Int { WireField.size(Field.typeURL, SecretStream.typeURL) + WireField.size(Field.value, size) }

    func writePacked(to buffer: inout ByteBuffer) {
        buffer.writeField(Field.typeURL, SecretStream.typeURL)
        buffer.writeField(Field.value, size)
        switch self {
        case .identity(let name, let leaf):
            buffer.writeField(Field.name, name)
            buffer.writeField(Field.tlsCertificate, EncodedSecret.size(of: leaf))
            buffer.writeField(Field.certificateChain, WireField.size(Field.inlineBytes, leaf.chainPEM.count))
            buffer.writeField(Field.inlineBytes, leaf.chainPEM)
            buffer.writeField(Field.privateKey, WireField.size(Field.inlineBytes, leaf.privateKeyPEM.count))
            buffer.writeField(Field.inlineBytes, leaf.privateKeyPEM)
        case .ready(let octets):
            buffer.writeBytes(octets)
        }
    }

    /// Octets of the `TlsCertificate`.
    private static func size(of leaf: DeliveredLeaf) -> Int {
        WireField.size(Field.certificateChain, WireField.size(Field.inlineBytes, leaf.chainPEM.count))
            + WireField.size(Field.privateKey, WireField.size(Field.inlineBytes, leaf.privateKeyPEM.count))
    }

    /// `google/protobuf/any.proto`, and Envoy's `secret.proto`, `common.proto`, `base.proto`.
    private enum Field {
        static let typeURL = 1
        static let value = 2
        static let name = 1
        static let tlsCertificate = 2
        static let certificateChain = 1
        static let privateKey = 2
        static let inlineBytes = 2
    }
}
