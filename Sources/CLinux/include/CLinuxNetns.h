#ifndef FIREDRILL_CLINUX_NETNS_H
#define FIREDRILL_CLINUX_NETNS_H

#include <stdint.h>
#include <sys/types.h>

/// A close-on-exec descriptor of a fresh network namespace, made on a thread of its own so that the
/// caller's namespace stays what it is; -errno on failure.
int clinux_netns_create(void);

/// A close-on-exec descriptor of the calling thread's network namespace; -errno on failure.
int clinux_netns_current(void);

/// A close-on-exec descriptor of a process's network namespace; -errno on failure.
int clinux_netns_of_process(pid_t process);

/// Runs `body(context)` inside the namespace, on a thread made for it, and waits for its end.
/// 0, or an errno when the thread could not be made or could not enter (body did not run then).
int clinux_netns_run(int netns, void (*body)(void *context), void *context);

/// `ENOENT` for 2; NULL for what the C library does not know.
const char *clinux_errno_name(int error);

#endif
