/// Problem details (RFC 9457): what an API tells a program about a request that failed.
public struct Problem: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Nothing beyond what the status says.
        case blank
        /// draft-ietf-httpbis-resumable-upload §7.1, with 409: where the upload stands, and where
        /// the client thought that it does.
        case mismatchingUploadOffset(expected: UInt64, provided: UInt64)
        /// §7.2, with 400 or 410.
        case completedUpload
        /// §7.3, with 400.
        case inconsistentUploadLength
        /// draft-ietf-httpapi-digest-fields-problem-types, with 400: the value that the client gave
        /// in the field of that name. What the server computed is not told: it would let a client
        /// learn of bytes that it does not have.
        case mismatchingDigest(Digest, field: String)
    }

    public let kind: Kind
    public let status: Status
    /// One sentence on this very request; nil if the title says it all.
    public let detail: String?

    public init(_ kind: Kind, _ status: Status, detail: String? = nil) {
        self.kind = kind
        self.status = status
        self.detail = detail
    }

    /// Of a refusal: what its line says.
    public init(_ refusal: Refusal) {
        kind = refusal == .inconsistentUploadLength ? .inconsistentUploadLength : .blank
        status = refusal.status
        detail = refusal.line
    }

    /// The document, of type `MediaType.problem`.
    public var json: JSONText {
        var json = JSONText()
        json.object { json in
            json.key("type")
            json.string(type)
            json.key("title")
            json.string(title)
            json.key("status")
            json.integer(UInt64(status.rawValue))
            if let detail {
                json.key("detail")
                json.string(detail)
            }
            extend(&json)
        }
        json.lineEnd()
        return json
    }

    private var type: String {
        let registry = "https://iana.org/assignments/http-problem-types#"
        return switch kind {
        case .blank: "about:blank"
        case .mismatchingUploadOffset: registry + "mismatching-upload-offset"
        case .completedUpload: registry + "completed-upload"
        case .inconsistentUploadLength: registry + "inconsistent-upload-length"
        case .mismatchingDigest: registry + "digest-mismatching-values"
        }
    }

    /// As registered; with `about:blank` the status's own (RFC 9457 §4.2.1).
    private var title: String {
        switch kind {
        case .blank: status.reason
        case .mismatchingUploadOffset: "Mismatching Upload Offset"
        case .completedUpload: "Upload Is Completed"
        case .inconsistentUploadLength: "Inconsistent Upload Length Values"
        case .mismatchingDigest: "Mismatching Digest Values"
        }
    }

    private func extend(_ json: inout JSONText) {
        switch kind {
        case .blank, .completedUpload, .inconsistentUploadLength: break
        case .mismatchingUploadOffset(let expected, let provided):
            json.key("expected-offset")
            json.integer(expected)
            json.key("provided-offset")
            json.integer(provided)
        case .mismatchingDigest(let digest, let field):
            guard let key = digest.algorithm.fieldKey else {
                preconditionFailure("RFC 9530 is not spoken here with this algorithm")
            }
            json.key("mismatching-digests")
            json.array { json in
                json.object { json in
                    json.key("algorithm")
                    json.string(key)
                    json.key("provided-digest")
                    json.string(Problem.byteSequence(digest).span)
                    json.key("header")
                    json.string(field)
                }
            }
        }
    }

    /// `:…:`, as a structured field has it.
    private static func byteSequence(_ digest: Digest) -> [UInt8] {
        let base64 = Base64.encodedCount(byteCount: digest.algorithm.byteCount)
        return [UInt8](capacity: base64 + 2) { output in
            output.append(Ascii.colon)
            output.append(base64: digest.bytes)
            output.append(Ascii.colon)
        }
    }
}
