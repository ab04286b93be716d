// `millrace sign`: prints the URL to which one upload of one size may be put.

public import ArgumentParser
internal import Configuration
internal import Files
internal import HTTP
public import Signatures

struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Print a signed upload URL.",
        discussion: """
            The signature binds the path and the size, and for v2 and token the content type: the \
            one that the server guesses from the name if the upload sends none, or that of \
            --type. Standard error says which, and whether the upload must send it. In the path \
            a %XX stays what it is; everything else that a URL cannot hold is encoded; a name \
            that the server would refuse is refused. The secret is the server's: from --config, \
            MILLRACE_SECRET, or the secrets that the server keeps in its data directory. Of \
            several the first signs, or that of --secret-id.

            EXAMPLES
              millrace sign --url http://127.0.0.1:8080/photos/cat.jpg --size 52341
              millrace sign --url 'http://127.0.0.1:8080/a b.txt' --size 9 --scheme v2
              curl -T cat.jpg "$(millrace sign --url http://127.0.0.1:8080/cat.jpg \\
                --size "$(stat -c %s cat.jpg)")"
            """)

    @Option(help: ArgumentHelp("Where the object will be.", valueName: "base/path"))
    var url: String

    @Option(help: ArgumentHelp("Bytes that will be sent.", valueName: "n"))
    var size: Int

    @Option(help: "v, v2 or token.")
    var scheme = SignatureScheme.v

    @Option(help: ArgumentHelp("Content type, for v2 and token.", valueName: "type"))
    var type: String?

    @Option(help: ArgumentHelp("Which secret signs, of several.", valueName: "id"))
    var secretID: String?

    @OptionGroup var place: ConfigurationOptions

    func validate() throws {
        if size < 0 { throw ValidationError("--size is a number of bytes, 0 or more.") }
        if type != nil, scheme == .v {
            throw ValidationError("--type is signed by the schemes v2 and token only.")
        }
    }

    func run() throws {
        let upload = try signedUpload(environment: processEnvironment())
        if let note = upload.note { writeToStandardError("millrace: \(note)") }
        print(upload.url)
    }

    func signedUpload(environment: [String: String]) throws -> SignedUpload {
        let settings = try place.settings(environment: environment)
        let target: UploadTarget
        do throws(UploadTargetError) {
            target = try UploadTarget(url: url, basePath: settings.server.basePath)
        } catch {
            throw CommandFailure(text: "--url: \(error)", exitCode: 2)
        }
        guard let secret = try Secrets.existingUploadSecret(for: settings, id: secretID) else {
            let place = settings.storage.path
            let text = "no secret: none is configured, and no server has made one in \(place) yet"
            throw CommandFailure(text: text, exitCode: 2)
        }
        let guess = MediaType.guess(name: target.path.span)
        let type = try checkedType() ?? guess.type
        let signature = try scheme.signature(
            key: secret.bytes, path: target.path, size: size, type: type)
        return SignedUpload(
            url: target.url + "?\(scheme.parameter)=" + signature,
            note: scheme.coversType ? SignCommand.note(type, guess) : nil)
    }

    private func checkedType() throws -> String? {
        guard let type else { return nil }
        do throws(Refusal) {
            try MediaType.validate(type.utf8.span, limits: Limits())
        } catch {
            throw CommandFailure(text: "--type: \(error.line)", exitCode: 2)
        }
        return type
    }

    private static func note(_ type: String, _ guess: MediaType.Guess) -> String {
        let sending =
            guess.covers(type)
            ? "the upload may send that, or no Content-Type" : "the upload must send that"
        return "signed for Content-Type \(type): \(sending)"
    }
}

/// What `millrace sign` has to say.
struct SignedUpload: Equatable {
    let url: String
    /// For whom makes the upload; nil if it may send any type.
    let note: String?
}

extension SignatureScheme: ExpressibleByArgument {}
