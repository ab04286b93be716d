// Bytes to meaning and back: heads, ranges, conditions, chunks, types, names, signatures.

import Cryptography
import HTTP
import IO
import Signatures

extension Microbench {
    static let parsing: [Microbench] = [
        headParse("short", Requests.short), headParse("s3", Requests.store),
        headParse("put", Requests.signedPut), rangeParse, conditions, chunkedDecode, mediaType,
        responseHead, nameHash, signatureVerify,
    ]

    private static func headParse(_ name: String, _ text: String) -> Microbench {
        let bytes = Array(text.utf8)
        return Microbench("head-parse-\(name)", "HeadParser.parse, \(bytes.count) bytes") { _ in
            let limits = Limits()
            return Work { count in
                var head = RequestHead()
                for _ in 0..<count {
                    let outcome = HeadParser.parse(bytes.span, into: &head, limits: limits)
                    guard case .complete(let byteCount) = outcome else {
                        preconditionFailure("the head is whole")
                    }
                    keep(byteCount)
                }
            }
        }
    }

    private static let rangeParse = Microbench(
        "range-parse", "ByteRange of a field's value, held against a length"
    ) { _ in
        let values = ["bytes=0-99", "bytes=1048576-", "bytes=-500", "bytes=100000-2097151"]
            .map { Array($0.utf8) }
        return Work { count in
            for index in 0..<count {
                let value = values[index & 3]
                let range = ByteRange(parsing: value.span)
                guard case .satisfiable(let bytes) = range.resolve(length: 4 << 20) else {
                    preconditionFailure("the range is inside")
                }
                keep(Int(bytes.lowerBound))
            }
        }
    }

    private static let conditions = Microbench(
        "conditions", "a 304 by If-None-Match of two tags, and one by If-Modified-Since"
    ) { _ in
        let tag = Array("\"10001-1c2d3e4f\"".utf8)
        let (byTag, byDate) = (Array(Requests.ifNoneMatch.utf8), Array(Requests.ifModified.utf8))
        var (tagHead, dateHead) = (RequestHead(), RequestHead())
        let limits = Limits()
        guard case .complete = HeadParser.parse(byTag.span, into: &tagHead, limits: limits),
            case .complete = HeadParser.parse(byDate.span, into: &dateHead, limits: limits)
        else { throw MicroError("the heads of `conditions` are none") }
        let (first, second) = (tagHead, dateHead)
        return Work { count in
            for index in 0..<count {
                let date = Int64(1_790_000_000 + index & 1)
                let verdict = Conditions.evaluate(
                    first, in: byTag.span, entityTag: tag.span, lastModified: date, now: date)
                precondition(verdict == .notModified, "the second tag is the object's")
                let other = Conditions.evaluate(
                    second, in: byDate.span, entityTag: tag.span, lastModified: date, now: date)
                precondition(other == .notModified, "the object is older")
            }
        }
    }

    private static let chunkedDecode = Microbench(
        "chunked-decode", "ChunkedDecoder, 64 KiB in chunks of 4 KiB"
    ) { _ in
        let chunk = "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n"
        let bytes = Array((String(repeating: chunk, count: 16) + "0\r\n\r\n").utf8)
        return Work { count in
            for _ in 0..<count {
                var decoder = ChunkedDecoder(limits: Limits())
                var (position, byteCount) = (0, 0)
                while case .data(let range) = decoder.next(in: bytes.span, at: &position) {
                    byteCount += range.count
                }
                precondition(byteCount == 64 << 10, "a chunk was lost")
                keep(position)
            }
        }
    }

    private static let mediaType = Microbench(
        "media-type", "MediaType.guess of a name's extension"
    ) { _ in
        let names = ["photos/cat.jpg", "a/b/clip.webm", "notes.txt", "archive/unknown.zzz"]
            .map { Array($0.utf8) }
        return Work { count in
            for index in 0..<count {
                let name = names[index & 3]
                keep(MediaType.guess(name: name.span).type.utf8.count)
            }
        }
    }

    private static let responseHead = Microbench(
        "response-head", "status line and six fields of a 200"
    ) { _ in
        let arena = try makeArena(1 << 20)
        let type = Array("image/jpeg".utf8)
        return Work { count in
            for index in 0..<count {
                var output = arena.output(Region(offset: 0, count: 4096))
                output.appendStatusLine(.ok)
                output.appendField("Date", date: 1_790_000_000)
                output.appendField("Content-Length", decimal: UInt64(index))
                output.appendField("Content-Type", type.span)
                output.appendField("ETag", "\"10001-1c2d3e4f\"")
                output.appendField("Last-Modified", date: 1_780_000_000)
                output.appendField("Accept-Ranges", "bytes")
                output.appendHeadEnd()
                keep(output.count)
            }
        }
    }

    private static let nameHash = Microbench("name-hash", "NameHash of 30 bytes") { _ in
        let hash = NameHash(key: 7)
        let names = (0..<4).map { Array("get-1k/4\($0)/000000000000004\($0).x".utf8) }
        return Work { count in
            for index in 0..<count {
                let name = names[index & 3]
                keep(Int(truncatingIfNeeded: hash(name.span)))
            }
        }
    }

    private static let signatureVerify = Microbench(
        "signature-verify", "the tag of a signed URL read, made again and compared"
    ) { _ in
        let path = Array("photos/2026/cat.jpg".utf8)
        let secret = Array("secret".utf8)
        var signing = try MessageAuthenticator(key: secret.span)
        let tag = SignatureScheme.v.tag(path: path.span, size: 4096, type: path.span, &signing)
        let digits = Array(tag.hexadecimal.utf8)
        let authenticator = Owned(signing)
        return Work { count in
            authenticator.change { authenticator in
                for _ in 0..<count {
                    let sent = MessageTag(hexadecimal: digits.span)
                    let own = SignatureScheme.v.tag(
                        path: path.span, size: 4096, type: path.span, &authenticator)
                    precondition(sent == own, "the signature is right")
                }
            }
        }
    }
}

/// Request heads as clients send them.
private enum Requests {
    static let short = "GET /photos/cat.jpg HTTP/1.1\r\nHost: files.example.org\r\n\r\n"

    /// 407 bytes, as a client of an S3 store sends them.
    static let store = """
        GET /bucket/backups/2026/11/23/part-00042.bin HTTP/1.1\r
        Host: storage.example.org\r
        User-Agent: aws-sdk/1.11 lang/go\r
        Accept-Encoding: identity\r
        Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/\
        aws4_request, SignedHeaders=host;x-amz-date, Signature=\
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r
        X-Amz-Date: 20261123T120000Z\r
        Connection: keep-alive\r
        \r

        """

    static let signedPut = """
        PUT /upload/4f1d/IMG_20261123_120000.jpg?v2=\
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef HTTP/1.1\r
        Host: upload.example.org\r
        User-Agent: Conversations/2.18\r
        Content-Type: image/jpeg\r
        Content-Length: 482113\r
        Expect: 100-continue\r
        \r

        """

    static let ifNoneMatch = """
        GET /photos/cat.jpg HTTP/1.1\r
        Host: files.example.org\r
        If-None-Match: "10000-0badcafe", "10001-1c2d3e4f"\r
        \r

        """

    static let ifModified = """
        GET /photos/cat.jpg HTTP/1.1\r
        Host: files.example.org\r
        If-Modified-Since: Mon, 23 Nov 2026 12:00:00 GMT\r
        \r

        """
}
