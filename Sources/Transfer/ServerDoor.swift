// The door to a running server: one connection, kept, with the admin token, to `/admin/objects`.

internal import Files
internal import HTTP
internal import Remote
internal import Trees

final class ServerDoor: ObjectDoor {
    private let connection: ClientConnection
    private let target: String
    private let authorization: String
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    /// Sent along with their head: an answer that refuses them costs no connection.
    private static let contentBytesMax = 64 << 10
    private static let textBytesMax = 64 << 10
    /// 1,000 names of 480 bytes, each as six characters, and what stands around them.
    private static let pageBytesMax = 8 << 20

    init(_ address: ServerAddress, token: [UInt8]) {
        connection = ClientConnection(address)
        target = address.base + "admin/objects"
        authorization = "Authorization: Bearer " + String(decoding: token, as: UTF8.self)
    }

    func find(_ name: [UInt8]) throws(DoorError) -> Facts? {
        let answer = try ask("HEAD", path(name), hasContent: false)
        if answer.status == 404 { return nil }
        guard answer.status == 200 else { throw refusal(answer) }
        return try facts(answer)
    }

    func page(prefix: [UInt8], after: [UInt8]?) throws(DoorError) -> ObjectPage {
        var query = "?limit=\(ObjectPage.objectsMax)"
        query += "&prefix=" + PercentEncoding.queryValue(prefix)
        if let after { query += "&after=" + PercentEncoding.queryValue(after) }
        let answer = try ask("GET", target + query)
        guard answer.status == 200 else { throw refusal(answer) }
        let text = try receiving { () throws(ClientError) in
            try connection.content(countMax: ServerDoor.pageBytesMax)
        }
        guard let page = ListingDocument.page(text) else {
            throw .hopeless("the server's list makes no sense")
        }
        return page
    }

    // MARK: In

    func put(
        _ file: SourceFile, as name: [UInt8], type: String, _ moved: ByteCounter
    ) throws(DoorError) -> PutEnd {
        var fields = [
            "Content-Type: \(type)", "Content-Length: \(file.stamp.byteCount)",
            "Last-Modified: " + ServerDoor.date(file.facts.modified),
            "Millrace-Durability: durable",
        ]
        let isShort = file.stamp.byteCount <= UInt64(ServerDoor.contentBytesMax)
        if !isShort { fields.append("Expect: 100-continue") }
        let content = isShort ? try readWhole(file) : []
        var answer = try ask("PUT", path(name), fields: fields, content: content[...])
        if answer.status == 100 {
            try sendContent(file, moved)
            answer = try receiving { () throws(ClientError) in try connection.answer() }
        }
        if isShort { moved.add(content.count) }
        switch answer.status {
        case 201: return .published
        case 409: return .conflict
        case 404, 405: throw .hopeless("the server knows no PUT at /admin/objects: upgrade it")
        default: throw refusal(answer)
        }
    }

    private func readWhole(_ file: SourceFile) throws(DoorError) -> [UInt8] {
        let count = Int(file.stamp.byteCount)
        let read = try read(file.file, count, at: 0)
        guard read == count, file.isUnchanged else { throw SourceFile.changed }
        return Array(buffer[..<count])
    }

    /// The last piece goes only if all of them are of one state of the file: without it the server
    /// has nothing to publish.
    private func sendContent(_ file: SourceFile, _ moved: ByteCounter) throws(DoorError) {
        var offset: UInt64 = 0
        while offset < file.stamp.byteCount {
            let count = Int(min(file.stamp.byteCount - offset, UInt64(buffer.count)))
            let isLast = offset + UInt64(count) == file.stamp.byteCount
            do throws(DoorError) {
                guard try read(file.file, count, at: offset) == count,
                    !isLast || file.isUnchanged
                else { throw SourceFile.changed }
            } catch {
                connection.close()
                throw error
            }
            let piece = buffer[..<count]
            try receiving { () throws(ClientError) in try connection.send(piece) }
            moved.add(count)
            offset += UInt64(count)
        }
    }

    // MARK: Out

    func fetch(
        _ object: ObjectLine, into file: OpenFile, _ moved: ByteCounter
    ) throws(DoorError) {
        let answer = try ask("GET", path(object.name))
        guard answer.status == 200 else { throw refusal(answer) }
        guard try facts(answer) == object.facts else {
            throw .failed("another object took its place meanwhile")
        }
        try receiveContent(object.facts.byteCount) { (piece, offset) throws(DoorError) in
            do throws(FileError) {
                try file.write(piece, count: piece.count, at: offset)
            } catch {
                throw DoorError(error)
            }
            moved.add(piece.count)
            return true
        }
    }

