"""What nobody can do without: reads a JSONL file, parses every line and calls grade(sample, item).

    python3 limit.py SOURCE FILE ROWS
"""

import itertools
import json
import sys
import time

source, file, count = sys.argv[1:]
module = {}
with open(source, encoding="utf-8") as text:
    exec(compile(text.read(), source, "exec"), module)
grade = module["grade"]
loads = json.loads
total = 0.0
rows = 0
started, cpu_started = time.perf_counter(), time.process_time()
with open(file, encoding="utf-8") as lines:
    for line in itertools.islice(lines, int(count)):
        row = loads(line)
        total += float(grade(row["sample"], row["item"]))
        rows += 1
print(json.dumps({
    "rows": rows,
    "mean": total / rows,
    "wallSeconds": time.perf_counter() - started,
    "cpuSeconds": time.process_time() - cpu_started,
}))
