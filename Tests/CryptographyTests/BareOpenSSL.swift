// OpenSSL with a configuration that leaves it no algorithms, as a strict one may leave it few.

import Foundation
import Glibc

enum BareOpenSSL {
    /// For the rest of this process, which has not used OpenSSL yet: its configuration is read when
    /// it is first used.
    static func begin(_ body: () -> Void) throws {
        let path = NSTemporaryDirectory() + "millrace-openssl-\(getpid()).cnf"
        let text = """
            openssl_conf = all
            [all]
            providers = providers
            [providers]
            null = null
            [null]
            activate = 1

            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { unsafe unlink(path) }
        unsafe setenv("OPENSSL_CONF", path, 1)
        body()
    }
}
