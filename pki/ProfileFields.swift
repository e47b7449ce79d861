internal import PKI
import Yams

/// The fields of one mapping of a profile: each is taken by its key, and what nobody takes is unknown and refused.
struct ProfileFields {
    private let file: String
    private let path: String
    private let line: Int
    private var rest: [(key: String, line: Int, value: Node)]

    init(_ node: Node, file: String, path: String = "") throws(ProfileError) {
        self.file = file
        self.path = path
        self.line = node.mark?.line ?? 1
        self.rest = []
        guard let mapping = node.mapping else {
            throw ProfileError(file: file, line: line, field: path, problem: "must be a mapping of keys to values")
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw ProfileError(file: file, line: key.mark?.line ?? line, field: path, problem: "a key must be a word")
            }
            rest.append((name, key.mark?.line ?? line, value))
        }
    }

    /// The value of a key that may be absent.
    mutating func optional(_ key: String) -> Node? {
        guard let index = rest.firstIndex(where: { $0.key == key }) else { return nil }
        return rest.remove(at: index).value
    }

    mutating func required(_ key: String) throws(ProfileError) -> Node {
        guard let value = optional(key) else { throw error(key, at: nil, "is missing") }
        return value
    }

    func has(_ key: String) -> Bool { rest.contains { $0.key == key } }

    /// The fields of a value that was already taken and turned out to be a mapping.
    func nested(_ node: Node, _ key: String) throws(ProfileError) -> ProfileFields {
        try ProfileFields(node, file: file, path: join(key))
    }

    mutating func mapping(_ key: String) throws(ProfileError) -> ProfileFields {
        try ProfileFields(required(key), file: file, path: join(key))
    }

    mutating func optionalMapping(_ key: String) throws(ProfileError) -> ProfileFields? {
        guard let node = optional(key) else { return nil }
        return try ProfileFields(node, file: file, path: join(key))
    }

    mutating func text(_ key: String) throws(ProfileError) -> String {
        let node = try required(key)
        guard let text = node.scalar?.string else { throw error(key, at: node, "must be a text") }
        return text
    }

    mutating func boolean(_ key: String) throws(ProfileError) -> Bool {
        let node = try required(key)
        switch node.scalar?.string {
        case "true": return true
        case "false": return false
        default: throw error(key, at: node, "must be true or false")
        }
    }

    /// A whole number that is not negative; nil where the key is absent.
    mutating func optionalNumber(_ key: String) throws(ProfileError) -> UInt32? {
        guard let node = optional(key) else { return nil }
        guard let number = node.scalar.flatMap({ UInt32($0.string) }) else {
            throw error(key, at: node, "must be a whole number that is not negative")
        }
        return number
    }

    /// A number and its unit, such as `10s` or `7d`; a year has 365 days.
    mutating func duration(_ key: String) throws(ProfileError) -> Duration {
        let node = try required(key)
        let units: [Character: Int64] = [
            "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400,
        ]
        guard let text = node.scalar?.string, let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()),
            // A thousand years: beyond every validity, and far from overflow.
            (1...1000 * 365 * 86_400 / unit).contains(number)
        else { throw error(key, at: node, "must be a positive number and one of the units s, m, h, d, w, y") }
        return .seconds(number * unit)
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type
    ) throws(ProfileError) -> Choice where Choice.RawValue == String {
        let node = try required(key)
        return try choice(node, key)
    }

    /// A list without repetitions; empty where the key is absent.
    mutating func choices<Choice: RawRepresentable & CaseIterable & Equatable>(
        _ key: String, of type: Choice.Type
    ) throws(ProfileError) -> [Choice] where Choice.RawValue == String {
        var choices: [Choice] = []
        guard let node = optional(key) else { return choices }
        guard let sequence = node.sequence else { throw error(key, at: node, "must be a list") }
        for element in sequence {
            let choice: Choice = try choice(element, key)
            guard !choices.contains(choice) else { throw error(key, at: element, "'\(choice.rawValue)' stands there twice") }
            choices.append(choice)
        }
        return choices
    }

    mutating func texts(_ key: String) throws(ProfileError) -> [String] {
        guard let node = optional(key) else { return [] }
        guard let sequence = node.sequence else { throw error(key, at: node, "must be a list") }
        var texts: [String] = []
        for element in sequence {
            guard let text = element.scalar?.string else { throw error(key, at: element, "must be a list of texts") }
            texts.append(text)
        }
        return texts
    }

    /// Throws if a field is left that nothing has taken.
    func end() throws(ProfileError) {
        guard let unknown = rest.first else { return }
        throw ProfileError(file: file, line: unknown.line, field: join(unknown.key), problem: "is no field of a profile")
    }

    func error(_ key: String, at node: Node?, _ problem: String) -> ProfileError {
        ProfileError(file: file, line: node?.mark?.line ?? line, field: key.isEmpty ? path : join(key), problem: problem)
    }

    private func join(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func choice<Choice: RawRepresentable & CaseIterable>(
        _ node: Node, _ key: String
    ) throws(ProfileError) -> Choice where Choice.RawValue == String {
        guard let choice = node.scalar.flatMap({ Choice(rawValue: $0.string) }) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(key, at: node, "must be one of: \(all)")
        }
        return choice
    }
}
