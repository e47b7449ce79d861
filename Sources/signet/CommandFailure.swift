/// Why a command ends without having done what was asked: one line for a person, and the exit code.
struct CommandFailure: Error, Hashable {
    let exitCode: Int32
    /// `what is wrong: what to do about it`.
    let line: String

    /// The operation failed, or the answer is no.
    static func failed(_ line: String) -> CommandFailure { CommandFailure(exitCode: 1, line: line) }

    /// Wrong usage or configuration.
    static func usage(_ line: String) -> CommandFailure { CommandFailure(exitCode: 2, line: line) }
}
