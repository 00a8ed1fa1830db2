#define _GNU_SOURCE
#include "CLinuxIO.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

int clinux_endpoint_parse(const char *host, uint16_t port, struct clinux_endpoint *endpoint) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(endpoint->bytes, &v4, sizeof v4);
        endpoint->length = sizeof v4;
        return 0;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(endpoint->bytes, &v6, sizeof v6);
        endpoint->length = sizeof v6;
        return 0;
    }
    return EINVAL;
}

int clinux_tcp_open(const struct clinux_endpoint *endpoint, int *descriptor) {
    struct sockaddr_storage address;
    memcpy(&address, endpoint->bytes, endpoint->length);
    int socket_fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) return errno;
    int on = 1;
    setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int result = connect(socket_fd, (struct sockaddr *)&address, endpoint->length);
    if (result == 0) {
        *descriptor = socket_fd;
        return 0;
    }
    // A connect that a signal interrupts goes on by itself, as one that is under way.
    int error = errno == EINTR ? EINPROGRESS : errno;
    if (error == EINPROGRESS) {
        *descriptor = socket_fd;
        return error;
    }
    close(socket_fd);
    return error;
}

int clinux_tcp_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
    return error;
}

int clinux_tcp_is_quiet(int descriptor) {
    char byte;
    return recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

void clinux_tcp_reset(int descriptor) {
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(descriptor);
}

void clinux_reserve_descriptors(int count) {
    int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, count);
    if (copy >= 0) close(copy);
}

int clinux_event_queue(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_event_queue_watch(
    int queue, int descriptor, uint32_t events, uint64_t tag, int added) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    int first = added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(queue, first, descriptor, &event) == 0) return 0;
    // Descriptor numbers are reused: the queue forgets one that was closed without a word.
    if (errno != (added ? ENOENT : EEXIST)) return errno;
    int second = added ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    return epoll_ctl(queue, second, descriptor, &event) == 0 ? 0 : errno;
}

int clinux_event_queue_wait(
    int queue, struct clinux_ready *ready, int capacity, int timeout_ms) {
    struct epoll_event events[64];
    int most = capacity < 64 ? capacity : 64;
    int count = epoll_wait(queue, events, most, timeout_ms);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) {
        ready[index].tag = events[index].data.u64;
        ready[index].events = events[index].events;
    }
    return count;
}

int clinux_alarm(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

void clinux_alarm_set(int alarm, int64_t instant_ns) {
    struct itimerspec when = {
        .it_value = {.tv_sec = instant_ns / 1000000000, .tv_nsec = instant_ns % 1000000000}};
    timerfd_settime(alarm, TFD_TIMER_ABSTIME, &when, NULL);
}

int clinux_doorbell(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void clinux_doorbell_ring(int descriptor) {
    // EAGAIN means that it is raised already.
    (void)eventfd_write(descriptor, 1);
}

void clinux_doorbell_clear(int descriptor) {
    eventfd_t count;
    (void)eventfd_read(descriptor, &count);
}

void clinux_doorbell_await(int descriptor) {
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    (void)poll(&wait, 1, -1);
    clinux_doorbell_clear(descriptor);
}

void clinux_precise_timers(void) { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

int clinux_realtime(int priority) {
    struct sched_param parameters = {.sched_priority = priority};
    // The kernel call, not libc's: of the calling thread, and its children start as ordinary ones.
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0 ? 0 : errno;
}
