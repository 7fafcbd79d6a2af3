"""The result as a table in Markdown."""

import re
import statistics

RIVALS = ("fastapi", "drf", "postgraphile", "directus", "datasette")

# Workload, ours, against, what is divided, goal, in words.
GOALS = (
    ("item-one", "ours", "nginx", 0.6, "item, public, warm ÷ nginx with the same bytes"),
    ("item-one", "ours", RIVALS, 10, "item, public, warm ÷ the best rival"),
    ("item-1000", "ours", "nginx", 0.6, "the same over 1,000 items ÷ nginx"),
    ("item-1000", "ours", RIVALS, 10, "the same over 1,000 items ÷ the best rival"),
    ("item-private", "ours", "pgbench", 0.8, "item, private, through the database ÷ pgbench with the same SQL"),
    ("list-public", "ours", "nginx", 0.5, "list of 20, public, warm ÷ nginx"),
    ("list-private", "ours", "pgbench", 0.7, "list of 20, through the database ÷ pgbench"),
    ("304", "ours", "nginx", 0.8, "304 ÷ nginx's 304"),
    ("draft-1", "ours", "pgbench", 0.5, "draft, 1 client ÷ pgbench with the same rows and lock"),
    ("draft-{}", "ours", "pgbench", 0.5, "draft, {} clients ÷ pgbench with the same rows and lock"),
    ("item-one", "ours-sqlite", "ours", 1, "item, public: SQLite ÷ PostgreSQL"),
    ("item-private", "ours-sqlite", "ours", 1, "item, private: SQLite ÷ PostgreSQL"),
    ("list-public", "ours-sqlite", "ours", 1, "list, public: SQLite ÷ PostgreSQL"),
    ("list-private", "ours-sqlite", "ours", 1, "list, private: SQLite ÷ PostgreSQL"),
)


def median(rounds, field="rps"):
    return statistics.median(got[field] for got in rounds)


def valid(rounds):
    return rounds and not any(got["errors"] for got in rounds)


def ratios(result):
    """Of each goal: what it is, the goal, what was found, and how far it spreads over the rounds."""
    connections = result["about"]["connections"]
    rows = []

    def row(text, goal, found, spread=None, least=True):
        met = found is not None and (found >= goal if least else found < goal)
        rows.append((text, ("≥ " if least else "< ") + f"{goal:g}", found, spread, met))

    for workload, ours, against, goal, text in GOALS:
        cells = result["rounds"].get(workload.format(connections), {})
        against = (against,) if isinstance(against, str) else against
        # pgbench-8 and pgbench-32 are pgbench, and the better one counts.
        names = [name for name in cells if cells[name] and re.sub(r"-\d+$", "", name) in against]
        if ours not in cells or not names:
            continue
        best = max(names, key=lambda name: median(cells[name]))
        by_round = [a["rps"] / b["rps"] for a, b in zip(cells[ours], cells[best])]
        # Who erred might have been the best.
        is_valid = all(valid(cells[name]) for name in [ours, *names])
        found = statistics.median(by_round) if is_valid else None
        shown = text.format(connections) + (f" ({best})" if len(names) > 1 else "")
        row(shown, goal, found, (min(by_round), max(by_round)))
    metric = result["rounds"].get("metric", {})
    for name in ("ours", "ours-sqlite"):
        names = [other for other in metric if other.startswith("pgbench")]
        if metric.get(name) and names:
            best = min(names, key=lambda other: median(metric[other], "p50"))
            by_round = [b["p50"] / a["p50"] for a, b in zip(metric[name], metric[best])]
            is_valid = all(valid(metric[other]) for other in [name, *names]) and result["same_figures"]["same"]
            row(f"metric: time of SQL on PostgreSQL ({best}) ÷ time of {name}", 50, statistics.median(by_round) if is_valid else None,
                (min(by_round), max(by_round)))
    for workload, cells in result["half"].items():
        if cells.get("ours"):
            by_round = [got["p99"] / got["p50"] for got in cells["ours"]]
            found = statistics.median(by_round) if valid(cells["ours"]) else None
            row(f"{workload}: p99 ÷ p50 at half of the most", 5, found, (min(by_round), max(by_round)), False)
    for name, memory in result["memory"].items():
        row(f"{name}: MB at rest, after the first metric", 100, memory["after_first_metric"] / 1e6, None, False)
        if "peak" in memory:
            row(f"{name}: MB at most, under any load", 300, memory["peak"] / 1e6, None, False)
        row(f"{name}: s from start to ready", 1, memory["ready_ms"] / 1000, None, False)
    return rows


