#define _GNU_SOURCE
#include "CLinuxProbe.h"

#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { most_frames = 16 };

static uint32_t word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int open_socket(const char *interface, size_t offset, const uint8_t magic[8]) {
    unsigned index = if_nametoindex(interface);
    if (index == 0) return -errno;
    // Protocol 0 receives nothing until it is bound: no frame passes before the filter is there.
    int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word(magic), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word(magic + 4), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 65535),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    // Not ETH_P_ALL: an ifb marks what it lets go as not to be classified again, and the receiving device then passes it
    // by all sockets of that kind (__netif_receive_skb_core: skip_classify). Every frame of a probe is IPv4.
    struct sockaddr_ll place = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)index};
    int on = 1;
    int room = 1 << 20;
    if (setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
        setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ||
        setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
        bind(descriptor, (struct sockaddr *)&place, sizeof place) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    // More than the default where it is allowed.
    (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    return descriptor;
}

int clinux_probe_socket(
    int network_namespace, const char *interface, size_t offset, const uint8_t magic[8],
    uint8_t address[6]) {
    int home = clinux_netns_current();
    if (home < 0) return home;
    int result;
    if (setns(network_namespace, CLONE_NEWNET) < 0) {
        result = -errno;
    } else {
        result = open_socket(interface, offset, magic);
        int error = result < 0 ? result : clinux_hardware_address(interface, address);
        if (result >= 0 && error < 0) {
            close(result);
            result = error;
        }
        // In a host's namespace, whatever comes next would happen there.
        if (setns(home, CLONE_NEWNET) < 0) abort();
    }
    close(home);
    return result;
}

static int64_t nanoseconds(struct timespec time) {
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int clinux_probe_receive(
    int socket, uint8_t *frames, size_t room, struct clinux_arrival *arrivals, int most) {
    struct mmsghdr messages[most_frames];
    struct iovec parts[most_frames];
    union {
        char room[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } controls[most_frames];
    if (most > most_frames) most = most_frames;
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < most; i++) {
        parts[i] = (struct iovec){frames + (size_t)i * room, room};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_control = &controls[i];
        messages[i].msg_hdr.msg_controllen = sizeof controls[i];
    }
    int count = recvmmsg(socket, messages, (unsigned)most, MSG_DONTWAIT, NULL);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    // The kernel stamps with the clock of the day; how old a stamp is does not depend on the clock.
    struct timespec day;
    clock_gettime(CLOCK_REALTIME, &day);
    int64_t now = clinux_monotonic_ns();
    for (int i = 0; i < count; i++) {
        int64_t age = 0;
        struct msghdr *header = &messages[i].msg_hdr;
        for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
            if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
            age = nanoseconds(day) - nanoseconds(stamp);
        }
        // A clock that was set in between makes nonsense of it.
        if (age < 0 || age > 1000000000) age = 0;
        arrivals[i].instant_ns = now - age;
        arrivals[i].count = messages[i].msg_len;
    }
    return count;
}
