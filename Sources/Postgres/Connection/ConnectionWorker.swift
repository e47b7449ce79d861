internal import CLibPQ
internal import Glibc
internal import PKI

/// The thread's side of a connection: owns the one `PGconn` and makes every libpq call.
///
/// No call blocks: each wait is a `poll(2)` on the socket and the wake descriptor up to the job's deadline, so that a server
/// that went away without a word still leaves the caller an answer. (Only the look-up of a host name may take longer; the
/// pool's waiters have deadlines of their own.) After a job that was given up half-way the connection is unusable and the
/// thread ends; the server undoes what it had begun.
final class ConnectionWorker {
    private let configuration: PostgresConfiguration
    private let location: PostgresConfiguration.Location
    private let mailbox: ConnectionMailbox
    private let onNotification: @Sendable () -> Void
    private var connection: OpaquePointer?

    init(
        configuration: PostgresConfiguration, location: PostgresConfiguration.Location, mailbox: ConnectionMailbox,
        onNotification: @escaping @Sendable () -> Void
    ) {
        self.configuration = configuration
        self.location = location
        self.mailbox = mailbox
        self.onNotification = onNotification
    }

    deinit {
        finish()
    }

    /// The thread's whole life: job after job, until closed or broken.
    func run() {
        while let job = nextJob() {
            let answer = perform(job)
            let isBroken = if case .failure(let error) = answer { breaks(error) } else { false }
            mailbox.setUsable(!isBroken && isIdle)
            mailbox.ended(job.id)
            job.complete(answer)
            if isBroken { break }
        }
        mailbox.end()
        finish()
    }

    private var isIdle: Bool {
        connection.map { PQstatus($0) == CONNECTION_OK && PQtransactionStatus($0) == PQTRANS_IDLE } ?? false
    }

    /// Whether the connection cannot be used after `error`. A job that was cancelled before it was sent changed nothing.
    private func breaks(_ error: PostgresError) -> Bool {
        switch error {
        case .cancelled(let mayHaveRun), .deadlineExceeded(let mayHaveRun): mayHaveRun || connection == nil
        case .connectionFailed, .connectionLost, .unexpectedResult: true
        case .server(let error): error.endsTheSession
        }
    }

    private func finish() {
        if let connection { PQfinish(connection) }
        connection = nil
    }

    private func perform(_ job: ConnectionMailbox.Job) -> ConnectionMailbox.Answer {
        do throws(PostgresError) {
            if mailbox.isCancelled(job.id) { throw .cancelled(mayHaveRun: false) }
            switch job.work {
            case .connect:
                try connect(job)
                return .success([])
            case .execute(let statements):
                return .success(try execute(statements, job))
            case .listen:
                try listen(job)
                return .success([])
            }
        } catch {
            return .failure(error)
        }
    }

    // MARK: - Waiting

    /// Sleeps until there is a job, meanwhile noticing the server's hanging up. Nil: the connection is to end.
    private func nextJob() -> ConnectionMailbox.Job? {
        while true {
            switch mailbox.next() {
            case .close: return nil
            case .job(let job): return job
            case .nothing: break
            }
            let socketIsReady = poll(events: Int16(POLLIN), milliseconds: -1)
            if socketIsReady, let connection {
                guard PQconsumeInput(connection) == 1, PQstatus(connection) == CONNECTION_OK else { return nil }
                takeNotifications(connection)
            }
        }
    }

    /// Waits for the socket until the job's deadline or cancellation.
    private func wait(events: Int16, job: ConnectionMailbox.Job, deadline: ContinuousClock.Instant) throws(PostgresError) {
        while true {
            if mailbox.isCancelled(job.id) { throw .cancelled(mayHaveRun: true) }
            let remaining = (deadline - .now).wholeMilliseconds
            guard remaining > 0 else { throw .deadlineExceeded(mayHaveRun: true) }
            // An hour at a time is no limit, only a number that fits.
            if poll(events: events, milliseconds: CInt(min(remaining, 3_600_000))) { return }
        }
    }

    /// Whether the socket is ready (or broken); takes the wake signals.
    private func poll(events: Int16, milliseconds: CInt) -> Bool {
        let socket = connection.map { PQsocket($0) } ?? -1
        var descriptors = [
            pollfd(fd: mailbox.wake.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: events, revents: 0),
        ]
        // A negative descriptor is skipped by poll(2).
        guard Glibc.poll(&descriptors, 2, milliseconds) > 0 else { return false }
        if descriptors[0].revents != 0 { mailbox.wake.drain() }
        return descriptors[1].revents != 0
    }

    // MARK: - Connecting

    private func connect(_ job: ConnectionMailbox.Job) throws(PostgresError) {
        var failures: [String] = []
        for (name, parameters) in try ConnectionParameters.all(for: configuration, location: location) {
            let deadline = min(job.deadline, ContinuousClock.now + configuration.timing.connect)
            do throws(PostgresError) {
                try connect(parameters, job, deadline: deadline)
                return
            } catch {
                finish()
                switch error {
                case .cancelled: throw .cancelled(mayHaveRun: false)
                case .deadlineExceeded: failures.append("\(name) did not answer in time")
                case .connectionFailed(let detail):
                    // libpq names the server itself, in most of its messages.
                    failures.append(detail.contains("connection to server") ? detail : "\(name): \(detail)")
                case .connectionLost, .server, .unexpectedResult: failures.append("\(name): \(error)")
                }
            }
        }
        throw .connectionFailed(detail: failures.joined(separator: "; "))
    }

