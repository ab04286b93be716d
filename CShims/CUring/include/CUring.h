// CUring: io_uring as Swift needs it: one plain function an operation, one to submit and sleep,
// one to drain. liburing itself is used in curing.c only, because its header redefines what
// Swift's C library module already holds.

#ifndef CURING_H
#define CURING_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(sizeof(struct io_uring_cqe) == 16, "Ring.swift assumes 16-byte completions");

/// One ring with its provided-buffer group; owned by one thread.
typedef struct curing curing;

/// What a ring was given and what the kernel granted.
typedef struct {
    uint32_t submission_entries;
    uint32_t completion_entries;
    /// Setup flags that the kernel took, IORING_SETUP_*.
    uint32_t setup_flags;
    uint32_t features;
    int descriptor;
} curing_facts;

/// All functions answer 0 or a count, or a negated errno.
int curing_open(uint32_t entries, curing **out, curing_facts *facts);
void curing_close(curing *ring);
int curing_register_memory(curing *ring, void *base, size_t count);
int curing_limit_workers_to_cpu(curing *ring, uint32_t cpu);
int curing_provide_buffers(
    curing *ring, uint16_t group, void *base, uint32_t buffer_count, uint32_t buffer_size);
void curing_give_back_buffer(curing *ring, uint16_t buffer);

/// Submits what is queued and sleeps until `wait_count` completions are there or `nanoseconds`
/// have passed (0: no limit).
int curing_submit_and_wait(curing *ring, uint32_t wait_count, uint64_t nanoseconds);
/// Copies up to `limit` completions out of the ring and frees their slots. Returns the count.
uint32_t curing_drain(curing *ring, struct io_uring_cqe *out, uint32_t limit);

/// Up to `count` bytes of a pipe to a socket that does not block, at once: -EAGAIN if it is full.
int32_t curing_send_pipe(int pipe, int socket, uint32_t count);

void curing_nop(curing *ring, uint64_t token);
void curing_accept(curing *ring, int listener, uint64_t token);
void curing_receive(curing *ring, int socket, uint16_t group, bool once, uint64_t token);
/// Without a target what comes is dropped (MSG_TRUNC), and `whole` does not count: dropping does
/// not move the iterator with which the kernel tries again (seen on 6.18), so that it would wait
/// for as much once more.
void curing_receive_into(
    curing *ring, int socket, void *target, size_t count, bool whole, uint64_t token);
void curing_send(
    curing *ring, int socket, const void *source, size_t count, bool more, uint64_t token);
/// With registered memory its pages are pinned already. A second completion with
/// IORING_CQE_F_NOTIF follows, whose result has IORING_NOTIF_USAGE_ZC_COPIED or not.
void curing_send_zero_copy(
    curing *ring, int socket, const void *source, size_t count, bool more, uint64_t token);
/// Both, one behind the other, in one message.
void curing_send_pair(
    curing *ring, int socket, const void *first, size_t first_count, const void *second,
    size_t second_count, uint64_t token);
void curing_splice(
    curing *ring, int source, int64_t source_offset, int target, int64_t target_offset,
    uint32_t count, uint64_t token);
/// At once: puts two descriptors at `ends`, which need not be aligned. How many bytes the pipe
/// holds, or a negated errno.
int32_t curing_open_pipe(uint32_t count, void *ends);
/// At once: a count or a negated errno.
int32_t curing_discard(curing *ring, int pipe, uint32_t count);
void curing_poll(curing *ring, int descriptor, bool readable, uint64_t token);
/// With registered memory these use it (READ_FIXED, WRITE_FIXED), else plain READ and WRITE.
void curing_read(
    curing *ring, int file, void *target, uint32_t count, uint64_t offset, uint64_t token);
void curing_write(
    curing *ring, int file, const void *source, uint32_t count, uint64_t offset, uint64_t token);
/// A range of the memory that a ring's owner has.
typedef struct { uint32_t offset, count; } curing_region;
enum { CURING_PARTS_MAX = 16 };
/// Whether several regions can be written at once: with registered memory from Linux 6.15 on.
bool curing_gathers(const curing *ring);
/// `count` regions of what begins at `base`, one behind the other in the file; at most
/// CURING_PARTS_MAX.
void curing_write_parts(
    curing *ring, int file, const void *base, const curing_region *parts, uint32_t count,
    uint64_t offset, uint64_t token);
void curing_sync(curing *ring, int file, uint64_t token);
void curing_allocate(
    curing *ring, int file, uint64_t offset, uint64_t count, uint64_t token);
void curing_drop_cached(
    curing *ring, int file, uint64_t offset, uint32_t count, uint64_t token);
/// RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS: a path cannot leave `directory`.
void curing_open_at(
    curing *ring, int directory, const char *path, uint64_t flags, uint64_t mode,
    uint64_t token);
void curing_close_descriptor(curing *ring, int descriptor, uint64_t token);
/// At once, not through the ring: the kernel looks up the descriptor of a queued shutdown in a
/// worker, when the number may belong to another socket already. 0 or a negated errno.
int32_t curing_shutdown(int socket, bool both);
void curing_timeout(curing *ring, uint64_t nanoseconds, uint64_t token);
void curing_cancel(curing *ring, uint64_t target, uint64_t token);
void curing_message(curing *ring, int target_ring, uint64_t message, uint64_t token);

/// SO_INCOMING_NAPI_ID, at once; a negated errno where the kernel has none.
int32_t curing_incoming_queue(int socket);
/// getpeername(2), at once: at most `count` bytes of the address; its whole length, or a negated
/// errno.
int32_t curing_peer_address(int socket, void *target, uint32_t count);
/// SO_LINGER of 0, at once.
int32_t curing_reset_on_close(int socket);

/// TCP_INFO, at once: how many bytes of it the kernel put at `target`.
int32_t curing_link_info(int socket, void *target, uint32_t count);
/// TCP_NOTSENT_LOWAT, at once; 0: what the system has.
int32_t curing_limit_unsent(int socket, uint32_t count);
/// SO_MAX_PACING_RATE, at once; UINT64_MAX: none.
int32_t curing_limit_rate(int socket, uint64_t bytes_per_second);
/// TCP_CONGESTION, at once.
int32_t curing_control_congestion(int socket, const char *name);

/// What is asked of the page cache before bytes leave it: nothing; that it has the pages; that it
/// has their bytes, too (residency.h).
typedef enum { CURING_UNTESTED, CURING_CACHED, CURING_READABLE } curing_residency;

/// `head`, if there is one, and sendfile(2) behind it, at once: -ENODATA if the range fails the
/// test, -EAGAIN if the socket is full; once any of the head is sent, the count of both.
int64_t curing_send_file(
    int socket, const void *head, size_t head_count, int file, uint64_t offset, size_t count,
    curing_residency test);

/// TCP_CORK, at once.
int curing_cork(int socket, bool is_on);

/// The file's size in 4 KiB blocks, at once.
int32_t curing_block_count(int file);

/// Processor time of the calling thread: microseconds modulo 2³⁰.
int32_t curing_thread_time(void);

/// Which operations this kernel lacks, as a bit set in the order of `curing_operation_name`.
int curing_missing_operations(uint64_t *missing);
const char *curing_operation_name(uint32_t index);

/// Whether this kernel sends without a copy and reports what it copied all the same: from Linux 6.2
/// on, and some before (Debian's 6.1).
bool curing_has_zero_copy(curing *ring);

#endif
