// What becomes of a file or an object, for everything that can have its name.

import Testing
import Trees

@Suite struct `A file to be imported` {
    private let file = Facts(byteCount: 10, modified: 1000)

    @Test func `is put if nothing has its name`() {
        #expect(ImportDecision(file: file, object: nil) == .put)
    }

    @Test func `is there already if length and time say so`() {
        #expect(ImportDecision(file: file, object: file) == .alreadyThere)
    }

    @Test(arguments: [0, 999, 1001] as [UInt64])
    func `is compared if only the time differs`(modified: UInt64) {
        let object = Facts(byteCount: 10, modified: modified)
        #expect(ImportDecision(file: file, object: object) == .compare)
    }

    @Test(arguments: [(9, 1000), (11, 1000), (0, 0)] as [(UInt64, UInt64)])
    func `is in conflict with an object of another length`(bytes: UInt64, modified: UInt64) {
        let object = Facts(byteCount: bytes, modified: modified)
        #expect(ImportDecision(file: file, object: object) == .conflict)
    }

    @Test func `has the nearest time that an object can have`() {
        #expect(Facts(byteCount: 0, fileModified: -5).modified == 0)
        #expect(Facts(byteCount: 0, fileModified: 5).modified == 5)
        // Fri, 31 Dec 9999 23:59:59 GMT.
        #expect(Facts(byteCount: 0, fileModified: .max).modified == 253_402_300_799)
    }
}

@Suite struct `An object to be exported` {
    private let object = Facts(byteCount: 10, modified: 1000)

    private func decision(_ present: ExportDecision.Present, overwrites: Bool = false)
        -> ExportDecision
    {
        ExportDecision(object: object, present: present, overwrites: overwrites)
    }

    @Test func `is written where nothing is`() {
        #expect(decision(.nothing) == .write)
        #expect(decision(.nothing, overwrites: true) == .write)
    }

    @Test func `is there already if length and time say so`() {
        #expect(decision(.file(object)) == .alreadyThere)
        #expect(decision(.file(object), overwrites: true) == .alreadyThere)
    }

    @Test func `is compared with a file of its length, or replaces it`() {
        let file = Facts(byteCount: 10, modified: 1)
        #expect(decision(.file(file)) == .compare)
        #expect(decision(.file(file), overwrites: true) == .replace)
    }

    @Test func `is in conflict with another file, or replaces it`() {
        let file = Facts(byteCount: 11, modified: 1000)
        #expect(decision(.file(file)) == .conflict)
        #expect(decision(.file(file), overwrites: true) == .replace)
    }

    @Test func `never replaces what is no file`() {
        #expect(decision(.other) == .conflict)
        #expect(decision(.other, overwrites: true) == .conflict)
    }
}
