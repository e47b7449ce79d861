import NIOCore
import NIOHPACK

/// One stream of each connection, with the octets that all proxies send alike encoded once.
struct StreamPlan: Sendable {
    private static let type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"

    /// HTTP/2's number of it.
    let number: Int
    let asksForIdentity: Bool
    /// The HEADERS frame that opens it.
    private let opening: [UInt8]
    /// The fields `resource_names` and `type_url`.
    private let wanted: [UInt8]
    private let wantedWithBarrier: [UInt8]

    private init(number: Int, names: [SecretName], opening: [UInt8]) {
        self.number = number
        self.opening = opening
        asksForIdentity = names.contains(.identity)
        func fields(_ names: [SecretName]) -> [UInt8] {
            var buffer = ByteBuffer()
            for name in names { StreamPlan.write(field: 3, name.octets, to: &buffer) }
            StreamPlan.write(field: 4, Array(StreamPlan.type.utf8), to: &buffer)
            return Array(buffer.readableBytesView)
        }
        wanted = fields(names)
        wantedWithBarrier = fields(names + [.barrier])
    }

    /// One stream for each list of names, in the order in which a connection opens them.
    ///
    /// The header blocks belong together: HPACK lets the second refer to the first. As in Envoy, path and token stay out of its
    /// table.
    static func plans(_ names: [[SecretName]], token: String?) throws -> [StreamPlan] {
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        return try names.enumerated().map { index, names in
            var headers = HPACKHeaders()
            headers.add(name: ":method", value: "POST")
            headers.add(name: ":scheme", value: "https")
            headers.add(
                name: ":path", value: "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", indexing: .nonIndexable)
            headers.add(name: ":authority", value: "localhost")
            headers.add(name: "te", value: "trailers")
            headers.add(name: "content-type", value: "application/grpc")
            if let token { headers.add(name: "authorization", value: "Bearer \(token)", indexing: .neverIndexed) }
            var block = ByteBuffer()
            try encoder.encode(headers: headers, to: &block)
            let number = 2 * index + 1
            var frame = ByteBuffer()
            HTTP2Frame.writeHeader(
                HTTP2Frame.Kind.headers, flags: HTTP2Frame.Flag.endHeaders, stream: number, length: block.readableBytes,
                to: &frame)
            frame.writeBuffer(&block)
            return StreamPlan(number: number, names: names, opening: Array(frame.readableBytesView))
        }
    }

    func writeOpening(to buffer: inout ByteBuffer) { buffer.writeBytes(opening) }

    /// A `DiscoveryRequest` as a gRPC message in a DATA frame of its own; gives the octets that count against the windows.
    ///
    /// `nonce` is empty in what answers nothing, `node` in all requests but the first.
    func writeRequest(
        version: [UInt8], nonce: [UInt8] = [], node: [UInt8] = [], withBarrier: Bool = false, to buffer: inout ByteBuffer
    ) -> Int {
        let names = withBarrier ? wantedWithBarrier : wanted
        let inner = node.isEmpty ? 0 : StreamPlan.size(ofField: node.count)
        let length =
            (version.isEmpty ? 0 : StreamPlan.size(ofField: version.count)) + (inner == 0 ? 0 : StreamPlan.size(ofField: inner))
            + names.count + (nonce.isEmpty ? 0 : StreamPlan.size(ofField: nonce.count))
        HTTP2Frame.writeHeader(HTTP2Frame.Kind.data, stream: number, length: 5 + length, to: &buffer)
        buffer.writeMultipleIntegers(UInt8(0), UInt32(length))
        if !version.isEmpty { StreamPlan.write(field: 1, version, to: &buffer) }
        if inner > 0 {
            buffer.writeInteger(UInt8(2 << 3 | 2))
            StreamPlan.write(varint: inner, to: &buffer)
            StreamPlan.write(field: 1, node, to: &buffer)
        }
        buffer.writeBytes(names)
        if !nonce.isEmpty { StreamPlan.write(field: 5, nonce, to: &buffer) }
        return 5 + length
    }

    /// Tags of fields up to 15 are one octet.
    private static func write(field number: UInt8, _ octets: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeInteger(number << 3 | 2)
        write(varint: octets.count, to: &buffer)
        buffer.writeBytes(octets)
    }

    private static func write(varint value: Int, to buffer: inout ByteBuffer) {
        var rest = UInt64(value)
        while rest >= 0x80 {
            buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.writeInteger(UInt8(rest))
    }

    private static func size(ofField count: Int) -> Int {
        1 + (64 - UInt64(count | 1).leadingZeroBitCount + 6) / 7 + count
    }
}
