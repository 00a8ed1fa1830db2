#ifndef FIREDRILL_CLINUX_PROCESS_H
#define FIREDRILL_CLINUX_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What a child becomes between clone3 and exec; nothing in it is kept after the call.
struct clinux_spawn {
    /// A path, also a magic link such as /proc/self/exe; NULL: argv[0] is searched in the child's PATH.
    const char *executable;
    char *const *argv;
    char *const *environment;
    /// NULL: unchanged.
    const char *directory;
    /// Become 0, 1, 2, … of the child; everything else is closed by exec.
    const int *descriptors;
    size_t descriptor_count;
    /// Directory of a cgroup v2 that the child is born in, or a cgroup namespace that it enters; -1: the parent's.
    int cgroup;
    /// Network namespace to enter before exec; -1: the parent's.
    int network_namespace;
    /// Non-zero: new mount, pid, network, UTS and IPC namespaces.
    int new_host;
    /// Non-zero: become this user with exactly these groups.
    int switch_user;
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t group_count;
    /// Out: close-on-exec descriptor of the child; -1 after a failure.
    int pidfd;
    /// Out: what failed, a static string.
    const char *failed_step;
};

/// Starts a program in a session of its own with default signal dispositions.
///
/// Returns when the program has been executed: its pid, or a negative errno with `failed_step` set.
/// Only for single-threaded callers: the child runs C of ours before exec.
pid_t clinux_spawn(struct clinux_spawn *spawn);

/// One more of the posix_spawn_file_actions_t: the child has no descriptor from `first` on. 0 or an errno.
int clinux_spawn_closes_from(void *actions, int first);

/// Private mounts of a lab host: /proc, /sys, /run, /tmp, /dev/shm, and `state` at /run/firedrill.
/// 0 or a negative errno with `failed_step` set.
int clinux_host_mounts(const char *state, const char **failed_step);
int clinux_set_host_name(const char *name);
/// SIGKILL for the caller, and what it executes, when the thread that started it ends.
void clinux_die_with_parent(void);

/// Messages with descriptors over a SOCK_SEQPACKET socket; 0 or more, or a negative errno.
int clinux_seqpacket_pair(int pair[2]);
/// Both ends close-on-exec; 0 or a negative errno.
int clinux_pipe(int ends[2]);
/// The next connection, close-on-exec, or a negative errno.
int clinux_accept(int socket);
ssize_t clinux_send_message(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);
/// Never blocks. `descriptor_count` in: room; out: how many came, close-on-exec.
ssize_t clinux_receive_message(
    int socket, void *bytes, size_t room, int *descriptors, size_t *descriptor_count);

/// Blocks the signals and returns a non-blocking descriptor that reads them.
int clinux_signal_descriptor(const int *signals, size_t count);
/// The next signal that is pending on it, or 0.
int clinux_next_signal(int descriptor);

/// ppoll with a time-out in nanoseconds, -1 for none; the count of ready entries or a negative errno.
struct clinux_poll {
    int descriptor;
    int16_t asked;
    int16_t seen;
};
int clinux_ppoll(struct clinux_poll *entries, size_t count, int64_t timeout_ns);

int clinux_unshare_network(void);
/// Enters a user namespace of its own in which this user is root and there is nobody else, with a mount namespace.
/// Only for a process with one thread. 0 or a negative errno with `failed_step` set.
int clinux_become_namespace_root(const char **failed_step);
/// A fresh cgroup namespace, close-on-exec, or a negative errno. The caller stays where it is.
int clinux_cgroup_namespace(void);
int clinux_pidfd_open(pid_t pid);
int clinux_pidfd_signal(int pidfd, int signal);
/// Enters all namespaces of a lab host by its first process, that of its users included where it is not this
/// process's, and runs a program in it to its end.
/// The program's wait status, or a negative errno.
int clinux_enter(pid_t pid, char *const *argv);

/// A raw packet socket for one EtherType on one interface, non-blocking; or a negative errno.
int clinux_packet_socket(const char *interface, uint16_t ethertype);
/// The interface's hardware address into `address`; 0 or a negative errno.
int clinux_hardware_address(const char *interface, uint8_t address[6]);
/// Sends a whole frame on the interface that the socket is bound to.
int clinux_send_frame(int socket, const uint8_t *frame, size_t count);

/// flock, exclusive and without waiting: 0, or -EWOULDBLOCK where another holds it.
int clinux_lock(int descriptor);

#endif
