// One line to standard error in one write, so that lines of two threads do not mix.

internal import Glibc

/// Writes `line` and a newline to standard error. What the system refuses is lost: there is no
/// better place left to report it to.
public func writeToStandardError(_ line: String) {
    writeAllToStandardError(Array((line + "\n").utf8))
}

func writeAllToStandardError(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe write(STDERR_FILENO, buffer.baseAddress! + done, buffer.count - done)
        }
        if count < 0, errno != EINTR { return }
        done += max(count, 0)
    }
}
