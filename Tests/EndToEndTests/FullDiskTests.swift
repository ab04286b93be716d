// Goal:   a disk that is full, though the store might grow, costs nobody what is stored, and what
//         is deleted makes room again.
// Method: a file system of its own, filled by somebody else.

import Testing

@Suite struct `A disk that is full` {
    private static let size = 6 << 20

    @Test func `refuses uploads with 507, serves the others, and takes what there is room for`()
        throws
    {
        let scratch = try ScratchDirectory()
        guard let disk = try OwnDisk(scratch, megabytes: 768) else { return }
        let server = try RunningServer(in: scratch, data: disk.path + "/data")
        let (small, large) = (pattern(5000, seed: 1), pattern(Self.size, seed: 2))
        #expect(try server.put("small", small).status == 201)
        #expect(try server.put("large-0", large).status == 201)
        try disk.fill()

        var (count, status) = (1, 201)
        while status == 201, count < 200 {
            status = try server.put("large-\(count)", large).status
            if status == 201 { count += 1 }
        }
        #expect(status == 507)
        func expectAll(of server: RunningServer, from first: Int) throws {
            let isSmallThere = try server.get("small").body == small
            #expect(isSmallThere)
            for index in Set([first, count / 2, count - 1]) {
                let isThere = try server.get("large-\(index)").body == large
                #expect(isThere, "large-\(index) of \(count)")
            }
        }
        try expectAll(of: server, from: 0)

        #expect(try server.delete("large-0").status == 204)
        let hasRoom = try eventually(withinSeconds: 20) {
            try server.put("new", large).status == 201
        }
        #expect(hasRoom)
        let isNewThere = try server.get("new").body == large
        #expect(isNewThere)
        try disk.makeRoom()
        #expect(try server.put("more", large).status == 201)
        #expect(server.stop() == 0)
        let again = try RunningServer(in: scratch, data: disk.path + "/data")
        try expectAll(of: again, from: 1)
        #expect(again.stop() == 0)
    }
}
