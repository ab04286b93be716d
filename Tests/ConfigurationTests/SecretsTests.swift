// Secrets and the instance's identity: made once, kept private, refused when damaged or exposed.

import Files
import Foundation
import Testing

@testable import Configuration

@Suite struct `The secrets of a server` {
    @Test func `are made once and kept for their owner alone`() throws {
        let directory = try TemporaryDirectory()
        let settings = try directory.settings(under: "new/data")
        let first = try Secrets.prepare(for: settings)
        #expect(first.uploadIsNew && first.adminIsNew)
        #expect(first.upload.bytes.count == 64 && first.admin.bytes.count == 64)
        #expect(first.upload != first.admin)
        #expect(try directory.mode("new/data/secrets") == 0o600)
        #expect(try directory.mode("new/data") & 0o077 == 0)

        let second = try Secrets.prepare(for: settings)
        #expect(!second.uploadIsNew && !second.adminIsNew)
        #expect(second.upload == first.upload && second.admin == first.admin)
        #expect(try Secrets.existingUploadSecret(for: settings) == first.upload)
        #expect(try Secrets.existingAdminToken(for: settings) == first.admin)
        #expect(try directory.names("new/data") == ["secrets"])
    }

    @Test func `come from the configuration first`() throws {
        let directory = try TemporaryDirectory()
        let both = try directory.settings(
            under: "data", "[security]\nsecret = \"s\"\nadmin_token = \"t\"\n")
        let given = try Secrets.prepare(for: both)
        #expect(given.upload == Secret("s") && given.admin == Secret("t"))
        #expect(!given.uploadIsNew && !given.adminIsNew && given.tokens.isEmpty)
        #expect(try Secrets.existingAdminToken(for: both) == Secret("t"))
        let file = try directory.write("up\n", to: "token")
        #expect(try Secrets.token(inFile: file) == Secret("up"))
        let strange = try directory.write("a b", to: "strange")
        #expect(throws: SettingsError.self) { try Secrets.token(inFile: strange) }
        let token = try directory.settings(
            under: "other", "[security]\nupload_token_file = \"\(file)\"\n")
        #expect(try Secrets.prepare(for: token).tokens.map(\.secret) == [Secret("up")])
        #expect(throws: (any Error).self) { try directory.mode("data") }

        let one = try directory.settings(under: "data", "[security]\nsecret = \"s\"\n")
        let half = try Secrets.prepare(for: one)
        #expect(half.upload == Secret("s") && !half.uploadIsNew && half.adminIsNew)
    }

