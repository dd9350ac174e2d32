"""Another wall clock for one JVM: a small C library that is preloaded (LD_PRELOAD) and shifts the time of day.

libfaketime shifts waiting too, and a JVM hangs under it. Here only the time of day is shifted, and only in a process called
java: waiting uses the monotonic clock, which stays as it is.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from faults.damage import environment

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) {
  const char *seconds = getenv("CLOCK_SHIFT");
  return seconds && !strcmp(program_invocation_short_name, "java") ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int (*real)(struct timeval *restrict, void *restrict) = dlsym(RTLD_NEXT, "gettimeofday");
  int failed = real(now, zone);
  if (!failed && now) now->tv_sec += shift();
  return failed;
}

time_t time(time_t *there) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (there) *there = now.tv_sec;
  return now.tv_sec;
}
"""


def clock_library(folder: Path) -> Path:
    """Compile the library in the folder. Skips the test where there is no C compiler."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(SOURCE, encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def shifted(library: Path, seconds: int) -> dict[str, str]:
    """Return the environment of a process whose JVM is so many seconds ahead (behind when negative)."""
    return environment(LD_PRELOAD=str(library), CLOCK_SHIFT=str(seconds))