    private func connect(
        _ parameters: ConnectionParameters, _ job: ConnectionMailbox.Job, deadline: ContinuousClock.Instant
    ) throws(PostgresError) {
        guard let started = parameters.start() else { throw .connectionFailed(detail: "libpq is out of memory") }
        connection = started
        guard PQstatus(started) != CONNECTION_BAD else { throw .connectionFailed(detail: message(started)) }
        PQsetNoticeProcessor(started, { _, _ in }, nil)
        var status = PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            switch status {
            case PGRES_POLLING_READING: try wait(events: Int16(POLLIN), job: job, deadline: deadline)
            case PGRES_POLLING_WRITING: try wait(events: Int16(POLLOUT), job: job, deadline: deadline)
            default: throw .connectionFailed(detail: message(started))
            }
            status = PQconnectPoll(started)
        }
        guard PQsetnonblocking(started, 1) == 0, PQenterPipelineMode(started) == 1 else {
            throw .connectionFailed(detail: message(started))
        }
    }

    // MARK: - Statements

    /// Sends all statements at once and reads all answers. After a refusal, a transaction that was begun is rolled back.
    private func execute(
        _ statements: [PostgresStatement], _ job: ConnectionMailbox.Job
    ) throws(PostgresError) -> [PostgresResult] {
        guard let connection else { throw .connectionLost(detail: "it was closed", mayHaveRun: false) }
        do throws(PostgresError) {
            return try exchange(statements, connection, job)
        } catch {
            if case .server(let report) = error, !report.endsTheSession, PQtransactionStatus(connection) == PQTRANS_INERROR {
                _ = try exchange([.rollback], connection, job)
            }
            throw error
        }
    }

    private func exchange(
        _ statements: [PostgresStatement], _ connection: OpaquePointer, _ job: ConnectionMailbox.Job
    ) throws(PostgresError) -> [PostgresResult] {
        for statement in statements {
            guard StatementSender.send(statement, on: connection) else { throw lost(connection) }
        }
        guard PQpipelineSync(connection) == 1 else { throw lost(connection) }
        try flush(connection, job)
        var results: [PostgresResult] = []
        var refusal: PostgresServerError?
        for index in statements.indices {
            // A null result ends each statement's answers.
            while let result = try nextResult(connection, job) {
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_COMMAND_OK, PGRES_TUPLES_OK: results.append(ResultReader.read(result))
                case PGRES_PIPELINE_ABORTED: break
                case PGRES_FATAL_ERROR:
                    guard PQstatus(connection) == CONNECTION_OK else { throw lost(connection) }
                    if refusal == nil { refusal = ResultReader.error(result, statement: index) }
                default: throw .unexpectedResult(detail: "status \(PQresultStatus(result).rawValue)")
                }
            }
        }
        guard let end = try nextResult(connection, job) else {
            throw .unexpectedResult(detail: "no end of the pipeline")
        }
        defer { PQclear(end) }
        if let refusal { throw .server(refusal) }
        guard PQresultStatus(end) == PGRES_PIPELINE_SYNC, results.count == statements.count else {
            throw .unexpectedResult(detail: "\(results.count) answers to \(statements.count) statements")
        }
        takeNotifications(connection)
        return results
    }

    /// Sends what is queued. Reads meanwhile, since a server whose answers nobody takes stops taking statements.
    private func flush(_ connection: OpaquePointer, _ job: ConnectionMailbox.Job) throws(PostgresError) {
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1:
                try wait(events: Int16(POLLIN | POLLOUT), job: job, deadline: job.deadline)
                guard PQconsumeInput(connection) == 1 else { throw lost(connection) }
            default: throw lost(connection)
            }
        }
    }

    private func nextResult(
        _ connection: OpaquePointer, _ job: ConnectionMailbox.Job
    ) throws(PostgresError) -> OpaquePointer? {
        while PQisBusy(connection) == 1 {
            try wait(events: Int16(POLLIN), job: job, deadline: job.deadline)
            guard PQconsumeInput(connection) == 1 else { throw lost(connection) }
        }
        return PQgetResult(connection)
    }

    private func lost(_ connection: OpaquePointer) -> PostgresError {
        .connectionLost(detail: message(connection), mayHaveRun: true)
    }

    /// libpq's message in one line.
    private func message(_ connection: OpaquePointer) -> String {
        String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isNewline)
            .map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }.joined(separator: "; ")
    }

    // MARK: - Notifications

    private func listen(_ job: ConnectionMailbox.Job) throws(PostgresError) {
        guard let connection else { throw .connectionLost(detail: "it was closed", mayHaveRun: false) }
        while true {
            do throws(PostgresError) {
                try wait(events: Int16(POLLIN), job: job, deadline: job.deadline)
            } catch {
                if case .deadlineExceeded = error { return }
                throw error
            }
            guard PQconsumeInput(connection) == 1, PQstatus(connection) == CONNECTION_OK else { throw lost(connection) }
            takeNotifications(connection)
        }
    }

    private func takeNotifications(_ connection: OpaquePointer) {
        var isNotified = false
        while let notification = PQnotifies(connection) {
            isNotified = true
            PQfreemem(notification)
        }
        if isNotified { onNotification() }
    }
}
