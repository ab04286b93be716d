// Goal:   no field of any dialect makes a parser trap, and what is taken means the same once it is
//         written again.
// Method: seeded mutations of good values, spliced with the bytes that mean something in them, read
//         by every dialect. A failure prints the seed.

import HTTP
import Testing

@Suite struct `Mutated fields of dialects` {
    private static let originals: [(DialectField, String)] = [
        (.uploadLength, "100"), (.uploadOffset, "0"), (.uploadComplete, "?1"),
        (.interopVersion, "8"), (.contentDigest, "crc32c=:yZRlqg==:, sha-512=:Zg==:;a=1"),
        (.reprDigest, "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
        (.wantContentDigest, "sha-256=3, crc32c=10"), (.wantReprDigest, "sha-256=(1 2);x, a=0"),
        (.uploadDeferLength, "1"), (.uploadMetadata, "filename d29ybGQucGRm,is_confidential"),
        (.uploadChecksum, "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), (.uploadConcat, "partial"),
        (.uploadConcat, "final;/files/a?b http://example.org:8080/files/c"),
        (.methodOverride, "DELETE"), (.fileName, "a b.jpg"), (.totalSize, "5"),
        (.sessionID, "abc"), (.chunkNumber, "0"), (.tusResumable, "1.0.0"),
    ]

    @Test(arguments: 0..<64 as Range<UInt64>)
    func `never trap, and mean what they are written as`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<150 {
            var lines = ["Tus-Resumable: 1.0.0"]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let (field, value) = `Mutated fields of dialects`.originals
                    .randomElement(using: &generator)!
                lines.append("\(field.name): \(mutated(value, &generator))")
            }
            let spoken = Spoken(lines)
            checkUpload(spoken)
            checkTus(spoken)
            checkDigests(spoken)
        }
    }

    private func mutated(_ value: String, _ generator: inout SeededGenerator) -> String {
        var scalars = Array(value.unicodeScalars)
        let marks = Array(" \t,;=:/?@\"()'%*-+.0A9z\\#\u{e9}".unicodeScalars)
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let position = Int.random(in: 0...scalars.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: scalars.insert(marks.randomElement(using: &generator)!, at: position)
            case 1: if position < scalars.count { scalars.remove(at: position) }
            default: scalars.append(contentsOf: scalars[position...])
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }

    private func checkUpload(_ spoken: Spoken) {
        let fields = UploadFields(spoken.lines, in: spoken.bytes)
        #expect(fields.offset ?? 0 <= StructuredValue.integerMax)
        if let length = fields.length, fields.isComplete != true {
            #expect((try? fields.wholeLength(contentLength: 5)) == length)
        }
        if let chunk = try? NumberedChunkFields(spoken.lines, in: spoken.bytes, limits: Limits()),
            let name = chunk.fileName
        {
            #expect(!spoken.text(name).contains("/"))
        }
    }

    private func checkTus(_ spoken: Spoken) {
        let fields: TusFields
        do throws(Refusal) {
            fields = try TusFields(spoken.lines, spoken.head, in: spoken.bytes, limits: Limits())
        } catch {
            #expect(error.status.rawValue < 500)
            return
        }
        if case .final(let list) = fields.concatenation { #expect(list.count > 1) }
        let text = try? written { (output) throws(Refusal) in
            try output.append(TusMetadata(spoken.lines), in: spoken.bytes)
        }
        guard let text else {
            Issue.record("metadata that was taken cannot be walked")
            return
        }
        let metadata = String(decoding: text, as: UTF8.self)
        let again = Spoken("Tus-Resumable: 1.0.0", "Upload-Metadata: \(metadata)")
        let copy = try? written { (output) throws(Refusal) in
            try output.append(TusMetadata(again.lines), in: again.bytes)
        }
        #expect(copy == text)
    }

    private func checkDigests(_ spoken: Spoken) {
        guard let digests = try? Digests(.contentDigest, spoken.lines, in: spoken.bytes) else {
            return
        }
        for digest in [digests.sha256, digests.crc32c] {
            guard let digest else { continue }
            let line = try? written { (output) throws(Refusal) in
                output.appendContentDigest(digest)
            }
            let again = Spoken(String(decoding: line?.dropLast(2) ?? [], as: UTF8.self))
            let copy = try? Digests(.contentDigest, again.lines, in: again.bytes)
            #expect((copy?.sha256 ?? copy?.crc32c) == digest)
        }
        _ = try? DigestPreference(.wantReprDigest, spoken.lines, in: spoken.bytes)
    }
}
