#!/usr/bin/env python3
"""Measures the API side by side with rivals and ceilings. README.md says how to run it and how to read it."""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys

from harness import contestants, data, growth, load, report
from harness.box import BENCH, PG_BIN, REPOSITORY, Box, run
from harness.workloads import Workloads

DATABASE, SQLITE = "run", "run.sqlite"
AT_HALF = ("item-one", "item-private", "list-private")


def start_all(box, options, result):
    """Everybody who takes part, on copies of the data that writes may change."""
    count, names, started = options.advice, dict.fromkeys(["ours", *options.contestants.split(",")]), {}
    box.copy_database(data.full(count), DATABASE)
    box.copy_database(data.full(count), DATABASE + "_pgbench")
    remove_copy(box)
    shutil.copy(data.sqlite_file(box, count), box.work / SQLITE)
    item = data.public_ids(box, DATABASE)[0]
    starts = {
        "ours": lambda: contestants.ours(box, "ours", box.url(DATABASE)),
        "ours-sqlite": lambda: contestants.ours(box, "ours-sqlite", f"sqlite://{box.work / SQLITE}"),
        "ours-log": lambda: contestants.ours(box, "ours-log", box.url(DATABASE), log_to=box.logs / "ours-default.log"),
        "ours-nocache": lambda: contestants.ours(box, "ours-nocache", box.url(DATABASE), "--cache-memory", 0),
        "nginx": lambda: contestants.nginx(box),
        "fastapi": lambda: contestants.fastapi(box, DATABASE, f"/advice/{item}"),
        "drf": lambda: contestants.drf(box, DATABASE, f"/advice/{item}"),
        "postgraphile": lambda: contestants.postgraphile(box, DATABASE),
        "directus": lambda: contestants.directus(box, DATABASE, f"/items/advice/{item}"),
        "datasette": lambda: contestants.datasette(box, count, f"/rival/item.json?id={item}"),
    }
    if "--cache-memory" not in run([box.server, "help", "serve"]):
        names.pop("ours-nocache", None)
    for name in names:
        started[name] = contestant = starts[name]()
        print(f"{name} is ready after {contestant.ready:.0f} ms", flush=True)
        if name in ("ours", "ours-sqlite"):
            result["memory"][name] = contestant.at_rest()
    return started


def capture(box, options):
    """Only what our server sends to PostgreSQL: bench/sql/captured, to be read and compared."""
    options.contestants, options.seconds, options.connections = "ours", 0, 32
    started = start_all(box, options, {"memory": {}})
    work = Workloads(box, DATABASE, options, started)
    for workload, cells_of in work.cells():
        if workload in ("item-private", "list-private", "draft-1"):
            cells_of()
    end_all(box, started)


def end_all(box, started):
    for contestant in started.values():
        contestant.stop()
    for name in (DATABASE, DATABASE + "_pgbench"):
        box.drop(name)
    remove_copy(box)


def remove_copy(box):
    for old in box.work.glob(SQLITE + "*"):
        old.unlink()


def meter_for(box, name, started):
    """Whose processor time and memory count for a contestant."""
    if name.startswith("pgbench") or name == "psql":
        return load.Meter([], box.postmaster())
    contestant = started[name]
    return load.Meter([contestant.process.pid], box.postmaster() if contestant.postgres else None)


def measure(box, options):
    result = {"about": about(options), "memory": {}, "rounds": {}, "half": {}}
    started = start_all(box, options, result)
    work = Workloads(box, DATABASE, options, started)
    result["same_figures"] = work.same_figures()
    for workload, cells_of in work.cells():
        if options.only and workload not in options.only.split(","):
            continue
        cells = cells_of()
        rounds = result["rounds"][workload] = {name: [] for name in cells}
        for _ in range(options.rounds):
            for name, once in cells.items():
                got = once(meter_for(box, name, started))
                rounds[name].append(got)
                print(f"{workload:13} {name:13} {got['rps']:10.1f}/s  p50 {got['p50']:8.0f}  p99 {got['p99']:8.0f} µs  "
                      f"cpu {got['cpu']:8.1f} µs  {got['memory'] / 1e6:6.1f} MB  errors {got['errors']}", flush=True)
        if workload in AT_HALF:
            result["half"][workload] = at_half(box, work, options, workload, rounds, started)
        for name in ("ours", "ours-sqlite"):
            if name in started:
                result["memory"][name]["peak"] = load.resident(started[name].process.pid, "VmHWM")
        save(options, result)
    end_all(box, started)
    return result


