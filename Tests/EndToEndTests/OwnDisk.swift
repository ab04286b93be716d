// A small file system in a loop device, to be filled or frozen. Nobody else sees it, and nothing of
// it is left behind: it is mounted in a namespace of its own, which ends with the process that
// holds it, and that one ends, and thaws what is frozen, with the test.

import Foundation
import Glibc
import Testing

final class OwnDisk {
    private let holder: ChildProcess
    private var isFrozen = false

    /// Nil, and said so, where no such thing can be had.
    init?(_ scratch: ScratchDirectory, megabytes: Int) throws {
        let output = scratch.path + "/disk.log"
        let script =
            "truncate -s \(megabytes)M \"$0\" && mkfs.ext4 -q -F \"$0\""
            + " && mount -o loop \"$0\" /mnt && echo mounted"
            + " && while kill -0 $PPID 2> /dev/null; do sleep 0.2; done; fsfreeze -u /mnt"
        holder = try ChildProcess(
            "unshare", ["-m", "sh", "-c", script, scratch.path + "/image"], output: output)
        let holder = holder
        let isMounted = eventually(withinSeconds: 30) {
            RunningServer.text(output).contains("mounted") || holder.exitStatus != nil
        }
        guard isMounted, holder.exitStatus == nil else {
            print("SKIPPED: no loop device can be mounted here: \(RunningServer.text(output))")
            return nil
        }
    }

    deinit { thaw() }

    /// As processes outside of the namespace reach it.
    var path: String { "/proc/\(holder.identifier)/root" + "/mnt" }

    /// Whoever writes to it waits from now on.
    func freeze() throws {
        let (status, output) = try Programs.run("fsfreeze", ["-f", path])
        guard status == 0 else { throw Problem("cannot freeze: \(output)") }
        isFrozen = true
    }

    func thaw() {
        guard isFrozen else { return }
        isFrozen = false
        _ = try? Programs.run("fsfreeze", ["-u", path])
    }

    /// Leaves not a block to others.
    func fill() throws {
        let script =
            "n=4096; while [ $n -gt 0 ]; do fallocate -l ${n}M \"$0/fill$n\" 2> /dev/null"
            + " || rm -f \"$0/fill$n\"; n=$((n / 2)); done; cat /dev/zero > \"$0/fill\"; true"
        _ = try Programs.run("sh", ["-c", script, path])
    }

    func makeRoom() throws { _ = try Programs.run("sh", ["-c", "rm \"$0\"/fill*", path]) }
}
