#ifndef FIREDRILL_CLINUX_TUN_H
#define FIREDRILL_CLINUX_TUN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Makes a TAP device (whole Ethernet frames, no header in front) that goes with its descriptor, in the caller's
/// network namespace. Non-blocking, close-on-exec; or a negative errno with `failed_step` set. The device is down,
/// gives itself no IPv6 address, and keeps `queue` frames until they are read.
int clinux_tap_open(const char *name, int queue, const char **failed_step);

/// The next frame: the first `room` bytes into `bytes`, what is beyond into `rest`. Its length, or a negative errno.
ssize_t clinux_tap_read(int tap, void *bytes, size_t room, void *rest, size_t rest_room);

/// What an interface of the caller's network namespace has counted since it was made.
struct clinux_interface_counts {
    int64_t received;
    int64_t sent;
    /// For want of room in its queue, say.
    int64_t not_sent;
};

/// 0, or a negative errno.
int clinux_interface_counts(const char *name, struct clinux_interface_counts *counts);

/// Nanoseconds of processor time that a process has used so far, or a negative errno.
int64_t clinux_process_cpu_ns(pid_t pid);

/// A packet socket that only sends: on this interface, past its queueing discipline and its egress filters.
/// Non-blocking, close-on-exec; or a negative errno.
int clinux_output_socket(const char *interface);

struct clinux_frame {
    const void *bytes;
    size_t count;
};

/// Most that one call of `clinux_send_frames` takes.
enum { clinux_frame_batch = 64 };

/// Sends whole frames with one system call. How many went, at least 1; or the negative errno of the first.
int clinux_send_frames(int socket, const struct clinux_frame *frames, size_t count);

/// Keeps the pages that this process touches in memory, as far as it may.
void clinux_stay_in_memory(void);

#endif
