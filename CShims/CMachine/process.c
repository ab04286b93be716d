// A server process's surroundings: listening sockets, its lock, its directory, its signals.

#define _GNU_SOURCE
#include "CMachine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} endpoint;

static socklen_t endpoint_make(endpoint *out, const uint8_t *address, int is_v6, uint16_t port)
{
    memset(out, 0, sizeof *out);
    if (is_v6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        memcpy(&out->v6.sin6_addr, address, 16);
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(port);
    memcpy(&out->v4.sin_addr, address, 4);
    return sizeof out->v4;
}

static int set_option(int socket, int level, int name)
{
    const int one = 1;
    return setsockopt(socket, level, name, &one, sizeof one) < 0 ? -errno : 0;
}

static int open_bound(const endpoint *where, socklen_t length, int shares_port)
{
    const int family = where->any.sa_family;
    const int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return -errno;
    int status = set_option(listener, SOL_SOCKET, SO_REUSEADDR);
    if (status == 0 && shares_port) status = set_option(listener, SOL_SOCKET, SO_REUSEPORT);
    if (status == 0) status = set_option(listener, IPPROTO_TCP, TCP_NODELAY);
    if (status == 0 && family == AF_INET6) status = set_option(listener, IPPROTO_IPV6, IPV6_V6ONLY);
    if (status == 0 && bind(listener, &where->any, length) < 0) status = -errno;
    if (status == 0) return listener;
    close(listener);
    return status;
}

int cmachine_listen(
    const uint8_t *address, int is_v6, uint16_t port, int is_first, uint16_t *bound_port)
{
    endpoint where;
    socklen_t length = endpoint_make(&where, address, is_v6, port);
    if (is_first && port != 0) {
        // SO_REUSEPORT would quietly share the port with another server of the same user.
        const int probe = open_bound(&where, length, 0);
        if (probe < 0) return probe;
        close(probe);
    }
    const int listener = open_bound(&where, length, 1);
    if (listener < 0) return listener;
    if (listen(listener, BACKLOG) < 0 || getsockname(listener, &where.any, &length) < 0) {
        const int status = -errno;
        close(listener);
        return status;
    }
    *bound_port = ntohs(is_v6 ? where.v6.sin6_port : where.v4.sin_port);
    return listener;
}

_Static_assert(
    sizeof(cmachine_instruction) == sizeof(struct sock_filter)
        && offsetof(cmachine_instruction, constant) == offsetof(struct sock_filter, k),
    "the kernel reads these as its own");

int cmachine_steer(int listener, const cmachine_instruction *program, size_t count)
{
    if (count > BPF_MAXINSNS) return -EINVAL;
    const struct sock_fprog filter = {
        .len = (unsigned short)count,
        .filter = (struct sock_filter *)program, // It is only read.
    };
    const int status = setsockopt(
        listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter);
    return status < 0 ? -errno : 0;
}

int cmachine_lock_file(const char *path)
{
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return -errno;
    if (flock(file, LOCK_EX | LOCK_NB) == 0) return file;
    const int status = -errno;
    close(file);
    return status;
}

int cmachine_open_directory(const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST) return -errno;
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0 ? -errno : directory;
}

int cmachine_try_direct_access(const char *path)
{
    const int file =
        open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC | O_NOFOLLOW, 0600);
    const int status = file < 0 ? -errno : 0;
    if (file >= 0) close(file);
    // A refused O_DIRECT may leave the file that O_CREAT has made.
    if (unlink(path) < 0 && errno != ENOENT && status == 0) return -errno;
    return status;
}

int64_t cmachine_bytes_in_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) return -errno;
    int64_t bytes = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        struct stat facts;
        if (fstatat(dirfd(directory), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) < 0) continue;
        if (S_ISREG(facts.st_mode)) bytes += (int64_t)facts.st_blocks * 512;
    }
    closedir(directory);
    return bytes;
}

static void fill_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

int cmachine_prepare_signals(void)
{
    sigset_t set;
    fill_signals(&set);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return -errno;
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cmachine_wait_for_signal(void)
{
    sigset_t set;
    fill_signals(&set);
    int number = 0;
    const int status = sigwait(&set, &number);
    return status == 0 ? number : -status;
}
