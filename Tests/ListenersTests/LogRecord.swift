import Logging
import Synchronization

/// Keeps the `count` of each line that is logged.
final class LogRecord: Sendable {
    private let recorded = Mutex<[Int]>([])

    var counts: [Int] { recorded.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(record: self) } }

    private struct Handler: LogHandler {
        let record: LogRecord
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.warning

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            guard let count = event.metadata?["count"].flatMap({ Int("\($0)") }) else { return }
            record.recorded.withLock { $0.append(count) }
        }
    }
}
