#ifndef FIREDRILL_CLINUX_H
#define FIREDRILL_CLINUX_H

#include <stdint.h>

#include "CLinuxIO.h"
#include "CLinuxProcess.h"

/// CLOCK_MONOTONIC in nanoseconds: the one clock of a run.
int64_t clinux_monotonic_ns(void);

#include "CLinuxNetns.h"

#endif
