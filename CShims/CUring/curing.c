// The ring's life and its operations; each operation is liburing's own helper plus a token.

#define _GNU_SOURCE
#include "CUring.h"

// The other side of the queues is the kernel, and liburing unmaps them unseen: what a thread
// sanitizer believes of them is wrong. Misuse by a second thread the kernel refuses itself.
#pragma clang attribute push(__attribute__((no_sanitize("thread"))), apply_to = function)

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/// Two parts of one message.
struct message {
    struct msghdr head;
    struct iovec parts[2];
};

/// What one write gathers.
struct parts { struct iovec of[CURING_PARTS_MAX]; };

/// Linux 6.15; newer than Debian 12's headers.
enum { WRITEV_FIXED = 61 };

struct curing {
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    uint8_t *buffer_base;
    uint32_t buffer_count, buffer_size;
    bool has_registered_memory, writes_registered_parts;
    /// /dev/null, or a negated errno.
    int sink;
    /// Read by the kernel when the entry is submitted, so one per entry is enough.
    struct __kernel_timespec *times;
    struct message *messages;
    struct open_how *hows;
    struct parts *parts;
};

/// A completion queue this many times the submission queue: multishot requests answer often.
enum { COMPLETIONS_PER_ENTRY = 8 };

int curing_open(uint32_t entries, curing **out, curing_facts *facts)
{
    curing *ring = calloc(1, sizeof *ring);
    if (ring == NULL) return -ENOMEM;
    const unsigned base = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    const unsigned choices[] = {
        base | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        base | IORING_SETUP_COOP_TASKRUN,
    };
    struct io_uring_params params;
    int status = -EINVAL;
    for (size_t i = 0; i < 2 && status == -EINVAL; i++) {
        memset(&params, 0, sizeof params);
        params.flags = choices[i];
        params.cq_entries = entries * COMPLETIONS_PER_ENTRY;
        status = io_uring_queue_init_params(entries, &ring->ring, &params);
    }
    if (status < 0) {
        free(ring);
        return status;
    }
    // Saves the file look-up of every enter; without it everything works the same.
    (void)io_uring_register_ring_fd(&ring->ring);
    ring->times = calloc(params.sq_entries, sizeof *ring->times);
    ring->hows = calloc(params.sq_entries, sizeof *ring->hows);
    ring->messages = calloc(params.sq_entries, sizeof *ring->messages);
    ring->parts = calloc(params.sq_entries, sizeof *ring->parts);
    if (ring->times == NULL || ring->hows == NULL || ring->messages == NULL
        || ring->parts == NULL) {
        curing_close(ring);
        return -ENOMEM;
    }
    struct io_uring_probe *probe = io_uring_get_probe_ring(&ring->ring);
    ring->writes_registered_parts =
        probe != NULL && io_uring_opcode_supported(probe, WRITEV_FIXED);
    io_uring_free_probe(probe);
    ring->sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (ring->sink < 0) ring->sink = -errno;
    *facts = (curing_facts){
        .submission_entries = params.sq_entries,
        .completion_entries = params.cq_entries,
        .setup_flags = params.flags,
        .features = params.features,
        .descriptor = ring->ring.ring_fd,
    };
    *out = ring;
    return 0;
}

void curing_close(curing *ring)
{
    io_uring_queue_exit(&ring->ring);
    if (ring->buffers != NULL)
        munmap(ring->buffers, ring->buffer_count * sizeof(struct io_uring_buf));
    if (ring->sink > 0) close(ring->sink);
    free(ring->times);
    free(ring->messages);
    free(ring->hows);
    free(ring->parts);
    free(ring);
}

int curing_register_memory(curing *ring, void *base, size_t count)
{
    const struct iovec memory = {.iov_base = base, .iov_len = count};
    const int status = io_uring_register_buffers(&ring->ring, &memory, 1);
    ring->has_registered_memory = status == 0;
    return status;
}

int curing_limit_workers_to_cpu(curing *ring, uint32_t cpu)
{
    cpu_set_t set;
    // The kernel would take a mask without any CPU of this machine.
    if (cpu >= CPU_SETSIZE || cpu >= (uint32_t)get_nprocs_conf()) return -EINVAL;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return io_uring_register_iowq_aff(&ring->ring, sizeof set, &set);
}

int curing_provide_buffers(
    curing *ring, uint16_t group, void *base, uint32_t buffer_count, uint32_t buffer_size)
{
    const size_t size = buffer_count * sizeof(struct io_uring_buf);
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (memory == MAP_FAILED) return -errno;
    struct io_uring_buf_reg registration = {
        .ring_addr = (uint64_t)(uintptr_t)memory, .ring_entries = buffer_count, .bgid = group};
    const int status = io_uring_register_buf_ring(&ring->ring, &registration, 0);
    if (status < 0) {
        munmap(memory, size);
        return status;
    }
    ring->buffers = memory;
    ring->buffer_base = base;
    ring->buffer_count = buffer_count;
    ring->buffer_size = buffer_size;
    for (uint32_t i = 0; i < buffer_count; i++) curing_give_back_buffer(ring, (uint16_t)i);
    return 0;
}

