// What fio is told, and what it answers.

import Foundation

/// A round of fio: the job that the cell asks for, and nothing that Millrace's side does not do.
struct FioJob: Equatable {
    let cell: EngineCell
    let path: String
    let fileBytes: Int
    let seconds: Double
    let seed: Int

    var arguments: [String] {
        [
            "--name=\(cell.name)", "--filename=\(path)", "--size=\(fileBytes)",
            "--rw=\(cell.direction == .read ? "randread" : "randwrite")",
            "--bs=\(cell.blockBytes)", "--iodepth=\(cell.depth)", "--ioengine=io_uring",
            "--fixedbufs=1", "--registerfiles=1", "--direct=1",
            // As Millrace does: all that is ready goes down, and comes up, in one call.
            "--iodepth_batch_submit=\(cell.depth)", "--iodepth_batch_complete_max=\(cell.depth)",
            // Work that Millrace's side does not do, either: a map of what was asked already, new
            // contents for every write, a clock read for every request.
            "--norandommap=1", "--scramble_buffers=0", "--gtod_reduce=1",
            "--randseed=\(seed)", "--thread=1", "--invalidate=0", "--allow_file_create=0",
            "--fallocate=none", "--disk_util=0", "--eta=never", "--output-format=json",
            "--time_based=1", "--runtime=\(Int((seconds * 1000).rounded()))ms",
        ]
    }
}

/// What fio says it did.
struct FioReport: Equatable {
    let requestCount: Int
    let seconds: Double
    /// CPU-seconds of the thread that ran the job, while it did.
    let cpu: Double

    /// Nil if `text` is no report on a job in `direction` that went well. What fio says before it,
    /// warnings for one, is passed over.
    init?(_ text: String, _ direction: EngineCell.Direction) {
        guard let start = text.range(of: "\n{") ?? text.range(of: "{"),
            let end = text.lastIndex(of: "}"), start.lowerBound < end,
            let output = try? JSONDecoder().decode(
                Output.self, from: Data(text[start.lowerBound...end].utf8)),
            let job = output.jobs.first, output.jobs.count == 1, job.error == 0
        else { return nil }
        let done = direction == .read ? job.read : job.write
        // Shares of the run time in per cent; fio takes both in whole milliseconds.
        let cpu = (job.usr_cpu + job.sys_cpu) / 100 * Double(job.job_runtime) / 1000
        guard done.total_ios > 0, done.runtime > 0, cpu > 0 else { return nil }
        (requestCount, seconds) = (done.total_ios, Double(done.runtime) / 1000)
        self.cpu = cpu
    }

    /// Under fio's own names.
    private struct Output: Decodable {
        let jobs: [Job]

        struct Job: Decodable {
            let error: Int
            let usr_cpu: Double
            let sys_cpu: Double
            let job_runtime: Int
            let read: Done
            let write: Done
        }

        struct Done: Decodable {
            let total_ios: Int
            let runtime: Int
        }
    }
}
