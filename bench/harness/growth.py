"""What each request costs by the number of advice, at one connection, and how that grows: the slope of a line through the logarithms."""

import argparse
import json
import math
import pathlib
import shutil
import statistics

from . import contestants, data, load
from .workloads import Workloads

WORKLOADS = ("item-1000", "item-private", "list-public", "list-private", "304", "metric", "feed", "draft-1")
# Beyond this the data are measured where they stand: the few drafts that are added do not count.
COPIED = 200_000
DATABASE, SQLITE = "growing", "growing.sqlite"


def measure(box, options, about):
    counts = [int(count) for count in options.counts.split(",")]
    result = {"about": about, "points": {}}
    name = about["at"].replace(":", "").replace("+0000", "Z")
    file = pathlib.Path(options.out) / f"growth-{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    for count in counts:
        data.fill(box, count)
        for database in options.databases.split(","):
            result["points"].setdefault(database, {})[count] = at(box, options, database, count)
        result["exponents"] = exponents(result["points"])
        file.write_text(json.dumps(result, indent=1))
        file.with_suffix(".md").write_text(table(result))
    return file


def at(box, options, database, count):
    """One database with so many advice."""
    name, sqlite = data.full(count), data.sqlite_file(box, count)
    if count <= COPIED and database == "postgres":
        box.copy_database(name, DATABASE)
        name = DATABASE
    if count <= COPIED and database == "sqlite":
        shutil.copy(sqlite, box.work / SQLITE)
        sqlite = box.work / SQLITE
    # No answer is kept, or what is public would cost the same by that alone.
    url = box.url(name) if database == "postgres" else f"sqlite://{sqlite}"
    server = contestants.ours(box, "ours", url, "--cache-memory", 0)
    point = {"at_rest": server.at_rest(), "size": size(box, database, name, sqlite), "cost": {}}
    once = argparse.Namespace(seconds=options.seconds, connections=1, ceilings=False)
    work = Workloads(box, name if database == "postgres" else sqlite, once, {"ours": server})
    for workload, cells in work.cells():
        if workload in WORKLOADS:
            meter = load.Meter([server.process.pid], box.postmaster() if server.postgres else None)
            got = cells()["ours"](meter)
            point["cost"][workload] = {"cpu": got["cpu"], "p50": got["p50"], "errors": got["errors"]}
            print(f"{database:9} {count:8} {workload:13} cpu {got['cpu']:10.1f} µs  p50 {got['p50']:8.0f} µs  errors {got['errors']}",
                  flush=True)
    server.stop()
    box.drop(DATABASE)
    for old in box.work.glob(SQLITE + "*"):
        old.unlink()
    return point


def size(box, database, name, sqlite):
    """Bytes of our own tables."""
    if database == "sqlite":
        return sqlite.stat().st_size
    return int(box.psql(name, "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relkind = 'r' "
                              "AND relnamespace = 'public'::regnamespace"))


def slope(points):
    """The exponent: cost ~ count ^ slope."""
    if len(points) < 2 or any(value <= 0 for _, value in points):
        return None
    return statistics.linear_regression([math.log(count) for count, _ in points], [math.log(value) for _, value in points]).slope


def exponents(points):
    found = {}
    for database, by_count in points.items():
        found[database] = {
            workload: {
                what: slope([(int(count), point["cost"][workload][what]) for count, point in by_count.items()
                             if not point["cost"][workload]["errors"]]) for what in ("cpu", "p50")
            }
            for workload in next(iter(by_count.values()))["cost"]
        }
        found[database]["memory"] = slope([(int(count), point["at_rest"]["after_first_metric"]) for count, point in by_count.items()])
        found[database]["size"] = slope([(int(count), point["size"]) for count, point in by_count.items()])
    return found


def table(result):
    lines = [f"# Growth, {result['about']['at']}, {result['about']['commit']}", "",
             "Server CPU per request in µs (and the median latency at one connection); the exponent e of cost ~ number^e."]
    for database, by_count in result["points"].items():
        exponent = result["exponents"][database]
        lines += ["", f"## {database}", "", "| | " + " | ".join(f"{int(count):,}" for count in by_count) + " | exponent of CPU | of latency |",
                  "|---|" + "--:|" * (len(by_count) + 2)]

        def shown(value):
            return "" if value is None else f"{value:.2f}"

        for workload in next(iter(by_count.values()))["cost"]:
            cells = [f"{point['cost'][workload]['cpu']:,.0f} ({point['cost'][workload]['p50']:,.0f})"
                     + (" **invalid**" if point["cost"][workload]["errors"] else "") for point in by_count.values()]
            found = exponent[workload]
            lines.append(f"| {workload} | " + " | ".join(cells) + f" | {shown(found['cpu'])} | {shown(found['p50'])} |")
        for text, take, which in (
            ("MB after the first metric", lambda point: point["at_rest"]["after_first_metric"] / 1e6, "memory"),
            ("MB of database", lambda point: point["size"] / 1e6, "size"),
            ("ms from start to ready", lambda point: point["at_rest"]["ready_ms"], None),
        ):
            cells = [f"{take(point):,.0f}" for point in by_count.values()]
            lines.append(f"| {text} | " + " | ".join(cells) + f" | {shown(exponent.get(which))} | |")
    return "\n".join(lines) + "\n"
