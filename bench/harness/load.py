"""Load, and what it costs: wrk and pgbench around a meter of processor time and memory."""

import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import threading
import time

from .box import BENCH, PG_BIN, fetch, run

TICK = os.sysconf("SC_CLK_TCK")
# How long a connection at half load waits from one request to the next, in seconds.
PAUSE = 0.01
# No more connections than our server works on requests at once: when it stands still for a moment they all have one.
MOST = 120


def children_of(pids):
    """These processes and all below them."""
    parents = {}
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents.setdefault(int((folder / "stat").read_text().rpartition(")")[2].split()[1]), []).append(int(folder.name))
            except OSError:
                pass
    found, todo = [], list(pids)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += parents.get(pid, [])
    return found


def processor_time(pids):
    """Seconds of these processes and all below them; of children that ended, too."""
    ticks = 0
    for pid in children_of(pids):
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / TICK


def memory(pids):
    """Bytes of these processes and all below them, what they share counted once (PSS)."""
    total = 0
    for pid in children_of(pids):
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(r"^Pss:\s+(\d+) kB", text, re.M)[1]) * 1024
    return total


def resident(pid, what="VmRSS"):
    """Bytes that are resident, or with VmHWM that ever were."""
    return int(re.search(rf"{what}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024


class Meter:
    """Measures while it is entered: processor time of the server and of its database, and the peak of the server's memory."""

    def __init__(self, server, database=None):
        self.server = server
        self.all = server + ([database] if database else [])
        self.peak = 0
        self.seconds = 0.0
        self._done = threading.Event()

    def __enter__(self):
        self._begin = processor_time(self.all)
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def _look(self):
        while True:
            self.peak = max(self.peak, memory(self.server) if self.server else 0)
            if self._done.wait(0.5):
                return

    def __exit__(self, *_):
        self.seconds = processor_time(self.all) - self._begin
        self._done.set()
        self._watch.join()


def figures(requests, seconds, p50, p99, errors, meter, sent=0):
    """One cell of one round. Microseconds and bytes."""
    return {
        "rps": requests / seconds,
        "p50": p50,
        "p99": p99,
        "errors": errors,
        "cpu": meter.seconds / requests * 1e6 if requests else 0,
        "memory": meter.peak,
        "bytes_per_second": sent / seconds,
    }


def wrk(url, seconds, connections, meter, arguments=(), headers=None, warm=True):
    """`arguments`: those of cycle.lua."""
    def once(duration):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{duration}s", "--latency", "--timeout", "30s", "-s", BENCH / "wrk/cycle.lua"]
        for name, value in (headers or {}).items():
            command += ["-H", f"{name}: {value}"]
        return json.loads(re.search(r"RESULT (.*)", run([*command, url, "--", *arguments]))[1])

    if warm:
        once(max(1, round(seconds / 4)))
    with meter:
        got = once(seconds)
    return figures(got["requests"], got["microseconds"] / 1e6, got["p50"], got["p99"], got["errors"], meter, got["bytes"])


def at_rate(base, file, rate, seconds, connections, meter, headers=None):
    """wrk, at a rate over all connections, each of which waits for a time by chance before it asks again: requests come as those of
    many who know nothing of each other."""
    # So many that an answer takes little of the time that a connection waits, which wrk counts in milliseconds.
    connections = min(max(connections, math.ceil(rate * PAUSE)), MOST)
    got = wrk(base, seconds, connections, meter, [file, "PACE", connections / rate * 1000], headers)
    return got | {"asked_rate": rate}


def pgbench(box, database, scripts, seconds, clients, meter, variables, settings="", warm=True):
    """One of these scripts at random in each transaction, prepared once per connection."""
    folder = box.work / "pgbench"
    folder.mkdir(exist_ok=True)

    def once(duration):
        for old in folder.iterdir():
            old.unlink()
        command = [PG_BIN / "pgbench", "-h", box.socket, "-U", "postgres", "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
                   "-T", str(duration), "-l", "--sampling-rate", "0.2" if clients > 1 else "1", "--log-prefix", folder / "log"]
        for script in scripts:
            command += ["-f", script]
        for name, value in variables.items():
            command += ["-D", f"{name}={value}"]
        said = run([*command, database], cwd=folder, env=os.environ | {"PGOPTIONS": settings})
        taken = [int(line.split()[2]) for file in folder.iterdir() for line in file.read_text().splitlines()]
        failed = int(re.search(r"number of failed transactions: (\d+)", said)[1])
        done = int(re.search(r"transactions actually processed: (\d+)", said)[1])
        return done, float(re.search(r"tps = ([\d.]+)", said)[1]), sorted(taken), failed

    if warm:
        once(max(1, round(seconds / 4)))
    with meter:
        done, rate, taken, failed = once(seconds)
    return figures(done, done / rate, taken[len(taken) // 2], taken[len(taken) * 99 // 100], failed, meter)


def timed(call, times, meter):
    """Something that is done one after the other, a few times; each call returns the bytes that came."""
    taken, sent = [], 0
    with meter:
        for _ in range(times):
            begin = time.perf_counter()
            sent += call()
            taken.append((time.perf_counter() - begin) * 1e6)
    return figures(times, sum(taken) / 1e6, statistics.median(taken), max(taken), 0, meter, sent)


def read(url, headers=None):
    """For `timed`."""
    status, _, body = fetch(url, headers)
    if status != 200:
        raise SystemExit(f"{url}: {status} {body[:300]}")
    return len(body)


def through(command):
    """For `timed`: a command's output is counted and thrown away."""
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE) as process:
        size = sum(len(part) for part in iter(lambda: process.stdout.read(1 << 20), b""))
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    return size
