// Standard error as a run speaks there: lines that stay, and below them, on a terminal, the one
// that changes.

internal import Files
internal import Synchronization
internal import Trees

final class Console: Sendable {
    /// Of the terminal; nil if it is none.
    let columns = Terminal.columns
    private let isLineShown = Mutex(false)

    func say(_ line: String) {
        isLineShown.withLock { isShown in
            clear(&isShown)
            writeToStandardError(PlainText.of(line))
        }
    }

    /// Only on a terminal.
    func show(_ line: String) {
        isLineShown.withLock { isShown in
            // Back to the line's start, the line, and nothing of what was behind it (ECMA-48, EL).
            Terminal.write("\r" + PlainText.of(line) + "\u{1b}[K")
            isShown = true
        }
    }

    func clear() { isLineShown.withLock { clear(&$0) } }

    private func clear(_ isShown: inout Bool) {
        guard isShown else { return }
        Terminal.write("\r\u{1b}[K")
        isShown = false
    }
}
