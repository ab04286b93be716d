// Standard error as a terminal: whether it is one, how wide, and text without a line's end.

internal import Glibc

public enum Terminal {
    /// Columns of standard error; nil if it is no terminal.
    public static var columns: Int? {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
        var size = winsize()
        // Without an answer, what terminals have had since VT100.
        guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return 80
        }
        return Int(size.ws_col)
    }

    /// Writes to standard error as it is.
    public static func write(_ text: String) { writeAllToStandardError(Array(text.utf8)) }
}