void curing_give_back_buffer(curing *ring, uint16_t buffer)
{
    io_uring_buf_ring_add(
        ring->buffers, ring->buffer_base + (size_t)buffer * ring->buffer_size,
        ring->buffer_size, buffer, io_uring_buf_ring_mask(ring->buffer_count), 0);
    io_uring_buf_ring_advance(ring->buffers, 1);
}

int curing_submit_and_wait(curing *ring, uint32_t wait_count, uint64_t nanoseconds)
{
    // Without asking for events, deferred work (DEFER_TASKRUN) would wait for the next sleep.
    if (wait_count == 0) return io_uring_submit_and_get_events(&ring->ring);
    if (nanoseconds == 0) return io_uring_submit_and_wait(&ring->ring, wait_count);
    struct __kernel_timespec limit = {
        .tv_sec = (int64_t)(nanoseconds / 1000000000u),
        .tv_nsec = (long long)(nanoseconds % 1000000000u)};
    struct io_uring_cqe *first;
    return io_uring_submit_and_wait_timeout(&ring->ring, &first, wait_count, &limit, NULL);
}

uint32_t curing_drain(curing *ring, struct io_uring_cqe *out, uint32_t limit)
{
    unsigned head;
    uint32_t count = 0;
    struct io_uring_cqe *entry;
    io_uring_for_each_cqe(&ring->ring, head, entry)
    {
        if (count == limit) break;
        out[count++] = *entry;
    }
    io_uring_cq_advance(&ring->ring, count);
    return count;
}

/// Never NULL: a full queue is handed to the kernel first, which takes all of it (SUBMIT_ALL).
static struct io_uring_sqe *next_entry(curing *ring, uint64_t token)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->ring);
    while (entry == NULL) {
        io_uring_submit(&ring->ring);
        entry = io_uring_get_sqe(&ring->ring);
    }
    entry->user_data = token;
    return entry;
}

// liburing's helpers leave user_data alone, so the token may be set before them.
#define ENTRY struct io_uring_sqe *entry = next_entry(ring, token)

void curing_nop(curing *ring, uint64_t token)
{
    ENTRY;
    io_uring_prep_nop(entry);
}

void curing_accept(curing *ring, int listener, uint64_t token)
{
    ENTRY;
    // Non-blocking for sendfile's sake; ring operations wait all the same.
    io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void curing_receive(curing *ring, int socket, uint16_t group, bool once, uint64_t token)
{
    ENTRY;
    if (once)
        io_uring_prep_recv(entry, socket, NULL, 0, 0);
    else
        io_uring_prep_recv_multishot(entry, socket, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = group;
}

void curing_receive_into(
    curing *ring, int socket, void *target, size_t count, bool whole, uint64_t token)
{
    ENTRY;
    const int flags = target == NULL ? MSG_TRUNC : whole ? MSG_WAITALL : 0;
    io_uring_prep_recv(entry, socket, target, count, flags);
}

void curing_send(
    curing *ring, int socket, const void *source, size_t count, bool more, uint64_t token)
{
    ENTRY;
    const int flags = MSG_WAITALL | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    io_uring_prep_send(entry, socket, source, count, flags);
}

void curing_send_zero_copy(
    curing *ring, int socket, const void *source, size_t count, bool more, uint64_t token)
{
    ENTRY;
    const int flags = MSG_WAITALL | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    const unsigned report = IORING_SEND_ZC_REPORT_USAGE;
    if (ring->has_registered_memory)
        io_uring_prep_send_zc_fixed(entry, socket, source, count, flags, report, 0);
    else
        io_uring_prep_send_zc(entry, socket, source, count, flags, report);
}

void curing_send_pair(
    curing *ring, int socket, const void *first, size_t first_count, const void *second,
    size_t second_count, uint64_t token)
{
    ENTRY;
    struct message *message = &ring->messages[entry - ring->ring.sq.sqes];
    message->parts[0] = (struct iovec){.iov_base = (void *)first, .iov_len = first_count};
    message->parts[1] = (struct iovec){.iov_base = (void *)second, .iov_len = second_count};
    message->head = (struct msghdr){.msg_iov = message->parts, .msg_iovlen = 2};
    io_uring_prep_sendmsg(entry, socket, &message->head, MSG_WAITALL | MSG_NOSIGNAL);
}

void curing_splice(
    curing *ring, int source, int64_t source_offset, int target, int64_t target_offset,
    uint32_t count, uint64_t token)
{
    ENTRY;
    io_uring_prep_splice(
        entry, source, source_offset, target, target_offset, count, SPLICE_F_MOVE);
}

int32_t curing_open_pipe(uint32_t count, void *ends)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) < 0) return -errno;
    memcpy(ends, pair, sizeof pair);
    const int granted = fcntl(pair[1], F_SETPIPE_SZ, (int)count);
    // Without the size that was asked for, it works in smaller steps.
    return granted > 0 ? granted : fcntl(pair[1], F_GETPIPE_SZ);
}