    func holds(
        _ file: OpenFile, byteCount: UInt64, as name: [UInt8], type: String?
    ) throws(DoorError) -> Bool {
        let answer = try ask("GET", path(name))
        if answer.status == 404 { return false }
        guard answer.status == 200 else { throw refusal(answer) }
        guard answer.contentLength == byteCount, type == nil || answer["content-type"] == type
        else { return false }
        var isSame = true
        try receiveContent(byteCount) { (piece, offset) throws(DoorError) in
            let count = try read(file, piece.count, at: offset)
            isSame = buffer[..<count].elementsEqual(piece)
            return isSame
        }
        return isSame
    }

    /// Piece by piece, with their offsets, as long as `take` wants more.
    private func receiveContent(
        _ byteCount: UInt64, _ take: ([UInt8], UInt64) throws(DoorError) -> Bool
    ) throws(DoorError) {
        var piece = [UInt8](repeating: 0, count: buffer.count)
        var offset: UInt64 = 0
        while offset < byteCount {
            let wanted = Int(min(byteCount - offset, UInt64(buffer.count)))
            if piece.count > wanted { piece.removeLast(piece.count - wanted) }
            do throws(ClientError) {
                _ = try connection.receive(into: &piece, count: wanted)
            } catch {
                // What is corrupt further inside ends a download short.
                throw .failed("the server broke off: its log says why (\(error))")
            }
            guard try take(piece, offset) else { return }
            offset += UInt64(wanted)
        }
    }

    // MARK: Requests

    private func path(_ name: [UInt8]) -> String { target + "/" + PercentEncoding.path(name) }

    /// Once more if a connection that was kept turns out to have ended: all that is asked for here
    /// may be asked for twice.
    private func ask(
        _ method: String, _ target: String, fields: [String] = [], content: ArraySlice<UInt8> = [],
        hasContent: Bool = true
    ) throws(DoorError) -> ServerAnswer {
        let fields = [authorization] + fields
        let wasOpen = connection.isOpen
        do throws(ClientError) {
            try connection.begin(method, target, fields: fields, content: content)
            return try connection.answer(hasContent: hasContent)
        } catch {
            guard wasOpen, error.isBroken else { throw .busy("\(error)") }
        }
        return try receiving { () throws(ClientError) in
            try connection.begin(method, target, fields: fields, content: content)
            return try connection.answer(hasContent: hasContent)
        }
    }

    /// A server that cannot be reached may be back soon.
    private func receiving<Answer>(
        _ exchange: () throws(ClientError) -> Answer
    ) throws(DoorError) -> Answer {
        do throws(ClientError) { return try exchange() } catch { throw .busy("\(error)") }
    }

    private func read(
        _ file: OpenFile, _ count: Int, at offset: UInt64
    ) throws(DoorError) -> Int {
        do throws(FileError) {
            return try file.read(into: &buffer, count: count, at: offset)
        } catch {
            throw DoorError(error)
        }
    }

    // MARK: Answers

    private func facts(_ answer: ServerAnswer) throws(DoorError) -> Facts {
        guard let length = answer.contentLength, let date = answer["last-modified"],
            let seconds = HTTPDate.parse(Array(date.utf8).span, now: 0), seconds >= 0
        else { throw .hopeless("the server does not say how long an object is, or how old") }
        return Facts(byteCount: length, modified: UInt64(seconds))
    }

    private func refusal(_ answer: ServerAnswer) -> DoorError {
        let text = (try? connection.content(countMax: ServerDoor.textBytesMax)) ?? []
        let line = String(decoding: text.prefix { $0 != 10 }, as: UTF8.self)
        let reason = "the server says \(answer.status): \(line)"
        switch answer.status {
        case 401, 403: return .hopeless("\(reason); --token-file takes another token")
        case 408, 429, 503: return .busy(reason)
        case 507: return .hopeless(DoorError.noSpace)
        default: return .failed(reason)
        }
    }

    private static func date(_ seconds: UInt64) -> String {
        let text = [UInt8](capacity: HTTPDate.byteCount) { output in
            HTTPDate.append(Int64(clamping: seconds), to: &output)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
