#ifndef FIREDRILL_CLINUX_IO_H
#define FIREDRILL_CLINUX_IO_H

#include <stdint.h>

// What the load engine asks of the kernel. Every descriptor made here is non-blocking and close-on-exec.

/// A numeric IPv4 or IPv6 address with its port, ready for connect.
struct clinux_endpoint {
    uint8_t bytes[28];
    uint32_t length;
};

/// 0, or EINVAL where `host` is not a numeric address (a name's look-up could block).
int clinux_endpoint_parse(const char *host, uint16_t port, struct clinux_endpoint *endpoint);

/// Begins a TCP connect. 0: established; EINPROGRESS: under way; in both cases *descriptor is open.
/// Anything else is the error, and nothing is open.
int clinux_tcp_open(const struct clinux_endpoint *endpoint, int *descriptor);

/// Takes the pending error of a socket (SO_ERROR); 0 is none.
int clinux_tcp_error(int descriptor);

/// Whether an idle connection is open with nothing to read: no end, no error, no stray bytes.
int clinux_tcp_is_quiet(int descriptor);

/// Closes by RST (SO_LINGER 0): neither side keeps TIME_WAIT.
void clinux_tcp_reset(int descriptor);

/// Makes room for `count` descriptors now. A process with several threads waits some 10 ms each time that its
/// table of descriptors grows, in the middle of whatever it measures.
void clinux_reserve_descriptors(int count);

int clinux_event_queue(void);

/// Watches `descriptor` (again, with other `events`) under `tag`. 0 or errno.
/// `added`: the queue is thought to know it already; either way it is put right.
int clinux_event_queue_watch(
    int queue, int descriptor, uint32_t events, uint64_t tag, int added);

struct clinux_ready {
    uint64_t tag;
    uint32_t events;
    uint32_t unused;
};

/// Waits for at most 64 events, for `timeout_ms` (−1: for ever). Their count; 0 too after a signal; −errno.
int clinux_event_queue_wait(
    int queue, struct clinux_ready *ready, int capacity, int timeout_ms);

/// A timer of CLOCK_MONOTONIC.
int clinux_alarm(void);

/// Readable from that absolute instant on, until set again: setting clears what was due, nothing need be read.
void clinux_alarm_set(int alarm, int64_t instant_ns);

/// A counter that another thread signals.
int clinux_doorbell(void);
void clinux_doorbell_ring(int descriptor);
void clinux_doorbell_clear(int descriptor);
/// Blocks the calling thread until it is raised, and clears it.
void clinux_doorbell_await(int descriptor);

/// Timers of the calling thread end within 1 ns, not the default 50 µs.
void clinux_precise_timers(void);

/// SCHED_FIFO for the calling thread, not for its children. 0, or errno where it is not allowed.
int clinux_realtime(int priority);

#endif
