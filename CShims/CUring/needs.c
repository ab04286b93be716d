// Which operations of io_uring this program needs or can use, and which the kernel lacks.

#include "CUring.h"

#include <errno.h>
#include <liburing.h>

static const struct { uint8_t code; const char *name; } needed[] = {
    {IORING_OP_ACCEPT, "accept"}, {IORING_OP_RECV, "recv"}, {IORING_OP_SEND, "send"},
    {IORING_OP_SENDMSG, "sendmsg"},
    {IORING_OP_SPLICE, "splice"}, {IORING_OP_POLL_ADD, "poll"}, {IORING_OP_READ, "read"},
    {IORING_OP_WRITE, "write"}, {IORING_OP_READ_FIXED, "read fixed"},
    {IORING_OP_WRITE_FIXED, "write fixed"}, {IORING_OP_FSYNC, "fsync"},
    {IORING_OP_FALLOCATE, "fallocate"}, {IORING_OP_FADVISE, "fadvise"},
    {IORING_OP_OPENAT2, "openat2"}, {IORING_OP_CLOSE, "close"},
    {IORING_OP_TIMEOUT, "timeout"},
    {IORING_OP_ASYNC_CANCEL, "cancel"}, {IORING_OP_MSG_RING, "msg_ring"},
};

int curing_missing_operations(uint64_t *missing)
{
    struct io_uring_probe *probe = io_uring_get_probe();
    if (probe == NULL) return -ENOSYS;
    *missing = 0;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!io_uring_opcode_supported(probe, needed[i].code)) *missing |= 1ull << i;
    io_uring_free_probe(probe);
    return 0;
}

const char *curing_operation_name(uint32_t index)
{
    return index < sizeof needed / sizeof *needed ? needed[index].name : NULL;
}

bool curing_has_zero_copy(curing *ring)
{
    // Refused for its descriptor it was understood; else it is refused for its flag or operation.
    curing_send_zero_copy(ring, -1, NULL, 0, false, 0);
    struct io_uring_cqe answer;
    return curing_submit_and_wait(ring, 1, 0) >= 0 && curing_drain(ring, &answer, 1) == 1
        && answer.res == -EBADF;
}
