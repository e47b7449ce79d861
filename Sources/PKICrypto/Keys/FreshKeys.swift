import COpenSSL
import Synchronization

/// Keys for proxies, P-256, made a batch at a time: what one caller leaves of a batch is there for the next.
///
/// Bounded in number, and in age by whoever calls `discard(olderThan:)`; a key leaves it once, or is wiped.
package final class FreshKeys: Sendable {
    struct Stock: ~Copyable {
        /// The first `count` pairs are keys, the rest zero.
        var batch: FreshKeyBatch
        var count = 0
        /// When the oldest of them was made.
        var since = ContinuousClock.now
        /// Nil while somebody makes keys with it.
        var generator: P256Generator?
    }

    let stock: Mutex<Stock>

    /// Makes no key yet.
    package init() {
        stock = Mutex(Stock(batch: FreshKeyBatch(count: P256Generator.batch), generator: nil))
    }

    /// How many keys are ready.
    package var count: Int { stock.withLock { $0.count } }

    /// `count` keys that nobody has had: from those that are ready, and beyond them made now, on this thread.
    package func take(_ count: Int) throws(CryptoFailure) -> FreshKeyBatch {
        let taken = FreshKeyBatch(count: count)
        let (ready, found) = stock.withLock { stock -> (Int, P256Generator?) in
            let ready = min(count, stock.count)
            FreshKeys.move(stock.batch.pairs(stock.count - ready..<stock.count), to: taken.pairs(0..<ready))
            stock.count -= ready
            guard ready < count else { return (ready, nil) }
            defer { stock.generator = nil }
            return (ready, stock.generator)
        }
        guard ready < count else { return taken }
        let generator = if let found { found } else { try P256Generator() }
        var filled = ready
        while count - filled >= P256Generator.batch {
            try generator.fill(taken.pairs(filled..<filled + P256Generator.batch))
            filled += P256Generator.batch
        }
        guard filled < count else {
            keep(generator)
            return taken
        }
        // The last ones come out of a whole batch, whose rest is put aside.
        let made = FreshKeyBatch(count: P256Generator.batch)
        try generator.fill(made.pairs(0..<made.count))
        let needed = count - filled
        FreshKeys.move(made.pairs(0..<needed), to: taken.pairs(filled..<count))
        stock.withLock { stock in
            stock.generator = generator
            // Two that made a batch at once leave more than there is room for: the surplus is wiped with `made`.
            let kept = min(made.count - needed, stock.batch.count - stock.count)
            guard kept > 0 else { return }
            if stock.count == 0 { stock.since = .now }
            FreshKeys.move(made.pairs(needed..<needed + kept), to: stock.batch.pairs(stock.count..<stock.count + kept))
            stock.count += kept
        }
        return taken
    }

    /// Wipes the keys that are ready if the oldest was made before `moment`: a key that waits is one more to lose.
    package func discard(olderThan moment: ContinuousClock.Instant) {
        stock.withLock { stock in
            guard stock.count > 0, stock.since < moment else { return }
            FreshKeys.wipe(stock.batch.pairs(0..<stock.count))
            stock.count = 0
            stock.generator = nil
        }
    }

    private func keep(_ generator: P256Generator) {
        stock.withLock { $0.generator = generator }
    }

    private static func move(_ source: UnsafeMutableRawBufferPointer, to target: UnsafeMutableRawBufferPointer) {
        target.copyMemory(from: UnsafeRawBufferPointer(source))
        wipe(source)
    }

    private static func wipe(_ pairs: UnsafeMutableRawBufferPointer) {
        OPENSSL_cleanse(pairs.baseAddress, pairs.count)
    }
}
