/// What is wrong with the configuration: one sentence that names the key and where it was set.
struct ConfigurationProblem: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    static func unknownKey(_ key: String, in source: String, line: Int? = nil, nearest: String?) -> ConfigurationProblem {
        let place = line.map { "\(source), line \($0)" } ?? source
        let remedy = nearest.map { "did you mean \($0)?" } ?? "see docs/configuration.md for the keys there are"
        return ConfigurationProblem("\(place): there is no configuration key '\(key)': \(remedy)")
    }

    static func wrongValue(_ key: String, of source: String, value: String, must: String) -> ConfigurationProblem {
        ConfigurationProblem("\(source): \(key) is '\(value)': it must be \(must)")
    }

    static func missing(_ key: ConfigurationKey, why: String) -> ConfigurationProblem {
        ConfigurationProblem("\(key.path) is not set: \(why), in the file or as \(key.environmentVariable)")
    }
}
