import Foundation
import Subprocess
import Synchronization

/// A process that runs beside the test, with its output in a file; it is killed when its scope ends, and by the kernel
/// when the test itself dies.
package final class ChildProcess: Sendable {
    /// How a process ended.
    package enum End: Hashable, Sendable {
        case exited(Int32)
        case notStarted(String)
        case signaled(Int32)
    }

    package let name: String
    /// The file with standard output and standard error, in the order of writing.
    package let logPath: String
    private let executable: String
    private let arguments: [String]
    private let environment: [String: String?]
    /// How long it may go on after SIGTERM when its scope ends; nil kills it at once.
    private let grace: Duration?
    /// What the kernel sends it when the test's process dies.
    private let parentDeathSignal: String
    private let state = Mutex(State())

    private struct State {
        var processIdentifier: pid_t?
        var end: End?
        var starts: [AsyncStream<Void>.Continuation] = []
        var ends: [AsyncStream<Void>.Continuation] = []
    }

    package init(
        name: String, executable: String, arguments: [String], environment: [String: String?] = [:], logPath: String,
        grace: Duration? = nil, parentDeathSignal: String = "KILL"
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.logPath = logPath
        self.grace = grace
        self.parentDeathSignal = parentDeathSignal
    }

    /// Starts the process and returns when it has ended; cancelling the task ends it.
    func run() async {
        let descriptor = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return ended(.notStarted("cannot write \(logPath)")) }
        // Its standard input is a pipe that nobody writes to, and that ends with this process.
        var input: [Int32] = [-1, -1]
        guard pipe(&input) == 0, input.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else {
            return ended(.notStarted("no pipe is left"))
        }
        defer { close(input[1]) }
        var options = PlatformOptions()
        if let grace { options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: grace)] }
        do {
            let overrides = Dictionary(
                uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
            let result = try await Subprocess.run(
                .name("setpriv"), arguments: Arguments(["--pdeathsig", parentDeathSignal, "--", executable] + arguments),
                environment: .inherit.updating(overrides), platformOptions: options,
                input: .fileDescriptor(.init(rawValue: input[0]), closeAfterSpawningProcess: true),
                output: .fileDescriptor(.init(rawValue: descriptor), closeAfterSpawningProcess: true),
                error: .combinedWithOutput
            ) { execution in
                started(execution.processIdentifier.value)
            }
            switch result.terminationStatus {
            case .exited(let code): ended(.exited(code))
            case .signaled(let signal): ended(.signaled(signal))
            }
        } catch {
            ended(.notStarted(String(describing: error)))
        }
    }

    private func started(_ processIdentifier: pid_t) {
        let waiters = state.withLock { state in
            state.processIdentifier = processIdentifier
            defer { state.starts = [] }
            return state.starts
        }
        for waiter in waiters { waiter.finish() }
    }

    private func ended(_ end: End) {
        let waiters = state.withLock { state in
            state.end = end
            defer { (state.starts, state.ends) = ([], []) }
            return state.starts + state.ends
        }
        for waiter in waiters { waiter.finish() }
    }

    /// Nil while it runs.
    package var end: End? { state.withLock { $0.end } }

    package var processIdentifier: pid_t? { state.withLock { $0.processIdentifier } }

    package var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Sends a signal; nothing happens if the process has ended.
    package func send(_ signal: Int32) {
        state.withLock { state in
            guard state.end == nil, let processIdentifier = state.processIdentifier else { return }
            kill(processIdentifier, signal)
        }
    }

    /// Waits until the process is there, or has failed to start.
    package func waitForStart(within limit: Duration = .seconds(10)) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        state.withLock { state in
            if state.processIdentifier == nil, state.end == nil {
                state.starts.append(continuation)
            } else {
                continuation.finish()
            }
        }
        try await within(limit, "the start of \(name)") { for await _ in stream {} }
        if case .notStarted(let reason) = end { throw Failure(name: name, detail: reason) }
    }

    /// Waits for the end.
    @discardableResult package func waitForEnd(within limit: Duration) async throws -> End {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        state.withLock { state in
            if state.end == nil { state.ends.append(continuation) } else { continuation.finish() }
        }
        try await within(limit, "the end of \(name)") { for await _ in stream {} }
        guard let end else { throw CancellationError() }
        return end
    }

    /// A process that does not do what a test needs, with the end of its log.
    package struct Failure: Error, CustomStringConvertible {
        package let name: String
        package let detail: String

        package init(name: String, detail: String) {
            self.name = name
            self.detail = detail
        }

        package var description: String { "\(name): \(detail)" }
    }
}
