/// What any message to people and logs must be: one line of bounded length that shows what it says.
enum SpokenText {
    static func check(_ text: String) throws(BrokenInvariant) {
        try BrokenInvariant.require(text.utf8.count <= 16_384, "a message of \(text.utf8.count) octets")
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                throw BrokenInvariant("a message with the character U+\(String(scalar.value, radix: 16)) in it")
            default:
                // Marks that turn the direction of writing round.
                try BrokenInvariant.require(
                    !(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value),
                    "a message that turns round")
            }
        }
    }
}
