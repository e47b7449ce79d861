internal import Authority
internal import PKI

/// The statements of what happened to rotations.
enum RotationEventSQL {
    /// That there is such a rotation is checked at the end of the transaction.
    static func insert(_ event: RotationEvent, of rotation: String) -> PostgresStatement {
        let event = StorableText.storable(event)
        return PostgresStatement(
            "INSERT INTO rotation_event (rotation, event, at_ms, actor, detail) VALUES ($1, $2, $3, $4, $5)",
            [
                .text(StorableText.replacingNUL(rotation)), .text(event.event), .integer(event.at.milliseconds),
                .text(event.actor), .text(event.detail),
            ])
    }

    static func select(_ rotation: String) -> PostgresStatement {
        PostgresStatement(
            "SELECT event, at_ms, actor, detail FROM rotation_event WHERE rotation = $1 ORDER BY seq", [.text(rotation)])
    }

    static func read(_ reader: inout RowReader) throws(PostgresError) -> RotationEvent {
        RotationEvent(
            event: try reader.text(), at: Timestamp(milliseconds: try reader.integer()), actor: try reader.text(),
            detail: try reader.text())
    }
}