int32_t curing_discard(curing *ring, int pipe, uint32_t count)
{
    if (ring->sink < 0) return ring->sink;
    const ssize_t dropped = splice(pipe, NULL, ring->sink, NULL, count, SPLICE_F_NONBLOCK);
    return dropped < 0 ? -errno : (int32_t)dropped;
}

void curing_poll(curing *ring, int descriptor, bool readable, uint64_t token)
{
    ENTRY;
    io_uring_prep_poll_add(entry, descriptor, readable ? POLLIN | POLLRDHUP : POLLOUT);
}

void curing_read(
    curing *ring, int file, void *target, uint32_t count, uint64_t offset, uint64_t token)
{
    ENTRY;
    if (ring->has_registered_memory)
        io_uring_prep_read_fixed(entry, file, target, count, offset, 0);
    else
        io_uring_prep_read(entry, file, target, count, offset);
}

void curing_write(
    curing *ring, int file, const void *source, uint32_t count, uint64_t offset, uint64_t token)
{
    ENTRY;
    if (ring->has_registered_memory)
        io_uring_prep_write_fixed(entry, file, source, count, offset, 0);
    else
        io_uring_prep_write(entry, file, source, count, offset);
}

bool curing_gathers(const curing *ring)
{
    return !ring->has_registered_memory || ring->writes_registered_parts;
}

void curing_write_parts(
    curing *ring, int file, const void *base, const curing_region *parts, uint32_t count,
    uint64_t offset, uint64_t token)
{
    ENTRY;
    struct iovec *vector = ring->parts[entry - ring->ring.sq.sqes].of;
    for (uint32_t i = 0; i < count; i++) {
        vector[i].iov_base = (char *)base + parts[i].offset;
        vector[i].iov_len = parts[i].count;
    }
    io_uring_prep_writev(entry, file, vector, count, offset);
    if (ring->has_registered_memory) entry->opcode = WRITEV_FIXED;
}

void curing_sync(curing *ring, int file, uint64_t token)
{
    ENTRY;
    io_uring_prep_fsync(entry, file, IORING_FSYNC_DATASYNC);
}

void curing_allocate(
    curing *ring, int file, uint64_t offset, uint64_t count, uint64_t token)
{
    ENTRY;
    io_uring_prep_fallocate(entry, file, 0, (off_t)offset, (off_t)count);
}

void curing_drop_cached(
    curing *ring, int file, uint64_t offset, uint32_t count, uint64_t token)
{
    ENTRY;
    io_uring_prep_fadvise(entry, file, offset, (off_t)count, POSIX_FADV_DONTNEED);
}

void curing_open_at(
    curing *ring, int directory, const char *path, uint64_t flags, uint64_t mode,
    uint64_t token)
{
    ENTRY;
    struct open_how *how = &ring->hows[entry - ring->ring.sq.sqes];
    // RESOLVE_BENEATH 0x08, RESOLVE_NO_MAGICLINKS 0x02: <linux/openat2.h>, Linux 5.6.
    *how = (struct open_how){.flags = flags | O_CLOEXEC, .mode = mode, .resolve = 0x08 | 0x02};
    io_uring_prep_openat2(entry, directory, path, how);
}

void curing_close_descriptor(curing *ring, int descriptor, uint64_t token)
{
    ENTRY;
    io_uring_prep_close(entry, descriptor);
}

void curing_timeout(curing *ring, uint64_t nanoseconds, uint64_t token)
{
    ENTRY;
    struct __kernel_timespec *time = &ring->times[entry - ring->ring.sq.sqes];
    time->tv_sec = (int64_t)(nanoseconds / 1000000000u);
    time->tv_nsec = (long long)(nanoseconds % 1000000000u);
    io_uring_prep_timeout(entry, time, 0, 0);
}

void curing_cancel(curing *ring, uint64_t target, uint64_t token)
{
    ENTRY;
    io_uring_prep_cancel64(entry, target, 0);
}

void curing_message(curing *ring, int target_ring, uint64_t message, uint64_t token)
{
    ENTRY;
    io_uring_prep_msg_ring(entry, target_ring, 0, message, 0);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

#pragma clang attribute pop
