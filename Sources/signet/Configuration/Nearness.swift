/// Finds what a misspelt word was meant to be.
enum Nearness {
    /// The candidate with the fewest edits, if they are few for its length.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let best = candidates.map { (distance(word.lowercased(), $0.lowercased()), $0) }.min { $0.0 < $1.0 }
        guard let best, best.0 <= max(2, word.count / 4) else { return nil }
        return best.1
    }

    /// Levenshtein's, by two rows.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8.prefix(200)), Array(right.utf8))
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[right.count]
    }
}
