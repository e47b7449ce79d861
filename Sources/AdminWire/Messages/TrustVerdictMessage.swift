/// Whether one identity would be accepted by another, and what decides it: the answer of `POST /trust/check`.
package struct TrustVerdictMessage: Codable, Sendable, Hashable {
    package var accepted: Bool
    /// Stable and kebab-case.
    package var reason: String
    package var detail: String

    package init(accepted: Bool, reason: String, detail: String) {
        self.accepted = accepted
        self.reason = reason
        self.detail = detail
    }
}
