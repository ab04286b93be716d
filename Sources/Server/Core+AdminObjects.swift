/// `/admin/objects/<path>`: an object for who has the admin token, whatever the base path, unsigned
/// and with the time that it says. What `millrace import` and `export` talk to.

import HTTP
import Loop
import Store

extension Core {
    static let adminObjects = Array("admin/objects/".utf8)

    /// The name of the object below `/admin/objects/`; nil for everything else below `/admin`.
    func adminObject(_ name: [UInt8]) throws(Answer) -> [UInt8]? {
        let prefix = Core.adminObjects
        guard name.starts(with: prefix) else { return nil }
        let object = Array(name[prefix.count...])
        do throws(ObjectName.Fault) {
            try ObjectName.validate(object.span, limits: settings.limits)
        } catch {
            switch error {
            case .refused(let refusal): throw Answer(refusal)
            case .reserved(let segment):
                throw Answer(.badRequest, "no object's path can begin with \(segment.text)")
            }
        }
        return object
    }

    /// The admin token has been compared.
    func handleAdminObject(
        _ request: Request, _ name: [UInt8], _ body: inout BodyProgress
    ) async throws(Answer) {
        switch request.head.method {
        case .get, .head: try await download(request, name)
        case .put: try await upload(request, name, by: .admin, &body)
        case .post, .patch, .delete, .options, .other: throw methodNotAllowed("GET, HEAD, PUT")
        }
    }

    /// Type and time of what an operator puts: as sent, else guessed from the name, and now; and
    /// how long it may be: as long as objects can be, because the limit is one for clients.
    func adminTerms(
        _ request: Request, _ name: [UInt8]
    ) throws(Answer) -> (type: [UInt8], modified: UInt64, bytesMax: UInt64) {
        var sent: [UInt8]?
        if request.head.contentType.isPresent {
            let value = request.bytes.span.extracting(request.head.contentType)
            sent = [UInt8](capacity: value.count) { $0.append(value) }
        }
        return (
            try uploadType(sent, name), try modifiedTime(request), StoreLimits.objectBytesMax
        )
    }

    private func modifiedTime(_ request: Request) throws(Answer) -> UInt64 {
        let (name, bytes) = ("last-modified", request.bytes.span)
        var fields = FieldCursor(request.head)
        guard let value = fields.next(named: name, in: bytes) else { return loop.wallSeconds }
        guard fields.next(named: name, in: bytes) == nil,
            let seconds = HTTPDate.parse(
                bytes.extracting(value), now: Int64(clamping: loop.wallSeconds)),
            seconds >= 0
        else { throw Answer(.badRequest, "Last-Modified is not one date from 1970 on") }
        return UInt64(seconds)
    }
}