def at_half(box, work, options, workload, rounds, started):
    """Ours and nginx at half of what each of them can do."""
    found = {}
    for name in ("ours", "ours-sqlite", "nginx"):
        if name not in rounds:
            continue
        rate = statistics.median(got["rps"] for got in rounds[name]) / 2
        file = work.files / f"{workload}-{name}"
        headers = work.reader if workload.endswith("private") else None
        found[name] = [
            load.at_rate(started[name].base, file, rate, options.seconds, options.connections, meter_for(box, name, started), headers)
            for _ in range(options.rounds)
        ]
        for got in found[name]:
            print(f"{workload:13} {name:13} at {rate:.0f}/s: got {got['rps']:.0f}/s  p50 {got['p50']}  p99 {got['p99']} µs  "
                  f"errors {got['errors']}", flush=True)
    return found


def about(options):
    """What a reader of the figures must know; nothing of the machine but its size."""
    def first_line(*command):
        try:
            return (subprocess.run(command, capture_output=True, text=True).stdout or "").splitlines()[0]
        except (OSError, IndexError):
            return "unknown"

    return {
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": first_line("git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"),
        "cores": os.cpu_count(),
        "postgres": first_line(str(PG_BIN / "postgres"), "--version"),
    } | {name: getattr(options, name) for name in ("advice", "seconds", "connections", "rounds") if hasattr(options, name)}


def save(options, result):
    name = result["about"]["at"].replace(":", "").replace("+0000", "Z")
    folder = pathlib.Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1))
    (folder / f"{name}.md").write_text(report.table(result))
    return folder / f"{name}.md"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", default="/tmp/wijkaanzet-bench", help="a folder for all that is installed and made; a short path")
    parser.add_argument("--server", default=REPOSITORY / "target/release/wijkaanzet")
    parser.add_argument("--filler", default=REPOSITORY / "target/release/examples/fill")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="install the rivals")
    fill = commands.add_parser("fill", help="make the data")
    fill.add_argument("--advice", type=int, default=100_000)
    side = commands.add_parser("run", help="measure all side by side")
    side.add_argument("--advice", type=int, default=100_000)
    side.add_argument("--seconds", type=int, default=8)
    side.add_argument("--connections", type=int, default=32)
    side.add_argument("--rounds", type=int, default=3)
    side.add_argument("--only", help="these workloads, by commas")
    side.add_argument("--contestants", default=",".join(contestants.PORTS), help="these beside ours, by commas")
    side.add_argument("--out", default=BENCH / "results")
    only_sql = commands.add_parser("capture", help="renew bench/sql/captured and no more; run does it as well")
    only_sql.add_argument("--advice", type=int, default=1000)
    grow = commands.add_parser("growth", help="cost by number of advice")
    grow.add_argument("--counts", default="1000,10000,100000", help="by commas")
    grow.add_argument("--databases", default="postgres,sqlite")
    grow.add_argument("--seconds", type=int, default=5)
    grow.add_argument("--out", default=BENCH / "results")
    goals = commands.add_parser("goals", help="the goals over several runs")
    goals.add_argument("files", nargs="+", help="results/TIME.json of each")
    plot = commands.add_parser("plot", help="draw the curves of a growth")
    plot.add_argument("file", help="results/growth-….json")
    parser.set_defaults(ceilings=True)
    options = parser.parse_args()
    if options.command == "goals":
        print(report.goals([json.loads(pathlib.Path(file).read_text()) for file in options.files]), end="")
        return
    # So that what was started is ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    box = Box(options.work, options.server, options.filler)
    if options.command == "prepare":
        box.prepare()
    elif options.command == "fill":
        box.postgres_up()
        data.fill(box, options.advice)
        data.add_rivals(box, options.advice)
    elif options.command == "run":
        box.postgres_up()
        data.fill(box, options.advice)
        data.add_rivals(box, options.advice)
        print(save(options, measure(box, options)))
    elif options.command == "capture":
        box.postgres_up()
        data.fill(box, options.advice)
        capture(box, options)
    elif options.command == "growth":
        box.postgres_up()
        print(growth.measure(box, options, about(options)))
    elif options.command == "plot":
        run([box.python(), BENCH / "harness/plot.py", options.file])


if __name__ == "__main__":
    main()
