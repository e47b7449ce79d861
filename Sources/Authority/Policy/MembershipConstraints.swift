/// Kuma's `constraints.dataplaneProxy`: which tags a proxy must have, and which it must not.
package struct MembershipConstraints: Hashable, Sendable, Codable {
    /// The proxy's tags must satisfy at least one of these; none: anyone satisfies.
    package var requirements: [[String: String]]
    /// The proxy's tags must satisfy none of these.
    package var restrictions: [[String: String]]

    package init(requirements: [[String: String]], restrictions: [[String: String]]) {
        self.requirements = requirements
        self.restrictions = restrictions
    }

    package static let anyone = MembershipConstraints(requirements: [], restrictions: [])

    /// Nil when a proxy with `tags` may join, else the rule that refuses it. `*` as a value stands for any value.
    package func refusal(of tags: [String: [String]]) -> Violation? {
        for (index, restriction) in restrictions.enumerated() where matches(restriction, tags) {
            return .restricted(index: index)
        }
        if !requirements.isEmpty, !requirements.contains(where: { matches($0, tags) }) {
            return .noRequirementMet
        }
        return nil
    }

    package enum Violation: Hashable, Sendable {
        case noRequirementMet
        case restricted(index: Int)
    }

    private func matches(_ rule: [String: String], _ tags: [String: [String]]) -> Bool {
        rule.allSatisfy { tag, value in
            guard let values = tags[tag], !values.isEmpty else { return false }
            return value == "*" || values.contains(value)
        }
    }
}
