internal import CLibPQ

/// Hands statements to libpq.
enum StatementSender {
    /// Queues `statement` with all parameters in binary form, asking for binary results; false when the connection refuses.
    static func send(_ statement: PostgresStatement, on connection: OpaquePointer) -> Bool {
        var storage: [UInt8] = []
        var offsets: [Int?] = []
        var lengths: [CInt] = []
        for parameter in statement.parameters {
            let start = storage.count
            let isPresent = parameter.encode(into: &storage)
            offsets.append(isPresent ? start : nil)
            lengths.append(CInt(storage.count - start))
        }
        // An empty value still needs an address: a null pointer would be NULL.
        storage.append(0)
        let types = statement.parameters.map { Oid($0.typeID) }
        let formats = [CInt](repeating: 1, count: statement.parameters.count)
        return storage.withUnsafeBufferPointer { buffer in
            let values = offsets.map { offset -> UnsafePointer<CChar>? in
                guard let offset, let base = buffer.baseAddress else { return nil }
                return UnsafeRawPointer(base + offset).assumingMemoryBound(to: CChar.self)
            }
            return PQsendQueryParams(
                connection, statement.sql, CInt(values.count), types, values, lengths, formats, 1) == 1
        }
    }
}
