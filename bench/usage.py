"""Runs a program with its output dropped and prints what the kernel counted for it: CPU and wall seconds, peak memory."""

import json
import os
import subprocess
import sys
import time

started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps({
    "cpuSeconds": usage.ru_utime + usage.ru_stime,
    "wallSeconds": time.perf_counter() - started,
    "maxRssMiB": usage.ru_maxrss / 1024,
    "status": os.waitstatus_to_exitcode(status),
}))
