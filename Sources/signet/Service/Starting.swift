import Foundation
import Logging

/// The steps that `serve`, `dev` and `migrate` begin with.
enum Starting {
    /// Reads and checks the configuration; exit code 2 for whatever is wrong with it.
    static func configuration(
        _ options: ConfigurationOptions, defaults: [String: String] = [:], overrides: [String] = []
    ) throws(CommandFailure) -> ServiceConfiguration {
        do {
            return try ServiceConfiguration(
                ConfigurationValues(
                    file: options.config, environment: ProcessInfo.processInfo.environment,
                    overrides: overrides + options.set, defaults: defaults))
        } catch {
            throw .usage(error.description)
        }
    }

    /// Makes every logger of the process write to standard error at `level`; the returned one is the program's own.
    static func logging(at level: Logger.Level) -> Logger {
        LoggingSystem.bootstrap { LogfmtHandler(label: $0, level: level) }
        return Logger(label: "signet")
    }
}
