import AdminWire
import Authority
import Configuration
import Foundation
import Listeners

/// Every key's value, each of the right type and in range: flags over environment over file over defaults.
struct ConfigurationValues: Sendable {
    private var values: [String: [String]] = [:]
    /// The keys that are not at their default.
    private var given: Set<String> = []

    /// Reads and checks everything; opens nothing but the file at `path`.
    ///
    /// `overrides` are `key=value` texts; `defaults` replace defaults of the table.
    init(
        file path: String?, environment: [String: String], overrides: [String], defaults: [String: String] = [:]
    ) throws(ConfigurationProblem) {
        var sources: [(name: String, snapshot: any ConfigSnapshot)] = []
        let flags = InMemoryProvider(values: try ConfigurationValues.parse(overrides))
        sources.append(("--set", flags.snapshot()))
        try ConfigurationEnvironment.check(environment)
        let variables = EnvironmentVariablesProvider(environmentVariables: environment)
        sources.append(("the environment", variables.prefixKeys(with: "signet").snapshot()))
        if let path {
            let text = try ConfigurationFile.text(at: path)
            try ConfigurationFile.check(text, path: path)
            if let file = try ConfigurationValues.snapshot(path, text) { sources.append((path, file)) }
        }
        for key in ConfigurationTable.keys {
            if let found = try ConfigurationValues.read(key, from: sources) {
                values[key.path] = found
                given.insert(key.path)
            } else if let fallback = defaults[key.path] ?? key.fallback {
                values[key.path] = fallback.isEmpty ? [] : [fallback]
            }
        }
    }

    /// Nil for a file that holds nothing but comments.
    private static func snapshot(_ path: String, _ text: String) throws(ConfigurationProblem) -> (any ConfigSnapshot)? {
        guard text.split(separator: "\n").contains(where: { !$0.allSatisfy(\.isWhitespace) && !$0.hasPrefix("#") }) else {
            return nil
        }
        do {
            let bytes = Array(text.utf8)
            return try YAMLSnapshot(data: bytes.span.bytes, providerName: path, parsingOptions: .default)
        } catch {
            throw ConfigurationProblem("\(path) cannot be used: \(Console.oneLine("\(error)"))")
        }
    }

    private static func parse(_ overrides: [String]) throws(ConfigurationProblem) -> [AbsoluteConfigKey: ConfigValue] {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for text in overrides {
            guard let equals = text.firstIndex(of: "=") else {
                throw ConfigurationProblem("--set \(text): it has no '=': write --set key=value")
            }
            let (name, value) = (String(text[..<equals]), String(text[text.index(after: equals)...]))
            guard let key = ConfigurationTable.byPath[name] else {
                throw .unknownKey(
                    name, in: "--set", nearest: Nearness.nearest(to: name, among: ConfigurationTable.keys.map(\.path)))
            }
            if case .list = key.kind {
                let parts = value.split(separator: ",").map { String($0) }
                values[AbsoluteConfigKey(key.components)] = ConfigValue(.stringArray(parts), isSecret: false)
            } else {
                values[AbsoluteConfigKey(key.components)] = ConfigValue(.string(value), isSecret: false)
            }
        }
        return values
    }

    /// The value of the first source that has the key; throws if it is not what the key must be.
    private static func read(
        _ key: ConfigurationKey, from sources: [(name: String, snapshot: any ConfigSnapshot)]
    ) throws(ConfigurationProblem) -> [String]? {
        let isList = if case .list = key.kind { true } else { false }
        for (name, snapshot) in sources {
            let result: LookupResult
            do {
                result = try snapshot.value(forKey: AbsoluteConfigKey(key.components), type: isList ? .stringArray : .string)
            } catch {
                throw .wrongValue(key.path, of: name, value: isList ? "not a list" : "a list", must: key.kind.title)
            }
            let texts: [String]
            switch result.value?.content {
            case .none: continue
            case .string(let text): texts = [text]
            case .stringArray(let list): texts = list.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
            default: throw .wrongValue(key.path, of: name, value: "of another type", must: key.kind.title)
            }
            for text in texts {
                if let must = key.kind.complaint(about: text) {
                    throw .wrongValue(key.path, of: name, value: Console.oneLine(String(text.prefix(200))), must: must)
                }
            }
            return texts == [""] ? [] : texts
        }
        return nil
    }

    // A key that is asked for and not in the table is a defect that the table's test finds.

    func list(_ path: String) -> [String] {
        precondition(ConfigurationTable.byPath[path] != nil, "no configuration key \(path)")
        return values[path] ?? []
    }

    /// Nil when it is empty.
    func text(_ path: String) -> String? { list(path).first }

    func address(_ path: String) throws(ConfigurationProblem) -> ListenAddress {
        guard let text = text(path), let address = ListenAddress(text) else { throw required(path, "name an address") }
        return address
    }

    func duration(_ path: String) throws(ConfigurationProblem) -> Duration {
        guard let text = text(path), let duration = (try? WireDuration(text))?.duration else {
            throw required(path, "name a duration")
        }
        return duration
    }

    func integer(_ path: String) throws(ConfigurationProblem) -> Int {
        guard let text = text(path), let number = Int(text) else { throw required(path, "name a number") }
        return number
    }

    func rate(_ path: String) throws(ConfigurationProblem) -> Rate {
        guard let text = text(path), let rate = Rate(text) else { throw required(path, "name a rate") }
        return rate
    }

    func flag(_ path: String) -> Bool { text(path) == "true" }

    /// Whether somebody set it, in whatever way.
    func isGiven(_ path: String) -> Bool { given.contains(path) }

    /// The value of `path`, which never exceeds that of `bound`: a default gives way, and what somebody set is refused with both names.
    func value<Value: Comparable>(
        _ path: String, within bound: String, _ value: (String) throws(ConfigurationProblem) -> Value
    ) throws(ConfigurationProblem) -> Value {
        let (found, most) = (try value(path), try value(bound))
        guard found > most, isGiven(path) else { return min(found, most) }
        throw ConfigurationProblem(
            "\(path) is \(text(path) ?? ""): it must not be more than \(bound), \(text(bound) ?? "")")
    }

    private func required(_ path: String, _ why: String) -> ConfigurationProblem {
        guard let key = ConfigurationTable.byPath[path] else { return ConfigurationProblem("\(path) is not set: \(why)") }
        return .missing(key, why: why)
    }
}