def goals(results):
    """The goals over several runs: what each of them found, and the median."""
    found = {}
    for result in results:
        for text, goal, ratio, _, _ in ratios(result):
            # Who was the best may differ from run to run.
            found.setdefault((re.sub(r" \([\w-]+\)", "", text), goal), []).append(ratio)
    runs = " | ".join(result["about"]["at"][:16].replace("T", " ") for result in results)
    lines = [f"| goal | | {runs} | median | |", "|---|---|" + "--:|" * (len(results) + 1) + "---|"]
    for (text, goal), values in found.items():
        valid_ones = [value for value in values if value is not None]
        middle = statistics.median(valid_ones) if valid_ones else None
        sign, number = goal.split()
        met = middle is not None and (middle >= float(number) if sign == "≥" else middle < float(number))
        shown = " | ".join("invalid" if value is None else f"{value:.2f}" for value in [*values, middle])
        lines.append(f"| {text} | {goal} | {shown} | {'' if met else '**not met**'} |")
    return "\n".join(lines) + "\n"


def table(result):
    about = result["about"]
    lines = [
        f"# {about['at']}, {about['commit']}",
        "",
        f"{about['advice']:,} advice, {about['connections']} connections, {about['rounds']} rounds of {about['seconds']} s, "
        f"{about['cores']} cores, {about['postgres']}. The median of the rounds, and from the least to the most.",
        "",
        "| goal | | found | spread | |",
        "|---|---|---|---|---|",
    ]
    for text, goal, found, spread, met in ratios(result):
        shown = "invalid" if found is None else f"{found:.2f}"
        lines.append(f"| {text} | {goal} | {shown} | {f'{spread[0]:.2f}–{spread[1]:.2f}' if spread else ''} | {'' if met else '**not met**'} |")
    if "same_figures" in result:
        lines += ["", f"Our figures and those of the SQL: {'the same' if result['same_figures']['same'] else 'NOT THE SAME'}."]
    for workload, cells in result["rounds"].items():
        lines += ["", f"## {workload}", "",
                  "| | requests/s | spread | p50 µs | p99 µs | CPU µs/request | peak MB | MB/s | errors |", "|---|--:|---|--:|--:|--:|--:|--:|--:|"]
        for name, rounds in sorted(cells.items(), key=lambda cell: -median(cell[1]) if cell[1] else 0):
            if not rounds:
                continue
            rates, errors = [got["rps"] for got in rounds], sum(got["errors"] for got in rounds)
            lines.append(
                f"| {name} | {median(rounds):,.1f} | {min(rates):,.1f}–{max(rates):,.1f} | {median(rounds, 'p50'):,.0f} | "
                f"{median(rounds, 'p99'):,.0f} | {median(rounds, 'cpu'):,.1f} | {max(got['memory'] for got in rounds) / 1e6:,.1f} | "
                f"{median(rounds, 'bytes_per_second') / 1e6:,.1f} | {f'**{errors}: invalid**' if errors else '0'} |"
            )
    if result["half"]:
        lines += ["", "## At half of the most", "",
                  "| | asked/s | got/s | p50 µs | p99 µs | p99 ÷ p50 | errors |", "|---|--:|--:|--:|--:|--:|--:|"]
        for workload, cells in result["half"].items():
            for name, rounds in cells.items():
                lines.append(
                    f"| {workload}, {name} | {rounds[0]['asked_rate']:,.0f} | {median(rounds):,.0f} | {median(rounds, 'p50'):,.0f} | "
                    f"{median(rounds, 'p99'):,.0f} | {statistics.median(got['p99'] / got['p50'] for got in rounds):.2f} | "
                    f"{sum(got['errors'] for got in rounds)} |"
                )
    if result["memory"]:
        lines += ["", "## At rest", "", "| | start to ready ms | MB after start | MB after the first metric |", "|---|--:|--:|--:|"]
        lines += [
            f"| {name} | {memory['ready_ms']:,.0f} | {memory['after_start'] / 1e6:,.1f} | {memory['after_first_metric'] / 1e6:,.1f} |"
            for name, memory in result["memory"].items()
        ]
    return "\n".join(lines) + "\n"
