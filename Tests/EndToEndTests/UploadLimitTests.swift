// Goal:   what an operator sets as limits of uploads is what clients are told and held to.
// Method: a server of its own with small limits, and raw sockets.

import Foundation
import Testing

@Suite struct `A server with small limits` {
    private static let token = "Authorization: Bearer \(RunningServer.adminToken)"

    private func server() throws -> RunningServer {
        var options = ServerOptions()
        options.uploads = """
            max_unfinished_size = "6MiB"
            max_unfinished_size_per_owner = "4MiB"
            max_append_size = "3MiB"
            """
        return try RunningServer(options)
    }

    private func ask(
        _ server: RunningServer, _ method: String, _ target: String, _ fields: [String],
        _ body: [UInt8]? = nil
    ) throws -> RawClient.Response {
        try RawClient(server.port).exchange(
            method, target, fields: [Self.token] + fields, body: body)
    }

    @Test func `holds unfinished uploads to their space, and gives it to others`() throws {
        let server = try server()
        let options = try ask(server, "OPTIONS", "/files", [])
        #expect(options.fields["tus-max-size"] == "\(4 << 20)")
        let limit = options.fields["upload-limit"]
        #expect(limit?.contains("max-size=4194304, max-append-size=3145728") == true)
        let tooLarge = try ask(
            server, "POST", "/files", ["Upload-Complete: ?0", "Upload-Length: \(5 << 20)"], [])
        #expect(tooLarge.status == 413)

        let part = pattern(3 << 20, seed: 7)
        let begin = ["Upload-Complete: ?0", "Upload-Length: \(4 << 20)"]
        let first = try ask(server, "POST", "/files", begin, part)
        #expect(first.status == 201)
        #expect(try server.metric("unfinished_upload_bytes") == 3 << 20)
        let second = try ask(server, "POST", "/files", begin, part)
        #expect(second.status == 429)
        #expect(second.fields["retry-after"] == "60")
        #expect(try server.metric("unfinished_upload_bytes") == 3 << 20)
        // Another owner has its own: what the secret signs.
        let whole = pattern(4 << 20, seed: 8)
        let signed = Signing.v("other", whole.count)
        #expect(try ask(server, "PUT", signed, begin, part).status == 201)

        let location = try #require(first.fields["location"])
        #expect(try ask(server, "DELETE", location, []).status == 204)
        #expect(try ask(server, "POST", "/files", begin, part).status == 201)
        #expect(server.stop() == 0)
    }

    @Test func `takes a plain PUT of any size`() throws {
        let server = try server()
        #expect(try server.put("large", pattern(10 << 20, seed: 9)).status == 201)
        #expect(try server.metric("unfinished_upload_bytes") == 0)
        #expect(server.stop() == 0)
    }
}
