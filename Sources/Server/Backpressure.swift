/// Whether what clients send is better left with the kernel for now: handlers wait, for buffers or
/// for the disk, and what has been received for them already fills the memory there is for it.
///
///     received and kept   none │██ reads ██│ three quarters │ as before │ most │█ holds back █
struct Backpressure {
    private let keptMax: Int
    private let bytesUnderway: Int
    private let answerBytes: Int
    private(set) var holdsBack = false

    /// For a front of `bytesTotal`, to which the kernel may bring `bytesUnderway` before it learns
    /// that nothing more is wanted. A handler's answer takes `answerBytes`.
    init(bytesTotal: Int, bytesUnderway: Int, answerBytes: Int) {
        keptMax = bytesTotal / 2
        self.bytesUnderway = bytesUnderway
        self.answerBytes = answerBytes
    }

    /// What has to stay free for bytes that are underway, and for an answer of each handler.
    func reserve(handlerCount: Int) -> Int { bytesUnderway + handlerCount * answerBytes }

    /// `bytesKept` of clients' bytes wait in memory, of which `bytesFree` are left.
    mutating func update(bytesKept: Int, bytesFree: Int, handlerCount: Int) {
        let reserve = reserve(handlerCount: handlerCount)
        if handlerCount == 0 || (bytesKept <= keptMax / 4 * 3 && bytesFree >= reserve / 4 * 5) {
            // Without handlers nothing would bring room back but what is still to be read.
            holdsBack = false
        } else if bytesKept > keptMax || bytesFree < reserve {
            holdsBack = true
        }
    }
}
