#define _GNU_SOURCE
#include "CLinuxProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

struct report {
    int error;
    int step;
};

static const char *const steps[] = {
    "",
    "setsid",
    "arrange descriptors",
    "enter the network namespace",
    "set groups",
    "set group",
    "set user",
    "change directory",
    "execute",
    "enter the place",
};

static void fail(int channel, int step) {
    struct report report = {errno, step};
    ssize_t written = write(channel, &report, sizeof report);
    (void)written;
    _exit(127);
}

static int is_namespace(int descriptor) {
    struct statfs system;
    return descriptor >= 0 && fstatfs(descriptor, &system) == 0 && system.f_type == NSFS_MAGIC;
}

// Only async-signal-safe calls from here to exec: another thread of the parent may have held malloc's lock.
static void become(const struct clinux_spawn *spawn, int channel) {
    // Above every target, so that no dup2 below overwrites a source.
    int floor = (int)spawn->descriptor_count + 64;
    channel = fcntl(channel, F_DUPFD_CLOEXEC, floor);
    if (channel < 0) _exit(127);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < 65; signal++) sigaction(signal, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (setsid() < 0) fail(channel, 1);
    // Before anything else is done as the program: what is in the place is found by it.
    if (is_namespace(spawn->cgroup) && setns(spawn->cgroup, CLONE_NEWCGROUP) < 0) fail(channel, 9);
    // The agent survives when memory is short; what it starts does so only where it says so itself.
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        ssize_t written = write(score, "0", 1);
        (void)written;
        close(score);
    }
    int network = spawn->network_namespace;
    if (network >= 0) {
        network = fcntl(network, F_DUPFD_CLOEXEC, floor);
        if (network < 0) fail(channel, 2);
    }
    int lifted[16];
    if (spawn->descriptor_count > 16) {
        errno = E2BIG;
        fail(channel, 2);
    }
    for (size_t i = 0; i < spawn->descriptor_count; i++) {
        lifted[i] = fcntl(spawn->descriptors[i], F_DUPFD_CLOEXEC, floor);
        if (lifted[i] < 0) fail(channel, 2);
    }
    for (size_t i = 0; i < spawn->descriptor_count; i++)
        if (dup2(lifted[i], (int)i) < 0) fail(channel, 2);
    if (syscall(SYS_close_range, (unsigned)spawn->descriptor_count, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        fail(channel, 2);
    if (network >= 0 && setns(network, CLONE_NEWNET) < 0) fail(channel, 3);
    if (spawn->switch_user) {
        if (setgroups(spawn->group_count, spawn->groups) < 0) fail(channel, 4);
        if (setresgid(spawn->gid, spawn->gid, spawn->gid) < 0) fail(channel, 5);
        if (setresuid(spawn->uid, spawn->uid, spawn->uid) < 0) fail(channel, 6);
    }
    if (spawn->directory && chdir(spawn->directory) < 0) fail(channel, 7);
    if (spawn->executable)
        execve(spawn->executable, spawn->argv, spawn->environment);
    else
        execvpe(spawn->argv[0], spawn->argv, spawn->environment);
    fail(channel, 8);
}

pid_t clinux_spawn(struct clinux_spawn *spawn) {
    int channel[2];
    spawn->pidfd = -1;
    spawn->failed_step = "make a pipe";
    if (pipe2(channel, O_CLOEXEC) < 0) return -errno;

    int pidfd = -1;
    struct clone_args arguments = {
        .flags = CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
    };
    if (spawn->new_host)
        arguments.flags |= CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
    if (spawn->cgroup >= 0 && !is_namespace(spawn->cgroup)) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)spawn->cgroup;
    }
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) become(spawn, channel[1]);
    int error = errno;
    close(channel[1]);
    if (pid < 0) {
        close(channel[0]);
        spawn->failed_step = "clone3";
        return -error;
    }
    struct report report;
    ssize_t count;
    do count = read(channel[0], &report, sizeof report);
    while (count < 0 && errno == EINTR);
    close(channel[0]);
    if (count == sizeof report) {
        waitpid(pid, NULL, 0);
        close(pidfd);
        spawn->failed_step = steps[report.step];
        return -report.error;
    }
    spawn->pidfd = pidfd;
    spawn->failed_step = "";
    return pid;
}

static int private_tmpfs(const char *path, const char *options) {
    return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options);
}

