// What is done to sockets at once, without the ring: page-cached bytes to them, options, their end.

#define _GNU_SOURCE
#include "CUring.h"
#include "residency.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

int64_t curing_send_file(
    int socket, const void *head, size_t head_count, int file, uint64_t offset, size_t count,
    curing_residency test)
{
    const int resident =
        test == CURING_UNTESTED
            ? 1 : curing_is_resident(file, offset, count, test == CURING_READABLE);
    if (resident < 0) return resident;
    if (resident == 0) return -ENODATA;
    if (head_count > 0) {
        const ssize_t sent = send(socket, head, head_count, MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) return -errno;
        if ((size_t)sent < head_count) return sent;
    }
    off_t at = (off_t)offset;
    const ssize_t sent = sendfile(socket, file, &at, count);
    if (sent >= 0) return (int64_t)head_count + sent;
    return head_count > 0 ? (int64_t)head_count : -errno;
}

int curing_cork(int socket, bool is_on)
{
    const int on = is_on;
    return setsockopt(socket, SOL_TCP, TCP_CORK, &on, sizeof on) < 0 ? -errno : 0;
}

int32_t curing_incoming_queue(int socket)
{
    uint32_t queue = 0;
    socklen_t size = sizeof queue;
    if (getsockopt(socket, SOL_SOCKET, SO_INCOMING_NAPI_ID, &queue, &size) < 0) return -errno;
    return (int32_t)queue;
}

int32_t curing_peer_address(int socket, void *target, uint32_t count)
{
    socklen_t size = count;
    if (getpeername(socket, target, &size) < 0) return -errno;
    return (int32_t)size;
}

int32_t curing_reset_on_close(int socket)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof none) < 0 ? -errno : 0;
}

int32_t curing_link_info(int socket, void *target, uint32_t count)
{
    socklen_t size = count;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, target, &size) < 0) return -errno;
    return (int32_t)size;
}

int32_t curing_limit_unsent(int socket, uint32_t count)
{
    const int result =
        setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &count, sizeof count);
    return result < 0 ? -errno : 0;
}

int32_t curing_limit_rate(int socket, uint64_t bytes_per_second)
{
    const int result = setsockopt(
        socket, SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_second, sizeof bytes_per_second);
    return result < 0 ? -errno : 0;
}

int32_t curing_control_congestion(int socket, const char *name)
{
    const int result =
        setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
    return result < 0 ? -errno : 0;
}

int32_t curing_send_pipe(int pipe, int socket, uint32_t count)
{
    const unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE;
    const ssize_t sent = splice(pipe, NULL, socket, NULL, count, flags);
    return sent < 0 ? -errno : (int32_t)sent;
}

int32_t curing_shutdown(int socket, bool both)
{
    return shutdown(socket, both ? SHUT_RDWR : SHUT_WR) < 0 ? -errno : 0;
}
