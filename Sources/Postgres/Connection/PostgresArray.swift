/// An array parameter that is written in PostgreSQL's binary form as its elements come: what a batch of records is made of.
///
/// The bytes are gathered once; a `[String?]` or `[[UInt8]]` of the same would allocate for each element, and then be read again.
struct PostgresArray: Sendable {
    enum Element: Sendable {
        case bytes, integer, text

        /// Fixed in PostgreSQL's `pg_type.dat`.
        var typeID: Int32 {
            switch self {
            case .bytes: 17
            case .integer: 20
            case .text: 25
            }
        }

        var arrayTypeID: UInt32 {
            switch self {
            case .bytes: 1001
            case .integer: 1016
            case .text: 1009
            }
        }
    }

    let element: Element
    private(set) var count = 0
    private var hasNulls = false
    private var bytes: [UInt8] = []

    /// `room`: octets that are reserved for the elements, their lengths included.
    init(of element: Element, room: Int) {
        self.element = element
        bytes.reserveCapacity(room)
    }

    mutating func append(_ value: [UInt8]) {
        count += 1
        bytes.appendBigEndian(Int32(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func append(_ value: Int64) {
        count += 1
        bytes.appendBigEndian(Int32(8))
        bytes.appendBigEndian(value)
    }

    /// PostgreSQL's text holds no NUL: U+FFFD stands for it.
    mutating func append(_ value: String?) {
        guard let value else {
            count += 1
            hasNulls = true
            bytes.appendBigEndian(Int32(-1))
            return
        }
        if value.utf8.contains(0) { return append(storable: StorableText.replacingNUL(value)) }
        append(storable: value)
    }

    private mutating func append(storable value: String) {
        count += 1
        bytes.appendBigEndian(Int32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// `array_recv`'s form: dimensions, a flag for NULLs, the element type, then length and lower bound, then the elements.
    func encode(into buffer: inout [UInt8]) {
        buffer.appendBigEndian(Int32(count == 0 ? 0 : 1))
        buffer.appendBigEndian(Int32(hasNulls ? 1 : 0))
        buffer.appendBigEndian(element.typeID)
        guard count > 0 else { return }
        buffer.appendBigEndian(Int32(count))
        buffer.appendBigEndian(Int32(1))
        buffer.append(contentsOf: bytes)
    }
}
