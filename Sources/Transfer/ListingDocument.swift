// The list of objects as a server sends it, read.

internal import Foundation
internal import Trees

enum ListingDocument {
    private struct Document: Decodable {
        struct Line: Decodable {
            let path: String
            let size: UInt64
            let modified: UInt64
        }

        let objects: [Line]
        let next: String?
    }

    /// Nil for what is no list.
    static func page(_ text: [UInt8]) -> ObjectPage? {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(text)) else {
            return nil
        }
        return ObjectPage(
            objects: document.objects.map { line in
                ObjectLine(
                    name: Array(line.path.utf8),
                    facts: Facts(byteCount: line.size, modified: line.modified))
            },
            isLast: document.next == nil)
    }
}
