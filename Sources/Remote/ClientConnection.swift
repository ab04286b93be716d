// One connection to a server, kept between requests: blocking, for one thread.
//
//     open ──begin (head)──▶ ──send…──▶ ──answer──▶ ──receive…──▶ open, or closed if either side
//                                                                 says so or something fails

internal import Glibc

public final class ClientConnection {
    private let address: ServerAddress
    private var socket: Int32 = -1
    private var received: [UInt8] = []
    /// Bytes of the answer's content that are still to come.
    private var bytesLeft: UInt64 = 0
    private var closesAfterAnswer = false

    /// A server that does nothing at all for so long is gone.
    private static let timeoutSeconds = 120

    public init(_ address: ServerAddress) { self.address = address }

    deinit { close() }

    public var isOpen: Bool { socket >= 0 }

    public func close() {
        if socket >= 0 { _ = Glibc.close(socket) }
        socket = -1
        received = []
        bytesLeft = 0
    }

    // MARK: Requests

    /// Connects if need be, and sends a head, with `content` right behind it. What the last answer
    /// still had to bring is not waited for.
    ///
    /// - Parameter fields: whole lines, without their ends.
    public func begin(
        _ method: String, _ target: String, fields: [String], content: ArraySlice<UInt8> = []
    ) throws(ClientError) {
        if bytesLeft > 0 || closesAfterAnswer { close() }
        if !isOpen { try connect() }
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(address.authority)\r\n"
        for field in fields { head += field + "\r\n" }
        try send((Array((head + "\r\n").utf8) + content)[...])
    }

    public func send(_ bytes: ArraySlice<UInt8>) throws(ClientError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { buffer in
                unsafe Glibc.send(socket, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno != EINTR { throw failure("send") }
            rest = rest.dropFirst(max(count, 0))
        }
    }

    /// The next answer, 100 (Continue) included. `hasContent`: not for HEAD.
    public func answer(hasContent: Bool = true) throws(ClientError) -> ServerAnswer {
        let mark = Array("\r\n\r\n".utf8)
        var end = received.firstRange(of: mark)
        while end == nil {
            guard received.count <= ServerAnswer.bytesMax else {
                throw broken(.malformed("its head does not end"))
            }
            guard try receiveMore() else { throw broken(.ended) }
            end = received.firstRange(of: mark)
        }
        guard let end else { preconditionFailure("the head ended without an end") }
        let answer: ServerAnswer
        do throws(ClientError) {
            answer = try ServerAnswer(head: Array(received[..<end.lowerBound]))
        } catch {
            throw broken(error)
        }
        received.removeFirst(end.upperBound)
        guard answer.status >= 200 else { return answer }
        let isEmpty = !hasContent || answer.status == 204 || answer.status == 304
        guard isEmpty || answer.contentLength != nil else {
            throw broken(.malformed("it does not say how long it is"))
        }
        bytesLeft = isEmpty ? 0 : answer.contentLength ?? 0
        closesAfterAnswer = answer.closes
        return answer
    }

    /// Fills the front of `target` with the answer's content; fewer bytes are its end.
    public func receive(into target: inout [UInt8], count: Int) throws(ClientError) -> Int {
        let wanted = Int(min(UInt64(count), bytesLeft))
        var done = min(wanted, received.count)
        target.replaceSubrange(0..<done, with: received.prefix(done))
        received.removeFirst(done)
        while done < wanted {
            let (start, rest) = (done, wanted - done)
            let taken = unsafe target.withUnsafeMutableBytes { buffer in
                unsafe recv(socket, buffer.baseAddress! + start, rest, 0)
            }
            if taken < 0, errno != EINTR { throw failure("receive") }
            if taken == 0 { throw broken(.ended) }
            done += max(taken, 0)
        }
        bytesLeft -= UInt64(done)
        return done
    }

    /// The whole content, of which there may be no more than `countMax` bytes.
    public func content(countMax: Int) throws(ClientError) -> [UInt8] {
        guard bytesLeft <= UInt64(countMax) else { throw broken(.malformed("it is too long")) }
        var content = [UInt8](repeating: 0, count: Int(bytesLeft))
        _ = try receive(into: &content, count: content.count)
        return content
    }

    // MARK: The socket

    private func receiveMore() throws(ClientError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { target in
                unsafe recv(socket, target.baseAddress, target.count, 0)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("receive") }
            received += buffer[..<count]
            return count > 0
        }
    }

    private func connect() throws(ClientError) {
        closesAfterAnswer = false
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(address.host, String(address.port), &hints, &found)
        guard status == 0, let first = unsafe found else {
            let reason = unsafe String(cString: gai_strerror(status))
            throw .unresolved(host: address.host, reason)
        }
        defer { unsafe freeaddrinfo(first) }
        var error = ClientError.system(verb: "connect", code: EADDRNOTAVAIL)
        var next: UnsafeMutablePointer<addrinfo>? = unsafe first
        while let place = unsafe next {
            if let failed = unsafe tryConnecting(place.pointee) { error = failed } else { return }
            unsafe next = place.pointee.ai_next
        }
        throw error
    }

    /// Nil once it is connected.
    private func tryConnecting(_ place: addrinfo) -> ClientError? {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        socket = unsafe Glibc.socket(place.ai_family, type, 0)
        guard socket >= 0 else { return .system(verb: "connect", code: errno) }
        guard unsafe Glibc.connect(socket, place.ai_addr, place.ai_addrlen) == 0 else {
            return failure("connect")
        }
        var wait = timeval(tv_sec: ClientConnection.timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        var one: Int32 = 1
        // Without these it works all the same, only slower, or waiting longer.
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, size)
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, size)
        _ = unsafe setsockopt(
            socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        return nil
    }

    private func failure(_ verb: String) -> ClientError {
        broken(.system(verb: verb, code: errno))
    }

    private func broken(_ error: ClientError) -> ClientError {
        close()
        return error
    }
}
