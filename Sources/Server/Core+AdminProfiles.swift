/// What an operator may do with what is remembered of clients: list it, and have it forgotten.

import Engine
import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    /// `/admin/profiles`: GET lists, by `after` and `limit`; DELETE forgets one `client`, or all
    /// with `all=true`.
    func handleAdminProfiles(_ request: Request) async throws(Answer) {
        switch request.head.method {
        case .get, .head: try await listProfiles(request)
        case .delete: try await forgetProfiles(request)
        case .put, .post, .patch, .options, .other:
            throw methodNotAllowed("GET, HEAD, DELETE")
        }
    }

    private func requireProfiles() throws(Answer) -> ClientProfiles {
        guard let profiles = settings.profiles else {
            throw Answer(.notFound, "performance.client_profiling is off: nobody is remembered")
        }
        return profiles
    }

    private func listProfiles(_ request: Request) async throws(Answer) {
        let profiles = try requireProfiles()
        let listing = try ListingRequest(request)
        guard listing.prefix.isEmpty else {
            throw Answer(.badRequest, "only after and limit are known here")
        }
        var after: ClientKey?
        if let text = listing.after { after = try client(text) }
        let now = loop.wallSeconds
        let lines = profiles.with { $0.list(after: after, limit: listing.limit, now: now) }
        var json = JSONText(capacity: 512 * (lines.count + 1))
        json.object { json in
            json.key("profiles")
            json.array { json in
                for line in lines { json.profile(line.key, line.profile) }
            }
            json.key("next")
            if lines.count == listing.limit, let last = lines.last {
                json.string(last.key.text.span)
            } else {
                json.null()
            }
        }
        json.lineEnd()
        await respond(request, type: MediaType.json, json.bytes)
    }

    /// 204 once the catalog has it no more.
    private func forgetProfiles(_ request: Request) async throws(Answer) {
        let profiles = try requireProfiles()
        if try queryFlag("all", request) {
            profiles.with { $0.removeAll() }
        } else {
            let key = try client(try queryValue("client", request))
            guard profiles.with({ $0.remove(key) }) else {
                throw Answer(.notFound, "nothing is remembered of this client")
            }
        }
        guard await peers[0].saveProfiles() else {
            throw Answer(
                .serviceUnavailable, "it is forgotten, but the catalog could not be told yet")
        }
        writeHead(request.slot, .noContent, keepAlive: keepsAlive(request)) { _ in }
    }

    private func client(_ text: [UInt8]) throws(Answer) -> ClientKey {
        guard let key = ClientKey(text: text) else {
            throw Answer(
                .badRequest,
                "a client is user:NAME, network:192.0.2.0/24 or network:2001:db8:0:aa00::/56")
        }
        return key
    }
}

extension Core {
    /// `name=true`, or that it is not there; anything else is a mistake.
    private func queryFlag(_ name: String, _ request: Request) throws(Answer) -> Bool {
        let bytes = request.bytes.span
        switch Query(request.head.query).value(of: name, in: bytes) {
        case .none: return false
        case .one(let value) where bytes.extracting(value).equals("true"): return true
        case .one, .several: throw Answer(.badRequest, "\(name) is true, once, or not there")
        }
    }
}

extension JSONText {
    fileprivate mutating func profile(_ client: ClientKey, _ profile: ClientProfile) {
        object { json in
            json.key("client")
            json.string(client.text.span)
            json.key("link_class")
            json.string("\(profile.linkClass)")
            json.key("transfers")
            json.integer(profile.transfers)
            json.key("failures")
            json.decimal(thousandths: JSONText.thousandths(profile.history.failures))
            json.key("transfer_seconds")
            json.decimal(thousandths: JSONText.thousandths(profile.history.seconds))
            json.key("bytes_per_second")
            if let rate = profile.estimate.bytesPerSecond {
                json.integer(UInt64(rate))
            } else {
                json.null()
            }
            json.key("round_trip_seconds")
            if let nanoseconds = profile.estimate.roundTripNanoseconds {
                json.decimal(thousandths: nanoseconds / 1_000_000)
            } else {
                json.null()
            }
            json.key("dialect")
            if let dialect = UploadDialect(rawValue: profile.dialect) {
                json.string("\(dialect)")
            } else {
                json.null()
            }
            json.key("chunk_size")
            if profile.chunkBytes > 0 { json.integer(profile.chunkBytes) } else { json.null() }
            json.key("last_seen")
            json.timestamp(profile.seenSeconds)
        }
    }

    private static func thousandths(_ value: Double) -> UInt64 {
        UInt64(clamping: Int64((min(max(value, 0), 1e12) * 1000).rounded()))
    }
}
