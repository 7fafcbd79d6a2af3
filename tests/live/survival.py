#!/usr/bin/env python3
"""Writes what other programs say of made-up cohorts, for the tests of domain/src/metrics/statistics.rs to compare with.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install lifelines==0.30.3 statsmodels==0.15.0
    /tmp/venv/bin/python tests/live/survival.py

survival.csv: per cohort its observations ("12+" was watched for 12 days without the event), the quantiles of lifelines'
KaplanMeierFitter ("-": not reached), the same in exact fractions, and lifelines' survival at each time of an event.
wilson.csv: statsmodels' Wilson intervals. The seed is fixed: a second run writes the same files.

lifelines multiplies in floating point: where exactly a half is left it may find 0.5000000000000001, and then gives the next time as
the median. That is the only difference allowed here, and it is counted.
"""
import math
import random
import warnings
from fractions import Fraction
from pathlib import Path

import lifelines
import statsmodels
from lifelines import KaplanMeierFitter
from statsmodels.stats.proportion import proportion_confint

HERE = Path(__file__).resolve().parents[2] / "domain" / "src" / "metrics" / "testdata"
CHANCE = random.Random(22042025)


def cohorts():
    """Ties, heavy and no censoring, no events, one observation, up to five hundred."""
    yield [(5, True)]
    yield [(5, False)]
    yield [(0, True)]
    yield [(0, False), (0, True)]
    yield [(7, True), (7, False)]
    # The twelve golden cases of the design.
    yield [(35, True), (42, True), (43, True), (43, True), (63, True), (63, True), (56, True)] + [
        (121, False), (30, False), (19, False), (91, False), (91, False)]
    # Exactly a half, a fifth and a tenth left.
    for n in (2, 4, 5, 8, 10, 20, 30, 50, 100):
        yield [(day, True) for day in range(1, n + 1)]
    # A half that is reached by a product: 3/4 * 2/3 = 1/2.
    yield [(1, True), (2, False), (3, True), (4, False), (5, True), (6, True)]
    for number in range(150):
        n = CHANCE.choice([1, 2, 3, 5, 8, 12, 20, 39, 60, 120, 250, 500])
        longest = CHANCE.choice([3, 10, 60, 200, 1000])
        happens = CHANCE.choice([0.0, 0.05, 0.3, 0.5, 0.8, 0.95, 1.0])
        yield [(CHANCE.randint(0, longest), CHANCE.random() < happens) for _ in range(n)]


def quantile(fitted, left):
    found = float(fitted.percentile(left))
    return "-" if math.isinf(found) else f"{found:.0f}"


def exact_quantiles(cohort):
    """The smallest times at which at most a half, a fifth and a tenth is left, and whether exactly that is left."""
    found = []
    for limit in (Fraction(1, 2), Fraction(1, 5), Fraction(1, 10)):
        left, result = Fraction(1), ("-", False)
        for day in sorted({days for days, event in cohort if event}):
            at_risk = sum(days >= day for days, _ in cohort)
            events = sum(days == day and event for days, event in cohort)
            left *= Fraction(at_risk - events, at_risk)
            if left <= limit:
                result = (str(day), left == limit)
                break
        found.append(result)
    return found


def write_survival():
    lines = [f"# lifelines {lifelines.__version__}: observations;median;p80;p90;exact median;p80;p90;survival"]
    quantiles_read, rounded = 0, 0
    for cohort in cohorts():
        fitted = KaplanMeierFitter().fit([days for days, _ in cohort], [event for _, event in cohort])
        observations = " ".join(f"{days}{'' if event else '+'}" for days, event in cohort)
        times = sorted({days for days, event in cohort if event})
        curve = " ".join(f"{days}:{fitted.survival_function_at_times(days).iloc[0]:.12f}" for days in times)
        floating = [quantile(fitted, left) for left in (0.5, 0.2, 0.1)]
        exact = exact_quantiles(cohort)
        for rough, (sharp, is_tie) in zip(floating, exact):
            quantiles_read += 1
            rounded += rough != sharp
            assert rough == sharp or is_tie, (cohort, rough, sharp)
        columns = floating + [sharp for sharp, _ in exact]
        lines.append(";".join([observations, *columns, curve]))
    (HERE / "survival.csv").write_text("\n".join(lines) + "\n")
    print(f"{rounded} of {quantiles_read} quantiles of lifelines differ from the exact ones, all where exactly that share is left")
    return len(lines) - 1


def write_wilson():
    lines = [f"# statsmodels {statsmodels.__version__}: numerator;denominator;low;high"]
    pairs = [(0, 1), (1, 1), (0, 39), (39, 39), (5, 9), (4, 9), (5, 7), (1, 100_000), (99_999, 100_000)]
    for _ in range(191):
        n = CHANCE.choice([1, 2, 3, 9, 39, 175, 783, 5000, 100_000])
        pairs.append((CHANCE.randint(0, n), n))
    for numerator, n in pairs:
        low, high = proportion_confint(numerator, n, alpha=0.05, method="wilson")
        lines.append(f"{numerator};{n};{low:.12f};{high:.12f}")
    (HERE / "wilson.csv").write_text("\n".join(lines) + "\n")
    return len(lines) - 1


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(f"{write_survival()} cohorts, {write_wilson()} intervals")
