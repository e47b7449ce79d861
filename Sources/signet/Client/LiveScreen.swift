import Foundation

/// A few lines of a terminal that are drawn over again and again.
struct LiveScreen {
    private var drawn = 0

    /// Puts `lines` in the place of those that were drawn before. None may be longer than the terminal is wide.
    mutating func draw(_ lines: [String]) throws(CommandFailure) {
        // Whatever stood there goes first: a line may be shorter than before, and the picture lower.
        let erasure = (drawn > 0 ? "\u{1B}[\(drawn)A" : "") + "\r\u{1B}[J"
        try Console.out(erasure + lines.map { $0 + "\n" }.joined())
        drawn = lines.count
    }

    /// Columns and rows of the terminal on standard output; what a terminal has where it does not say.
    static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
