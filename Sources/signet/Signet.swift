import Foundation

/// The program: arguments in, exit code out.
@main
enum Signet {
    static func main() async {
        Console.occupyClosedDescriptors()
        signal(SIGPIPE, SIG_IGN)
        exit(await Program.run(Array(CommandLine.arguments.dropFirst())))
    }

    /// What `--version`, `GET /` and the log say.
    static let version = "0.1.0"
}