int clinux_host_mounts(const char *state, const char **failed_step) {
#define STEP(name, call)                 \
    do {                                 \
        *failed_step = name;             \
        if ((call) < 0) return -errno;   \
    } while (0)
    STEP("make / private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    // Opened here: a descriptor from the parent's mount namespace cannot be bound in this one.
    int folder;
    STEP("open the state folder", folder = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC));
    STEP("mount /proc", mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    // The fresh one shows this host's interfaces under /sys/class/net.
    STEP("mount /sys", mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    STEP("mount /run", private_tmpfs("/run", "mode=0755"));
    STEP("mount /tmp", private_tmpfs("/tmp", "mode=1777"));
    STEP("mount /dev/shm", private_tmpfs("/dev/shm", "mode=1777"));
    // Without a syslogd, programs write what they log to the console: a serial line of the machine, which holds up a whole
    // processor for tens of milliseconds, and in it whoever measures.
    if (access("/dev/console", F_OK) == 0)
        STEP("hide /dev/console", mount("/dev/null", "/dev/console", NULL, MS_BIND, NULL));
    STEP("make /run/lock", mkdir("/run/lock", 0777));
    STEP("open /run/lock", chmod("/run/lock", 01777));
    STEP("make /run/firedrill", mkdir("/run/firedrill", 0755));
    char source[32] = "/proc/self/fd/";
    char digits[12];
    int count = 0;
    for (int rest = folder; rest > 0 || count == 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
    size_t end = strlen(source);
    while (count > 0) source[end++] = digits[--count];
    source[end] = 0;
    STEP("bind /run/firedrill", mount(source, "/run/firedrill", NULL, MS_BIND, NULL));
#undef STEP
    close(folder);
    *failed_step = "";
    return 0;
}

void clinux_die_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

int clinux_set_host_name(const char *name) {
    return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

int clinux_unshare_network(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

static int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    int result = write(file, text, strlen(text)) < 0 ? -errno : 0;
    close(file);
    return result;
}

int clinux_become_namespace_root(const char **failed_step) {
    uid_t user = geteuid();
    gid_t group = getegid();
    *failed_step = "make a user namespace";
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return -errno;
    char map[32];
    *failed_step = "become root of the user namespace";
    // Without this nobody without privileges may map a group.
    int result = write_file("/proc/self/setgroups", "deny");
    if (result < 0 && result != -ENOENT) return result;
    snprintf(map, sizeof map, "0 %u 1", (unsigned)user);
    if ((result = write_file("/proc/self/uid_map", map)) < 0) return result;
    snprintf(map, sizeof map, "0 %u 1", (unsigned)group);
    if ((result = write_file("/proc/self/gid_map", map)) < 0) return result;
    *failed_step = "";
    return 0;
}

static void *make_cgroup_namespace(void *result) {
    int made = unshare(CLONE_NEWCGROUP);
    int descriptor =
        made < 0 ? -1 : open("/proc/thread-self/ns/cgroup", O_RDONLY | O_CLOEXEC);
    *(int *)result = descriptor < 0 ? -errno : descriptor;
    return NULL;
}

int clinux_cgroup_namespace(void) {
    pthread_t thread;
    int result = -EIO;
    int error = pthread_create(&thread, NULL, make_cgroup_namespace, &result);
    if (error == 0) error = pthread_join(thread, NULL);
    return error ? -error : result;
}

int clinux_pidfd_open(pid_t pid) {
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    return pidfd < 0 ? -errno : pidfd;
}

int clinux_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

static int is_in_own_users(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/ns/user", (long)pid);
    struct stat own, other;
    return stat("/proc/self/ns/user", &own) == 0 && stat(path, &other) == 0 &&
           own.st_ino == other.st_ino;
}

int clinux_enter(pid_t pid, char *const *argv) {
    int pidfd = clinux_pidfd_open(pid);
    if (pidfd < 0) return pidfd;
    int kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
    // One's own user namespace cannot be entered again.
    int result = is_in_own_users(pid) ? 0 : setns(pidfd, CLONE_NEWUSER);
    if (result == 0) result = setns(pidfd, kinds);
    int error = errno;
    close(pidfd);
    if (result < 0) return -error;
    // The pid namespace holds only for children.
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        execvp(argv[0], argv);
        dprintf(STDERR_FILENO, "firedrill: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    int status = 0;
    // Ctrl-C is for the program inside; this process waits for its end.
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return status;
}

int clinux_lock(int descriptor) {
    return flock(descriptor, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int clinux_spawn_closes_from(void *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
