/// Where the password of the database user comes from; never prints it.
package enum PostgresPassword: Sendable {
    /// The first line of a file, read again at each connection, so that a changed password needs no restart.
    case file(path: String)
    case literal(String)
}

extension PostgresPassword: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .file(let path): "the password in '\(path)'"
        case .literal: "a password"
        }
    }

    package var debugDescription: String { description }

    /// Without children: `dump` walks mirrors, and would print the literal.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
