/// One configuration key: what it may hold, what holds when it is absent, and why.
struct ConfigurationKey: Sendable {
    /// Dotted, such as `listen.sds`.
    let path: String
    let kind: ConfigurationKind
    /// Nil: the key has no default, and its consumer says whether it is needed.
    let fallback: String?
    /// One sentence for the reference, with the reason of the default.
    let summary: String

    init(_ path: String, _ kind: ConfigurationKind, _ fallback: String?, _ summary: String) {
        self.path = path
        self.kind = kind
        self.fallback = fallback
        self.summary = summary
    }

    var components: [String] { path.split(separator: ".").map(String.init) }

    /// The environment variable, such as `SIGNET_LISTEN_SDS`: a word boundary before each capital.
    var environmentVariable: String {
        var name = "SIGNET_"
        var previous: Character = "."
        for character in path {
            if character == "." {
                name += "_"
            } else {
                if previous.isLowercase, character.isUppercase { name += "_" }
                name += character.uppercased()
            }
            previous = character
        }
        return name
    }
}
