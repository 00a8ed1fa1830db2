#define _GNU_SOURCE
#include "CLinuxNetns.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_own(void) {
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void *create_thread(void *result) {
    *(int *)result = unshare(CLONE_NEWNET) < 0 ? -errno : open_own();
    return NULL;
}

int clinux_netns_create(void) {
    pthread_t thread;
    int result = -EIO;
    int error = pthread_create(&thread, NULL, create_thread, &result);
    if (error) return -error;
    error = pthread_join(thread, NULL);
    return error ? -error : result;
}

int clinux_netns_current(void) {
    return open_own();
}

int clinux_netns_of_process(pid_t process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

struct visit {
    int netns;
    int error;
    void (*body)(void *);
    void *context;
};

static void *visit_thread(void *argument) {
    struct visit *visit = argument;
    if (setns(visit->netns, CLONE_NEWNET) < 0)
        visit->error = errno;
    else
        visit->body(visit->context);
    return NULL;
}

int clinux_netns_run(int netns, void (*body)(void *context), void *context) {
    struct visit visit = {netns, 0, body, context};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, visit_thread, &visit);
    if (error) return error;
    error = pthread_join(thread, NULL);
    return error ? error : visit.error;
}

const char *clinux_errno_name(int error) {
    return strerrorname_np(error);
}
