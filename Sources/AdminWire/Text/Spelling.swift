/// Finds the word that was probably meant.
enum Spelling {
    /// `: did you mean 'x'?`, or nothing when no candidate is near.
    static func suggestion(for word: String, among candidates: [String]) -> String {
        let nearest = candidates.map { (candidate: $0, distance: distance(word.lowercased(), $0.lowercased())) }
            .min { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }
        // A third of the letters may be wrong; two for short words, so that a swapped pair is found.
        guard let nearest, nearest.distance <= max(2, nearest.candidate.count / 3), nearest.distance < nearest.candidate.count
        else {
            return ""
        }
        return ": did you mean '\(nearest.candidate)'?"
    }

    /// Levenshtein's distance; words beyond 64 characters are far from everything, which bounds the work.
    private static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.prefix(65).unicodeScalars)
        let right = Array(right.unicodeScalars)
        guard left.count <= 64 else { return .max }
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let substituted = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
