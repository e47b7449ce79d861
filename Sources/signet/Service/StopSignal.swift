@preconcurrency import Dispatch
import Foundation
import ServiceLifecycle
import Synchronization

/// SIGTERM and SIGINT from the moment it is made: one that comes while the program starts is remembered, and as a service of
/// a group it ends when one has come.
final class StopSignal: Service, CustomStringConvertible {
    let description = "stop signal"
    private let received = Mutex(false)
    private let signals: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
        self.signals = signals
        sources = [SIGTERM, SIGINT].map { DispatchSource.makeSignalSource(signal: $0, queue: .global()) }
        for source in sources {
            source.setEventHandler { [weak self] in
                self?.received.withLock { $0 = true }
                continuation.finish()
            }
            source.resume()
        }
    }

    deinit {
        for source in sources { source.cancel() }
    }

    var isReceived: Bool { received.withLock { $0 } }

    func run() async {
        await cancelWhenGracefulShutdown { for await _ in self.signals {} }
    }
}
