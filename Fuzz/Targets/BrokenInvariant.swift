/// A law that an input has broken: the find of a fuzzer.
package struct BrokenInvariant: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Throws unless the law holds.
    static func require(_ holds: Bool, _ law: @autoclosure () -> String) throws(BrokenInvariant) {
        guard holds else { throw BrokenInvariant(law()) }
    }
}
