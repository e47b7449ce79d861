import ArgumentParser

/// Where the service's configuration comes from.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The YAML configuration file.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Overrides one configuration key, over the environment and the file. May be given several times.",
            valueName: "key=value"))
    var set: [String] = []
}
