// Goal:   README.md says of every key what `millrace config reference` says.
// Method: the README of this checkout, found from this file.

import Configuration
import Files
import Testing

@Suite struct `The reference in the README` {
    /// The checkout that this file lies in.
    private var root: String {
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
    }

    @Test func `is what the command prints`() throws {
        let bytes = try readFile("\(root)/README.md", byteCountMax: 1 << 20)
        let readme = String(decoding: bytes, as: UTF8.self)
        #expect(readme.contains(Settings.reference()))
    }
}
