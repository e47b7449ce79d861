/// Why a text has not the PEM blocks that are looked for.
package enum PEMError: Error, Hashable, Sendable {
    case noBlock(label: String)
    case notBase64(label: String)
    case unterminated(label: String)
}

extension PEMError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noBlock(let label): "there is no block '-----BEGIN \(label)-----'"
        case .notBase64(let label): "a block '\(label)' is not base64"
        case .unterminated(let label): "a block '\(label)' has no end"
        }
    }
}
