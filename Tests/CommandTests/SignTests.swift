// `millrace sign` end to end: the URL it prints carries the code that XMPP servers would compute.
// The expected codes come from OpenSSL's command line: printf '…' | openssl dgst -sha256 -hmac KEY.

import ArgumentParser
import Testing

@testable import millrace

@Suite struct `Signing a URL` {
    @Test(arguments: [
        (["--size", "7"], "v=f966f513ff4d1a60754b7e0443d8142a3b52fa1ae8f922bfeb4c14f592fe551a"),
        (
            ["--size", "7", "--scheme", "v2", "--type", "text/plain"],
            "v2=45a67e0218770b2012b7a39ba84617f54d7c432e9d1277883ef4a4e1908d2028"
        ),
        (
            ["--size", "7", "--scheme", "token", "--type", "text/plain"],
            "token=45a67e0218770b2012b7a39ba84617f54d7c432e9d1277883ef4a4e1908d2028"
        ),
        (
            ["--size", "7", "--scheme", "v2"],
            "v2=9d85dbeadb248f49a5d566b2e941a73ed42830ecfe9c65e983c443027bf2f375"
        ),
    ])
    func `gives the code that Prosody would give`(options: [String], query: String) throws {
        let arguments = ["sign", "--url", "http://h:1/dir/a b.txt"] + options
        let sign = try #require(try Millrace.parseAsRoot(arguments) as? SignCommand)
        let url = try sign.signedURL(environment: ["MILLRACE_SECRET": "top secret"])
        #expect(url == "http://h:1/dir/a%20b.txt?" + query)
    }
}
