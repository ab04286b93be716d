// `millrace sign`: prints the URL to which one upload of one size may be put.

public import ArgumentParser
internal import Configuration
public import Signatures

struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Print a signed upload URL.",
        discussion: """
            The signature binds the path and the size, and for v2 and token the content type, \
            which the upload must then send. In the path a %XX stays what it is; everything else \
            that a URL cannot hold is encoded; a name that the server would refuse is refused. The \
            secret is the server's: from --config, MILLRACE_SECRET, or the secrets that the \
            server keeps in its data directory.

            EXAMPLES
              millrace sign --url http://127.0.0.1:8080/photos/cat.jpg --size 52341
              millrace sign --url 'http://127.0.0.1:8080/a b' --size 9 --scheme v2 \\
                --type text/plain
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

    @OptionGroup var place: ConfigurationOptions

    func validate() throws {
        if size < 0 { throw ValidationError("--size is a number of bytes, 0 or more.") }
        if type != nil, scheme == .v {
            throw ValidationError("--type is signed by the schemes v2 and token only.")
        }
    }

    func run() throws { print(try signedURL(environment: processEnvironment())) }

    /// What clients send for files of no known type (RFC 2046 §4.5.1).
    private static let defaultType = "application/octet-stream"

    func signedURL(environment: [String: String]) throws -> String {
        let settings = try place.settings(environment: environment)
        let target: UploadTarget
        do throws(UploadTargetError) {
            target = try UploadTarget(url: url, basePath: settings.server.basePath)
        } catch {
            throw CommandFailure(text: "--url: \(error)", exitCode: 2)
        }
        guard let secret = try Secrets.existingUploadSecret(for: settings) else {
            let place = settings.storage.path
            let text = "no secret: none is configured, and no server has made one in \(place) yet"
            throw CommandFailure(text: text, exitCode: 2)
        }
        let signature = try scheme.signature(
            key: secret.bytes, path: target.path, size: size,
            type: type ?? SignCommand.defaultType)
        return target.url + "?\(scheme.parameter)=" + signature
    }
}

extension SignatureScheme: ExpressibleByArgument {}
