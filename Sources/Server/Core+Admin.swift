/// What an operator may do: delete an object, list objects; bearer token (RFC 6750). What may be
/// done to single objects under `/admin/objects/` is in `Core+AdminObjects.swift`.

import Cryptography
import HTTP
import IO
import Loop
import Store

extension Core {
    func delete(_ request: Request, _ name: [UInt8]) async throws(Answer) {
        try requireAdmin(request)
        let store = try requireStore()
        let wasThere: Bool
        do { wasThere = try await store.remove(name, at: loop.wallSeconds) } catch {
            throw answer(for: error, request)
        }
        guard wasThere else { throw Answer(.notFound, "there is no such object") }
        counters.deletes &+= 1
        writeHead(request.slot, .noContent, keepAlive: request.head.keepAlive) { _ in }
    }

    func requireAdmin(_ request: Request) throws(Answer) {
        guard request.head.authorization.isPresent else {
            var answer = Answer(.unauthorized, "an admin token is needed")
            answer.challenge = "Bearer"
            throw answer
        }
        let expected = settings.adminToken
        guard let token = bearerToken(request), constantTimeEquals(token.span, expected.span)
        else { throw Answer(.forbidden, "the token is not the admin's") }
    }

    /// Nil without Authorization, or with that of another scheme.
    func bearerToken(_ request: Request) -> [UInt8]? {
        let scheme = "bearer "
        guard request.head.authorization.isPresent else { return nil }
        let value = request.bytes.span.extracting(request.head.authorization)
        guard value.count > scheme.utf8.count,
            value.extracting(first: scheme.utf8.count).equals(lowercase: scheme)
        else { return nil }
        let token = value.extracting(droppingFirst: scheme.utf8.count)
        return [UInt8](capacity: token.count) { $0.append(token) }
    }

    func handleAdmin(
        _ request: Request, _ name: [UInt8], _ body: inout BodyProgress
    ) async throws(Answer) {
        try requireAdmin(request)
        if let object = try adminObject(name) {
            return try await handleAdminObject(request, object, &body)
        }
        if name.span.equals("admin/profiles") { return try await handleAdminProfiles(request) }
        guard name.span.equals("admin/objects") else {
            throw Answer(.notFound, "nothing is here")
        }
        try requireRead(request)
        let store = try requireStore()
        let listing = try ListingRequest(request)
        let objects: [ListedObject]
        do {
            objects = try await store.list(
                prefix: listing.prefix, after: listing.after, limit: listing.limit)
        } catch {
            throw answer(for: error, request)
        }
        let json = ListingDocument.json(objects, isLast: objects.count < listing.limit)
        await respond(request, type: MediaType.json, json.bytes)
    }

    /// A whole document, however long; waits until it is sent, unless it fits behind its head.
    func respond(
        _ request: Request, _ status: Status = .ok, type: String, _ bytes: [UInt8],
        location: [UInt8]? = nil
    ) async {
        writeHead(request.slot, status, keepAlive: keepsAlive(request)) { output in
            if let location { output.appendField("Location", location.span) }
            output.appendField("Content-Type", type)
            output.appendField("Content-Length", decimal: UInt64(bytes.count))
            output.append("Cache-Control: no-store\r\n")
        }
        guard request.head.method != .head else { return }
        let free =
            Int(connections[request.slot].output.count)
            - Int(connections[request.slot].outputCount)
        if bytes.count <= free { return append(request.slot, bytes.span) }
        guard await sendOutput(request.slot, more: true) else { return }
        let lease = await memory.lease(64 << 10)
        var start = 0
        while start < bytes.count {
            let count = min(bytes.count - start, Int(lease.region.count))
            let part = lease.region.part(from: 0, count: count)
            arena.copy(bytes.span.extracting(start..<start + count), to: part)
            guard await send(request.slot, part, more: start + count < bytes.count) else { break }
            start += count
        }
        memory.giveBack(lease)
    }
}

/// `?prefix=…&after=…&limit=…`, each optional, each at most once.
struct ListingRequest {
    var prefix: [UInt8] = []
    var after: [UInt8]?
    var limit = 100

    init(_ request: Request) throws(Answer) {
        var query = Query(request.head.query)
        var seen: Set<String> = []
        while let pair = query.next(in: request.bytes.span) {
            let key = String(decoding: Array(request.bytes[pair.key.range]), as: UTF8.self)
            guard seen.insert(key).inserted else {
                throw Answer(.badRequest, "a query parameter is repeated")
            }
            let value = try ListingRequest.decode(request.bytes.span.extracting(pair.value))
            switch key {
            case "prefix": prefix = value
            case "after": after = value
            case "limit":
                guard let number = Int(String(decoding: value, as: UTF8.self)),
                    (1...StoreLimits.listingMax).contains(number)
                else {
                    throw Answer(
                        .badRequest, "limit is a number from 1 to \(StoreLimits.listingMax)")
                }
                limit = number
            default: throw Answer(.badRequest, "only prefix, after and limit are known here")
            }
        }
    }

    private static func decode(_ value: Span<UInt8>) throws(Answer) -> [UInt8] {
        var decoded: [UInt8] = []
        do {
            decoded = try [UInt8](capacity: value.count) { output in
                try Query.decode(value, into: &output)
            }
        } catch {
            throw Answer(.badRequest, "a query value is malformed")
        }
        return decoded
    }
}

/// The listing as JSON:
/// `{"objects":[{"path":"a/b","size":3,"modified":1790000000,"sequence":7}],"next":"a/b"}`;
/// `next` is what to pass as `after` for the following page, null on the last one.
enum ListingDocument {
    static func json(_ objects: [ListedObject], isLast: Bool) -> JSONText {
        var json = JSONText(capacity: 128 * (objects.count + 1))
        json.object { json in
            json.key("objects")
            json.array { json in
                for line in objects { write(line, &json) }
            }
            json.key("next")
            if !isLast, let last = objects.last { json.string(last.name.span) } else { json.null() }
        }
        json.lineEnd()
        return json
    }

    private static func write(_ line: ListedObject, _ json: inout JSONText) {
        json.object { json in
            json.key("path")
            json.string(line.name.span)
            json.key("size")
            json.integer(line.object.length)
            json.key("modified")
            json.integer(line.object.modified)
            json.key("sequence")
            json.integer(line.object.sequence)
        }
    }
}
