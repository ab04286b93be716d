// Goal:   what people write with Python's HTTP clients works: streamed PUTs, a PUT that breaks off
//         and is gone on with, forms, chunks at the same time, ranges and validators.
// Method: one script for requests, httpx and aiohttp, against the built server; what was stored is
//         compared outside of it.

import Foundation
import Testing

@Suite struct `Python's` {
    /// Each library behind the same coroutine: method, URL, fields, content that may be a generator
    /// → status, fields, bytes.
    private static let script = """
        import asyncio, json, sys
        library, base, token, path, signed = sys.argv[1:6]
        data = open(path, "rb").read()
        bearer = {"Authorization": "Bearer " + token}
        if library == "requests":
            import requests
            session = requests.Session()
            def ask(method, url, headers, content, files):
                r = session.request(method, url, headers=headers, data=content, files=files)
                return r.status_code, r.headers, r.content
            async def call(method, url, headers={}, content=None, files=None):
                return await asyncio.to_thread(ask, method, url, headers, content, files)
            class Parts:
                def __init__(self, parts, length): self.parts, self.len = parts, length
                def read(self, _): return next(self.parts, b"")
            def stream(parts, length): return Parts(parts, length)
        elif library == "httpx":
            import httpx
            client = httpx.AsyncClient(timeout=60)
            async def call(method, url, headers={}, content=None, files=None):
                r = await client.request(
                    method, url, headers=headers, content=content, files=files)
                return r.status_code, r.headers, r.content
            async def stream(parts, length):
                for part in parts: yield part
        else:
            import aiohttp
            session = None
            async def call(method, url, headers={}, content=None, files=None):
                global session
                session = session or aiohttp.ClientSession()
                if files:
                    content = aiohttp.FormData()
                    for name, (filename, value, kind) in files.items():
                        content.add_field(name, value, filename=filename, content_type=kind)
                async with session.request(method, url, headers=headers, data=content) as r:
                    return r.status, r.headers, await r.read()
            async def stream(parts, length):
                for part in parts: yield part

        def pieces(start=0, end=None):
            end = len(data) if end is None else end
            for at in range(start, end, 100_000): yield data[at:min(at + 100_000, end)]

        class Cut(Exception): pass

        async def whole():
            length = {"Content-Length": str(len(data))}
            status, _, _ = await call("PUT", base + signed, length, stream(pieces(), len(data)))
            assert status == 201, status
            url = base + signed.split("?")[0]
            status, fields, got = await call("GET", url)
            assert status == 200 and got == data, status
            tag = fields["ETag"]
            status, _, got = await call("GET", url, {"If-None-Match": tag})
            assert status == 304 and got == b"", status
            status, fields, got = await call("GET", url, {"Range": "bytes=70000-1400000"})
            assert status == 206 and got == data[70000:1400001], status

        async def broken(target):
            length = {"Content-Length": str(len(data))}
            def cut():
                yield from pieces(0, 1_200_000)
                raise Cut
            try:
                await call("PUT", base + target, length, stream(cut(), len(data)))
                raise AssertionError("it was whole")
            except AssertionError: raise
            except Exception: pass
            for _ in range(200):
                status, fields, _ = await call("HEAD", base + target)
                if "Upload-Offset" in fields: break
                await asyncio.sleep(0.02)
            offset = int(fields["Upload-Offset"])
            assert 0 < offset <= 1_200_000, offset
            status, _, _ = await call(
                "PATCH", base + target,
                {"Upload-Offset": str(offset), "Upload-Complete": "?1",
                 "Content-Type": "application/partial-upload",
                 "Content-Length": str(len(data) - offset)}, 
                stream(pieces(offset), len(data) - offset))
            assert status == 201, status
            status, _, got = await call("GET", base + target.split("?")[0])
            assert status == 200 and got == data, status

        async def form():
            status, _, answer = await call(
                "POST", base + "/upload", bearer,
                files={"file": ("a b.bin", data, "application/x-own")})
            assert status == 200, (status, answer)
            told = json.loads(answer)
            assert told["success"] and told["size"] == len(data), told
            print("form", told["url"])

        async def chunks():
            status, _, answer = await call(
                "POST", base + "/chunked-upload",
                bearer | {"X-Filename": "c.bin", "X-Total-Size": str(len(data))})
            assert status == 201, (status, answer)
            told = json.loads(answer)
            size, session_id = told["chunk_size"], told["session_id"]
            async def send(number):
                part = data[number * size:(number + 1) * size]
                status, _, answer = await call(
                    "PUT", base + "/chunked-upload",
                    bearer | {"X-Upload-Session-ID": session_id, "X-Chunk-Number": str(number)},
                    part)
                assert status == 200, (status, answer)
                return json.loads(answer)["completed"]
            ended = await asyncio.gather(*map(send, reversed(range(told["total_chunks"]))))
            assert True in ended, ended
            status, _, answer = await call(
                "GET", base + "/upload-status?session_id=" + session_id, bearer)
            assert json.loads(answer)["missing"] == [], answer
            status, _, got = await call("GET", base + "/files/" + session_id, bearer)
            assert status == 200 and got == data, status

        async def main():
            await whole()
            await broken(sys.argv[6])
            await form()
            await chunks()
            if library == "aiohttp": await session.close()
            if library == "httpx": await client.aclose()
        asyncio.run(main())
        """

    @Test(arguments: ["requests", "httpx", "aiohttp"])
    func `clients bring all of it`(library: String) throws {
        guard let python = PythonClients.python else { return }
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let bytes = pattern(3_000_001, seed: 97)
        let file = try scratch.write(bytes, to: "file")
        let script = try scratch.write(Array(Self.script.utf8), to: "\(library).script.py")
        let names = [SharedServer.name("whole"), SharedServer.name("broken")]
        let (status, output) = try Programs.run(
            python,
            [script, library, server.url, RunningServer.adminToken, file]
                + names.map { Signing.v($0, bytes.count) },
            withinSeconds: 120)
        #expect(status == 0, "\(output)")
        for name in names { #expect(try server.get(name).body == bytes) }
    }
}
