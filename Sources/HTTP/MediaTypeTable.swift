/// File name extensions and their media types: the IANA registrations of what people share.
enum MediaTypeTable {
    private static let extensionBytesMax = 8

    /// nil for an extension that is not in the table.
    static func type(ofExtension bytes: Span<UInt8>) -> String? {
        guard bytes.count > 0, bytes.count <= extensionBytesMax else { return nil }
        var key = ""  // At most 8 ASCII characters, which a String holds without allocating.
        for index in bytes.indices {
            guard bytes[index] < 0x80 else { return nil }
            key.unicodeScalars.append(Unicode.Scalar(Ascii.lowercased(bytes[index])))
        }
        return image(key) ?? sound(key) ?? text(key) ?? document(key) ?? archive(key)
    }

    private static func image(_ key: String) -> String? {
        switch key {
        case "jpg", "jpeg", "jpe": "image/jpeg"
        case "png": "image/png"
        case "gif": "image/gif"
        case "webp": "image/webp"
        case "avif": "image/avif"
        case "heic": "image/heic"
        case "heif": "image/heif"
        case "jxl": "image/jxl"
        case "bmp": "image/bmp"
        case "tif", "tiff": "image/tiff"
        case "ico": "image/vnd.microsoft.icon"
        case "svg": "image/svg+xml"
        default: nil
        }
    }

    private static func sound(_ key: String) -> String? {
        switch key {
        case "mp4", "m4v": "video/mp4"
        case "webm": "video/webm"
        case "mkv": "video/x-matroska"
        case "mov", "qt": "video/quicktime"
        case "avi": "video/x-msvideo"
        case "mpg", "mpeg": "video/mpeg"
        case "ogv": "video/ogg"
        case "3gp": "video/3gpp"
        case "ts": "video/mp2t"
        case "mp3": "audio/mpeg"
        case "m4a": "audio/mp4"
        case "aac": "audio/aac"
        case "ogg", "oga", "opus": "audio/ogg"
        case "flac": "audio/flac"
        case "wav": "audio/wav"
        case "amr": "audio/amr"
        case "mid", "midi": "audio/midi"
        default: nil
        }
    }

    private static func text(_ key: String) -> String? {
        switch key {
        case "txt", "text", "log", "asc": "text/plain"
        case "md", "markdown": "text/markdown"
        case "csv": "text/csv"
        case "css": "text/css"
        case "html", "htm": "text/html"
        case "xhtml": "application/xhtml+xml"
        case "xml": "application/xml"
        case "js", "mjs": "text/javascript"
        case "json": "application/json"
        case "ics": "text/calendar"
        case "vcf": "text/vcard"
        default: nil
        }
    }

    private static func document(_ key: String) -> String? {
        switch key {
        case "pdf": "application/pdf"
        case "epub": "application/epub+zip"
        case "rtf": "application/rtf"
        case "ps", "eps": "application/postscript"
        case "odt": "application/vnd.oasis.opendocument.text"
        case "ods": "application/vnd.oasis.opendocument.spreadsheet"
        case "odp": "application/vnd.oasis.opendocument.presentation"
        case "doc": "application/msword"
        case "xls": "application/vnd.ms-excel"
        case "ppt": "application/vnd.ms-powerpoint"
        case "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        case "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        case "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation"
        case "woff": "font/woff"
        case "woff2": "font/woff2"
        case "ttf": "font/ttf"
        case "otf": "font/otf"
        default: nil
        }
    }

    private static func archive(_ key: String) -> String? {
        switch key {
        case "zip": "application/zip"
        case "gz", "tgz": "application/gzip"
        case "bz2": "application/x-bzip2"
        case "xz": "application/x-xz"
        case "zst": "application/zstd"
        case "7z": "application/x-7z-compressed"
        case "tar": "application/x-tar"
        case "rar": "application/vnd.rar"
        case "apk": "application/vnd.android.package-archive"
        case "wasm": "application/wasm"
        default: nil
        }
    }
}
