"""What a child costs at least: milliseconds in which a process forks one that ends at once, and waits for it.

python3 fork.py COUNT
"""

import os
import sys
import time

count = int(sys.argv[1])
started = time.perf_counter()
for _ in range(count):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print((time.perf_counter() - started) / count * 1e3)
