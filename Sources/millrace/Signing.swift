// The one place where the command line meets HMAC-SHA256.

/// The HMAC-SHA256 of `message` under `key`, as 64 hexadecimal digits.
func authenticationCode(key: [UInt8], message: [UInt8]) throws -> String {
    throw CommandFailure(text: "this build cannot sign", exitCode: 1)
}
