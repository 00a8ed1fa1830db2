#ifndef FIREDRILL_CLINUX_H
#define FIREDRILL_CLINUX_H

#include <stdint.h>

#include "CLinuxIO.h"
#include "CLinuxProbe.h"
#include "CLinuxProcess.h"

/// CLOCK_MONOTONIC in nanoseconds: the one clock of a run.
int64_t clinux_monotonic_ns(void);

/// CLOCK_BOOTTIME in nanoseconds, which goes on while the machine sleeps: the clock of leases.
int64_t clinux_boottime_ns(void);

#include "CLinuxNetns.h"
#include "CLinuxTun.h"

#endif
