internal import Glibc
package import NIOCore

/// A message with the prefix that gRPC puts before it, ready to be sent.
package struct FramedMessage: Sendable {
    private(set) var buffer: ByteBuffer
    /// Whether it holds a key, and is to be wiped when it was written.
    private let isSecret: Bool

    /// Lets `write` append the message, of `capacity` octets, behind the prefix. What is secret must not have more: a buffer
    /// that grows leaves a copy behind.
    package init(capacity: Int, isSecret: Bool = false, _ write: (inout ByteBuffer) -> Void) {
        self.isSecret = isSecret
        buffer = ByteBufferAllocator().buffer(capacity: MessageReader.prefix + capacity)
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(0))
        write(&buffer)
        buffer.setInteger(UInt32(buffer.readableBytes - MessageReader.prefix), at: 1)
    }

    /// The message without its prefix.
    package var message: ByteBufferView { buffer.readableBytesView.dropFirst(MessageReader.prefix) }

    /// Overwrites a secret message where it stands. For when it was written, or never will be: nobody reads it any more,
    /// whoever still holds the buffer.
    func wipeIfSecret() {
        guard isSecret else { return }
        buffer.withUnsafeReadableBytes { octets in
            guard let start = octets.baseAddress else { return }
            explicit_bzero(UnsafeMutableRawPointer(mutating: start), octets.count)
        }
    }
}
