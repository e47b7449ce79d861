/// One field in which two documents differ.
package struct JSONDifference: Codable, Sendable, Hashable {
    /// A dotted path such as `mtls.backends[ca-1].mode`; empty for the document as a whole.
    package var field: String
    /// `null` where the field was not there.
    package var before: JSONValue
    /// `null` where the field is not there any more.
    package var after: JSONValue

    package init(field: String, before: JSONValue, after: JSONValue) {
        self.field = field
        self.before = before
        self.after = after
    }
}