    @Test(arguments: [("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), ("a b\n\n", "a b\n")])
    func `may be in a file, whose last newline is not part of them`(text: String, secret: String)
        throws
    {
        let directory = try TemporaryDirectory()
        let file = try directory.write(text, to: "s")
        let settings = try directory.settings(
            under: "data", "[security]\nsecret_file = \"\(file)\"\n")
        #expect(try Secrets.existingUploadSecret(for: settings) == Secret(secret))
        try Secrets.check(settings)
    }

    @Test func `in files that do not hold any are refused`() throws {
        let directory = try TemporaryDirectory()
        let empty = try directory.write("\n", to: "empty")
        let spaced = try directory.write("hunter2 hunter2", to: "spaced")
        for (key, file) in [
            ("secret_file", empty), ("secret_file", directory.path + "/none"),
            ("admin_token_file", spaced), ("admin_token_file", directory.path),
            ("upload_token_file", spaced), ("upload_token_file", directory.path + "/none"),
        ] {
            let settings = try directory.settings(
                under: "data", "[security]\n\(key) = \"\(file)\"\n")
            let error = failure { try Secrets.prepare(for: settings) }
            #expect(error?.problems.first?.origin == file)
            #expect(error?.description.contains("hunter2") == false)
            #expect(failure { try Secrets.check(settings) } == error)
        }
    }

    @Test func `may have a key for tokens that others issue`() throws {
        let directory = try TemporaryDirectory()
        let key = "0123456789abcdef0123456789abcdef"
        let long = try directory.write(key + "\n", to: "long")
        let short = try directory.write("hunter2\n", to: "short")
        let settings = try directory.settings(
            under: "data", "[security]\njwt_secret_file = \"\(long)\"\njwt_audience = \"here\"\n")
        #expect(try Secrets.prepare(for: settings).jwt == Secret(key))
        #expect(settings.security.jwtAudience == "here")
        let none = try directory.settings(under: "data")
        #expect(try Secrets.prepare(for: none).jwt == nil)
        let wrong = try directory.settings(
            under: "data", "[security]\njwt_secret_file = \"\(short)\"\n")
        let error = failure { try Secrets.check(wrong) }
        #expect(error?.problems.first?.origin == short)
        #expect(error?.description.contains("hunter2") == false)
        let given = try directory.settings(under: "data", "[security]\njwt_secret = \"\(key)\"\n")
        #expect(given.listing().contains("# jwt_secret is set (hidden)"))
        #expect(!given.listing().contains(key))
    }

    @Test func `are none before a server has made some`() throws {
        let directory = try TemporaryDirectory()
        let settings = try directory.settings(under: "data")
        #expect(try Secrets.existingUploadSecret(for: settings) == nil)
    }

    @Test(arguments: [0o640, 0o604, 0o622, 0o660] as [Int])
    func `that others may use are refused`(mode: Int) throws {
        let directory = try TemporaryDirectory()
        let settings = try directory.settings(under: "data")
        _ = try Secrets.prepare(for: settings)
        try directory.setMode(mode, of: "data/secrets")
        let path = directory.path + "/data/secrets"
        let text =
            "\(path): \(path) has mode 0\(String(mode, radix: 8)): others may use it; run chmod"
        #expect(
            failure { try Secrets.prepare(for: settings) }?.description == text + " 600 on it")
    }

    @Test(arguments: [
        "", "garbage", "secret = \"hunter2\"", "secret = \"hunter2\"\nadmin_token = \"\"",
        "secret = 1\nadmin_token = \"a\"", "secret = \"\"\nadmin_token = \"a\"",
        "secret = \"hunter2\"\nadmin_token = \"a\"\nx = \"y\"", "secret = hunter2",
        "secret = \"hunter2\"\nadmin_token = \"a b\"", "[secret]\na = \"hunter2\"",
    ])
    func `that are damaged are refused, unseen`(text: String) throws {
        let directory = try TemporaryDirectory()
        let settings = try directory.settings(under: "data")
        _ = try Secrets.prepare(for: settings)
        let path = try directory.write(text, to: "data/secrets")
        try directory.setMode(0o600, of: "data/secrets")
        let error = failure { try Secrets.prepare(for: settings) }
        #expect(
            error?.description == "\(path): damaged; restore it from a backup, do not remove it")
    }

    @Test func `need a directory that can be made`() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write("", to: "file")
        let settings = try directory.settings(under: "file/data")
        #expect(
            failure { try Secrets.prepare(for: settings) }?.description.contains("Not a directory")
                == true)
    }

    @Test func `never print`() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\(Optional(secret) as Any)", dumped]
        {
            #expect(!text.contains("hunter2") && !text.contains("104"))
        }
        #expect(secret.revealed == "hunter2")
    }
}

@Suite struct `The identity of a store` {
    @Test func `is made once and kept for its owner alone`() throws {
        let directory = try TemporaryDirectory()
        #expect(try InstanceIdentity.load(from: directory.path) == nil)
        let first = try InstanceIdentity.loadOrMake(in: directory.path)
        #expect(first.identifier.count == 16 && first.recordKey.bytes.count == 32)
        #expect(first.identifier[6] >> 4 == 4 && first.identifier[8] >> 6 == 2)
        #expect(try directory.mode("instance") == 0o600)
        #expect(try InstanceIdentity.loadOrMake(in: directory.path) == first)
        #expect(try InstanceIdentity.load(from: directory.path) == first)

        let other = try TemporaryDirectory()
        #expect(try InstanceIdentity.loadOrMake(in: other.path) != first)
    }

    @Test(arguments: [
        ("", "damaged"), ("format = \"1\"", "damaged"),
        ("format = \"1\"\nidentifier = \"00\"\nkey = \"00\"", "damaged"),
        ("format = \"1\"\nidentifier = \"zz\"\nkey = \"0\"", "damaged"),
        ("format = \"2\"\nidentifier = \"\"\nkey = \"\"", "made by a newer release"),
    ])
    func `that cannot be read is refused`(text: String, reason: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(text, to: "instance")
        try directory.setMode(0o600, of: "instance")
        let error = failure { try InstanceIdentity.loadOrMake(in: directory.path) }
        #expect(error?.description.hasPrefix("\(path): \(reason)") == true)
    }

    @Test func `that others may read is refused`() throws {
        let directory = try TemporaryDirectory()
        _ = try InstanceIdentity.loadOrMake(in: directory.path)
        try directory.setMode(0o644, of: "instance")
        let error = failure { try InstanceIdentity.load(from: directory.path) }
        #expect(error?.description.contains("has mode 0644: others may use it") == true)
    }
}
