/// The answer to a dry run of a rotation's start.
package struct RotationPreviewMessage: Codable, Sendable, Hashable {
    /// As it would begin; `to` is `from`, for no root is made.
    package var rotation: RotationMessage
    package var forecast: Forecast
    package var warnings: [String]

    /// What it would meet, by what is known now.
    package struct Forecast: Codable, Sendable, Hashable {
        /// Proxies that are connected to the replica that was asked.
        package var connected: Int
        /// How long the re-issue of their certificates takes at the configured pace, as a duration such as `2s`.
        package var reissue: String
        /// Who would hold the gate of `distributing` now.
        package var distributing: [RotationMessage.Blocker]
        /// Who would hold the gate of `issuing` for longer than the re-issue takes.
        package var issuing: [RotationMessage.Blocker]
        /// When the last certificate under the old root ends; absent: none is out.
        package var lastExpiry: String?
        /// Whether chains will carry a cross certificate, so that proxies which are away hold nothing up.
        package var crossCertified: Bool

        package init(
            connected: Int, reissue: String, distributing: [RotationMessage.Blocker], issuing: [RotationMessage.Blocker],
            lastExpiry: String?, crossCertified: Bool
        ) {
            self.connected = connected
            self.reissue = reissue
            self.distributing = distributing
            self.issuing = issuing
            self.lastExpiry = lastExpiry
            self.crossCertified = crossCertified
        }
    }

    package init(rotation: RotationMessage, forecast: Forecast, warnings: [String]) {
        self.rotation = rotation
        self.forecast = forecast
        self.warnings = warnings
    }
}
