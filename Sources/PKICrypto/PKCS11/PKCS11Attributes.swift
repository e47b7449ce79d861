import CPKCS11

/// A template: attributes with their values, as the functions of a module take them.
struct PKCS11Attributes {
    private var values: [(type: CK_ATTRIBUTE_TYPE, value: [UInt8])] = []

    func adding(_ type: CK_ATTRIBUTE_TYPE, _ value: [UInt8]) -> PKCS11Attributes {
        var copy = self
        copy.values.append((type, value))
        return copy
    }

    func adding(_ type: CK_ATTRIBUTE_TYPE, _ flag: Bool) -> PKCS11Attributes { adding(type, [flag ? 1 : 0]) }

    func adding(_ type: CK_ATTRIBUTE_TYPE, number: CK_ULONG) -> PKCS11Attributes {
        adding(type, withUnsafeBytes(of: number) { Array($0) })
    }

    func adding(_ type: CK_ATTRIBUTE_TYPE, _ text: String) -> PKCS11Attributes { adding(type, Array(text.utf8)) }

    /// The attributes in memory that holds for the length of `body`.
    func withAttributes<Result>(_ body: (UnsafeMutablePointer<CK_ATTRIBUTE>?, CK_ULONG) -> Result) -> Result {
        // One block for all values, each at an address that suits a number.
        let stride = MemoryLayout<CK_ULONG>.alignment
        let offsets = values.reduce(into: [0]) { $0.append(($0.last ?? 0) + ($1.value.count + stride - 1) / stride * stride) }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: max(offsets.last ?? 0, 1), alignment: stride)
        defer { block.deallocate() }
        var attributes = zip(values, offsets).map { entry, offset in
            let place = UnsafeMutableRawBufferPointer(rebasing: block[offset..<offset + entry.value.count])
            place.copyBytes(from: entry.value)
            return CK_ATTRIBUTE(type: entry.type, pValue: place.baseAddress, ulValueLen: CK_ULONG(entry.value.count))
        }
        return attributes.withUnsafeMutableBufferPointer { body($0.baseAddress, CK_ULONG($0.count)) }
    }
}
