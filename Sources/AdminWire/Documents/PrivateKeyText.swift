/// A private key as a document brings it, PEM. Printed, reflected and kept nowhere: only `text` gives it away.
package struct PrivateKeyText: Sendable, Hashable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }
}

extension PrivateKeyText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "private key (redacted)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(reflecting: description) }
}
