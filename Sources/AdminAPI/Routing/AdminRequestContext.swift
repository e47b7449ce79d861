package import Hummingbird

/// What Hummingbird hands over beside a request: for us, where it came from.
package struct AdminRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// For the log and the audit trail: see `AuditEntry.source`.
    package let remoteAddress: String

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        let address = source.channel.remoteAddress
        switch (address?.ipAddress, address?.port) {
        case (let host?, let port?): remoteAddress = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        default: remoteAddress = address == nil ? "unknown" : "unix"
        }
    }
}
