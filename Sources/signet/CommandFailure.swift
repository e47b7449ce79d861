/// Why a command ends without having done what was asked: one line for a person, and the exit code.
struct CommandFailure: Error, Hashable {
    let exitCode: Int32
    /// `what is wrong: what to do about it`.
    let line: String
    /// Nobody answered: another try may succeed without anything being done.
    var isUnreachable = false

    /// The operation failed, or the answer is no.
    static func failed(_ line: String) -> CommandFailure { CommandFailure(exitCode: 1, line: line) }

    /// Ctrl-C ended it: 128 and the number of SIGINT, as a shell reports a program that the signal ended.
    static func interrupted(_ line: String) -> CommandFailure { CommandFailure(exitCode: 130, line: "interrupted: \(line)") }

    /// Wrong usage or configuration.
    static func usage(_ line: String) -> CommandFailure { CommandFailure(exitCode: 2, line: line) }
}
