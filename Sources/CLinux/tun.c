#define _GNU_SOURCE
#include "CLinuxTun.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// A device that solicits routers would put frames on the link that nobody sent.
static void disable_ipv6(const char *name) {
    char path[96];
    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    // A kernel without IPv6 has no such file.
    if (file < 0) return;
    ssize_t written = write(file, "1", 1);
    (void)written;
    close(file);
}

static int set_queue(const char *name, int queue) {
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0) return -errno;
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_qlen = queue;
    int result = ioctl(control, SIOCSIFTXQLEN, &request) < 0 ? -errno : 0;
    close(control);
    return result;
}

int clinux_tap_open(const char *name, int queue, const char **failed_step) {
    *failed_step = "open /dev/net/tun";
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap < 0) return -errno;
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    *failed_step = "make the TAP device";
    int result = ioctl(tap, TUNSETIFF, &request) < 0 ? -errno : 0;
    if (result == 0) {
        *failed_step = "set the TAP device's queue";
        result = set_queue(name, queue);
    }
    if (result < 0) {
        close(tap);
        return result;
    }
    disable_ipv6(name);
    *failed_step = "";
    return tap;
}

ssize_t clinux_tap_read(int tap, void *bytes, size_t room, void *rest, size_t rest_room) {
    struct iovec parts[2] = {{bytes, room}, {rest, rest_room}};
    ssize_t count = readv(tap, parts, 2);
    return count < 0 ? -errno : count;
}

int clinux_interface_counts(const char *name, struct clinux_interface_counts *counts) {
    // Of this thread: another one of the process may visit another namespace.
    FILE *table = fopen("/proc/thread-self/net/dev", "re");
    if (!table) return -errno;
    int result = -ENODEV;
    char line[512];
    while (result != 0 && fgets(line, sizeof line, table)) {
        char *colon = strrchr(line, ':');
        if (!colon) continue;
        *colon = 0;
        if (strcmp(line + strspn(line, " "), name) != 0) continue;
        // Eight columns of what was received, then bytes, packets, errors and drops of what was sent.
        const char *columns =
            "%*s %" SCNd64 " %*s %*s %*s %*s %*s %*s %*s %" SCNd64 " %*s %" SCNd64;
        int found =
            sscanf(colon + 1, columns, &counts->received, &counts->sent, &counts->not_sent);
        result = found == 3 ? 0 : -EPROTO;
    }
    fclose(table);
    return result;
}

int64_t clinux_process_cpu_ns(pid_t pid) {
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);
    if (error) return -error;
    struct timespec used;
    if (clock_gettime(clock, &used) < 0) return -errno;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

int clinux_output_socket(const char *interface) {
    unsigned index = if_nametoindex(interface);
    if (index == 0) return -errno;
    // Protocol 0: it receives nothing.
    int output = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (output < 0) return -errno;
    int on = 1;
    int room = 8 << 20;
    struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_ifindex = (int)index};
    if (setsockopt(output, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) < 0 ||
        (setsockopt(output, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0 &&
         setsockopt(output, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) < 0) ||
        bind(output, (struct sockaddr *)&place, sizeof place) < 0) {
        int error = errno;
        close(output);
        return -error;
    }
    return output;
}

int clinux_send_frames(int socket, const struct clinux_frame *frames, size_t count) {
    struct iovec parts[clinux_frame_batch];
    struct mmsghdr messages[clinux_frame_batch];
    if (count > clinux_frame_batch) count = clinux_frame_batch;
    memset(messages, 0, count * sizeof messages[0]);
    for (size_t i = 0; i < count; i++) {
        parts[i].iov_base = (void *)frames[i].bytes;
        parts[i].iov_len = frames[i].count;
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int sent = sendmmsg(socket, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

void clinux_stay_in_memory(void) {
    // Not MCL_FUTURE: where memory may be locked up to a limit, an allocation past it would fail.
    mlockall(MCL_CURRENT | MCL_ONFAULT);
}
