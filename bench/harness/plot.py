"""The curves of a growth, as growth.svg and growth.png beside run.py. Runs in the environment that `prepare` makes."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

result = json.loads(pathlib.Path(sys.argv[1]).read_text())
databases = list(result["points"])
figure, axes = plt.subplots(1, len(databases) + 1, figsize=(6 * (len(databases) + 1), 5.5), layout="constrained")
for axis, database in zip(axes, databases):
    by_count = result["points"][database]
    counts = [int(count) for count in by_count]
    for workload in next(iter(by_count.values()))["cost"]:
        exponent = result["exponents"][database][workload]["cpu"]
        label = workload + (f"  (n^{exponent:.2f})" if exponent is not None else "")
        axis.loglog(counts, [point["cost"][workload]["cpu"] for point in by_count.values()], marker="o", label=label)
    axis.set(title=f"{database}: server CPU per request", xlabel="advice", ylabel="µs")
    axis.grid(True, which="major", alpha=0.3)
    axis.legend(fontsize=8)
for database in databases:
    by_count = result["points"][database]
    counts = [int(count) for count in by_count]
    axes[-1].loglog(counts, [point["at_rest"]["after_first_metric"] / 1e6 for point in by_count.values()], marker="o",
                    label=f"memory at rest, {database}")
    axes[-1].loglog(counts, [point["size"] / 1e6 for point in by_count.values()], marker="s", linestyle="--", label=f"database, {database}")
axes[-1].set(title="Memory and disk", xlabel="advice", ylabel="MB")
axes[-1].grid(True, which="major", alpha=0.3)
axes[-1].legend(fontsize=8)
target = pathlib.Path(__file__).resolve().parent.parent
figure.savefig(target / "growth.svg")
figure.savefig(target / "growth.png", dpi=110)
