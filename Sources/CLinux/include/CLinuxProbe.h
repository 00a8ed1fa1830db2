#ifndef FIREDRILL_CLINUX_PROBE_H
#define FIREDRILL_CLINUX_PROBE_H

#include <stddef.h>
#include <stdint.h>

// Frames of our own across a lab's links.

/// A non-blocking packet socket in another network namespace, on one interface; it receives only frames that came from
/// outside and have these eight bytes at `offset`. The caller, which must be single-threaded, is back in its own
/// namespace afterwards. `address`: the interface's hardware address. A descriptor or a negative errno.
int clinux_probe_socket(
    int network_namespace, const char *interface, size_t offset, const uint8_t magic[8],
    uint8_t address[6]);

struct clinux_arrival {
    /// CLOCK_MONOTONIC, when the kernel took the frame in.
    int64_t instant_ns;
    uint32_t count;
    uint32_t unused;
};

/// Takes at most `most` (16) frames that are there, each into `room` bytes; how many, 0 for none, or a negative errno.
int clinux_probe_receive(
    int socket, uint8_t *frames, size_t room, struct clinux_arrival *arrivals, int most);

#endif
