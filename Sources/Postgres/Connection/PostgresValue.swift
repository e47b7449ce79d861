/// A statement's parameter, sent in PostgreSQL's binary format: nothing to quote, and nothing of it in the server's log.
enum PostgresValue: Sendable {
    case array(PostgresArray)
    case boolean(Bool)
    case bytes([UInt8])
    case bytesArray([[UInt8]])
    case integer(Int64)
    case integerArray([Int64])
    case null
    case text(String)
    case textArray([String?])

    static func optionalText(_ text: String?) -> PostgresValue { text.map { .text($0) } ?? .null }

    static func optionalInteger(_ number: Int64?) -> PostgresValue { number.map { .integer($0) } ?? .null }
}

extension PostgresValue {
    /// The type's object id, fixed in PostgreSQL's `pg_type.dat`; 0 lets the server infer it.
    var typeID: UInt32 {
        switch self {
        case .array(let array): array.element.arrayTypeID
        case .boolean: 16
        case .bytes: 17
        case .bytesArray: 1001
        case .integer: 20
        case .integerArray: 1016
        case .null: 0
        case .text: 25
        case .textArray: 1009
        }
    }

    /// Appends the binary form to `buffer`; false for NULL, which has none.
    func encode(into buffer: inout [UInt8]) -> Bool {
        switch self {
        case .array(let array): array.encode(into: &buffer)
        case .boolean(let value): buffer.append(value ? 1 : 0)
        case .bytes(let bytes): buffer.append(contentsOf: bytes)
        case .bytesArray(let elements):
            PostgresValue.encodeArray(elements, elementType: 17, hasNulls: false, into: &buffer) { element, buffer in
                buffer.appendBigEndian(Int32(element.count))
                buffer.append(contentsOf: element)
            }
        case .integer(let value): buffer.appendBigEndian(value)
        case .integerArray(let elements):
            PostgresValue.encodeArray(elements, elementType: 20, hasNulls: false, into: &buffer) { element, buffer in
                buffer.appendBigEndian(Int32(8))
                buffer.appendBigEndian(element)
            }
        case .null: return false
        case .text(let text): buffer.append(contentsOf: text.utf8)
        case .textArray(let elements):
            let hasNulls = elements.contains { $0 == nil }
            PostgresValue.encodeArray(elements, elementType: 25, hasNulls: hasNulls, into: &buffer) { element, buffer in
                guard let element else {
                    buffer.appendBigEndian(Int32(-1))
                    return
                }
                buffer.appendBigEndian(Int32(element.utf8.count))
                buffer.append(contentsOf: element.utf8)
            }
        }
        return true
    }

    /// `array_send`'s form: dimensions, a flag for NULLs, the element type, then length and lower bound, then the elements.
    private static func encodeArray<Element>(
        _ elements: [Element], elementType: Int32, hasNulls: Bool, into buffer: inout [UInt8],
        _ encode: (Element, inout [UInt8]) -> Void
    ) {
        buffer.appendBigEndian(Int32(elements.isEmpty ? 0 : 1))
        buffer.appendBigEndian(Int32(hasNulls ? 1 : 0))
        buffer.appendBigEndian(elementType)
        guard !elements.isEmpty else { return }
        buffer.appendBigEndian(Int32(elements.count))
        buffer.appendBigEndian(Int32(1))
        for element in elements { encode(element, &buffer) }
    }
}

extension PostgresValue: CustomStringConvertible, CustomReflectable {
    /// The kind alone: parameters are sealed keys and digests as often as names.
    var description: String {
        switch self {
        case .array(let array): "\(array.count) elements"
        case .boolean: "boolean"
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .bytesArray(let elements): "\(elements.count) byte strings"
        case .integer: "integer"
        case .integerArray(let elements): "\(elements.count) integers"
        case .null: "null"
        case .text: "text"
        case .textArray(let elements): "\(elements.count) texts"
        }
    }

    var customMirror: Mirror { Mirror(self, children: []) }
}

extension [UInt8] {
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
