import Foundation

/// A line of `differences.md`: a case on which the verifier and OpenSSL disagree, and why.
struct LimboDifference {
    /// `accepted`, or the reason of the refusal.
    let verdict: String
    let peerAccepts: Bool

    static let file = "Tests/PKICryptoTests/Limbo/differences.md"

    /// A line that is not of the table's form.
    struct Unreadable: Error, CustomStringConvertible {
        let line: String

        var description: String { "\(file): not '| `case` | verdict | accepted or refused | why |': \(line)" }
    }

    /// By the case's id: the rows of the table, each of which begins with the id in backquotes.
    static func all() throws -> [String: LimboDifference] {
        let text = try String(contentsOf: ExternalTool.packageRoot.appending(path: file), encoding: .utf8)
        var differences: [String: LimboDifference] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, ["accepted", "refused"].contains(cells[2]), cells[3].count > 10 else {
                throw Unreadable(line: String(line))
            }
            let id = cells[0].trimmingCharacters(in: ["`"])
            let difference = LimboDifference(verdict: cells[1], peerAccepts: cells[2] == "accepted")
            guard differences.updateValue(difference, forKey: id) == nil else { throw Unreadable(line: String(line)) }
        }
        return differences
    }
}
