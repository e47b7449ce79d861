internal import AdminWire
package import Hummingbird

/// What a handler answers.
package struct AdminResponse: Sendable {
    package var status: HTTPResponse.Status
    package var contentType: String
    package var body: [UInt8]
    /// With its quotes; nil: made from the body of a read.
    package var entityTag: String?
    /// Where what was made is, a path of this API; nil: nothing was.
    package var location: String?

    package init(
        status: HTTPResponse.Status = .ok, contentType: String, body: [UInt8], entityTag: String? = nil, location: String? = nil
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.entityTag = entityTag
        self.location = location
    }

    static func json(
        _ message: some Encodable, status: HTTPResponse.Status = .ok, entityTag: String? = nil, location: String? = nil
    ) throws -> AdminResponse {
        AdminResponse(
            status: status, contentType: "application/json", body: try WireJSON.encode(message), entityTag: entityTag,
            location: location)
    }

    static func json(_ value: JSONValue, entityTag: String? = nil) -> AdminResponse {
        AdminResponse(contentType: "application/json", body: Array(value.json.utf8), entityTag: entityTag)
    }

    static func text(_ text: String, contentType: String = "text/plain; charset=utf-8") -> AdminResponse {
        AdminResponse(contentType: contentType, body: Array(text.utf8))
    }

    /// A weak validator of the body: 64 bits of FNV-1a. It saves a reader work and guards no write, so it need not resist an attacker.
    var digestTag: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return "W/\"\(String(hash, radix: 16))\""
    }
}
