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
            ["--size", "7", "--scheme", "v2", "--type", "application/octet-stream"],
            "v2=9d85dbeadb248f49a5d566b2e941a73ed42830ecfe9c65e983c443027bf2f375"
        ),
    ])
    func `gives the code that Prosody would give`(options: [String], query: String) throws {
        let arguments = ["sign", "--url", "http://h:1/dir/a b.txt"] + options
        let sign = try #require(try Millrace.parseAsRoot(arguments) as? SignCommand)
        let upload = try sign.signedUpload(environment: ["MILLRACE_SECRET": "top secret"])
        #expect(upload.url == "http://h:1/dir/a%20b.txt?" + query)
    }

    @Test(arguments: [
        ("a.png", "image/png", "74931e82c8f31a0a941c998a6ffa1abd3e8403fc20440b6f3b276c5c86129044"),
        (
            "a.xyz", "application/octet-stream",
            "63722f9c63a4ee4882cb313c10e95b21d7770fde6c3dcf33c0a60f0a82270f57"
        ),
        (
            "a%20b.txt", "text/plain",
            "45a67e0218770b2012b7a39ba84617f54d7c432e9d1277883ef4a4e1908d2028"
        ),
    ])
    func `without a type takes the one that the server guesses`(
        name: String, type: String, code: String
    ) throws {
        for scheme in ["v2", "token"] {
            let upload = try signed(name, ["--scheme", scheme])
            #expect(upload.url == "http://h:1/dir/\(name)?\(scheme)=\(code)")
            let note = "signed for Content-Type \(type): "
            #expect(upload.note == note + "the upload may send that, or no Content-Type")
        }
    }

    @Test func `says which type the upload must send`() throws {
        for (name, type) in [("a.png", "text/plain"), ("a", "text/html; charset=utf-8")] {
            let upload = try signed(name, ["--scheme", "v2", "--type", type])
            #expect(upload.note == "signed for Content-Type \(type): the upload must send that")
        }
        #expect(try signed("a.png", []).note == nil)
    }

    private func signed(_ name: String, _ options: [String]) throws -> SignedUpload {
        let arguments = ["sign", "--url", "http://h:1/dir/\(name)", "--size", "7"] + options
        let sign = try #require(try Millrace.parseAsRoot(arguments) as? SignCommand)
        return try sign.signedUpload(environment: ["MILLRACE_SECRET": "top secret"])
    }
}
