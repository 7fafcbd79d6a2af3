#!/usr/bin/env python3
"""Writes agreements.csv and judgements.csv of the plan year 2023, made up, with the shares that the city measured then.

    python3 tests/live/collegetarget_2023.py /tmp/2023
    wijkaanzet import --source agreements --accords /tmp/2023/agreements.csv
    wijkaanzet import --source judgements /tmp/2023/judgements.csv

    wijkaanzet serve --listen 127.0.0.1:8090 &
    python3 tests/live/collegetarget_2023.py --measure http://127.0.0.1:8090

All 39 councils, 1400 agreements due in 2023, judged on 2023-12-31 at the latest: 868 realised (green), 490 running (orange, or not
judged at all) and 42 that will not be (red), which is 62 %, 35 % and 3 %. The same seed writes the same files.
"""

import csv
import datetime
import json
import pathlib
import random
import sys
import time
import urllib.error
import urllib.request


def get(path):
    """Asks a server that may still be starting."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(sys.argv[2] + path) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            time.sleep(0.1)
    sys.exit("no server answers at " + sys.argv[2])


def measure():
    """The figure over what was imported is what the city measured."""
    total = get("/v1/metrics/collegetarget?on=2023-12-31")["total"]
    parts = {part["code"]: part for part in total["parts"]}
    target = next(item for item in get("/v1/collegetargets")["items"] if item["measurements"])
    measured = next(item for item in target["measurements"] if item["referenceOn"] == "2023-12-31")
    wrong = 0
    for part, field in [("realised", "realisedPermille"), ("running", "runningPermille"), ("not-realised", "notRealisedPermille")]:
        found = parts[part]
        same = found["numerator"] * 1000 == measured[field] * found["denominator"]
        wrong += not same
        print(f"{part}: {found['numerator']} of {found['denominator']} = {found['value']}, measured {measured[field]} per mille:",
              "the same" if same else "NOT the same")
    sys.exit(1 if wrong else 0)


if sys.argv[1] == "--measure":
    measure()

FOLDER = pathlib.Path(sys.argv[1])
COUNCILS = pathlib.Path(__file__).parents[2] / "domain" / "data" / "councils.csv"
CLUSTERS = ["so", "sb", "mo", "bco", "dienstverlening", "werk-en-inkomen", "directie-veiligheid"]
THEMES = ["mobility", "public-space", "housing", "safety", "green-and-climate", "welfare-and-care", "culture-and-sport"]
PARTIES = ["Woonstad", "Havensteder", "Vestia", "Buurtvereniging"]
SUBJECTS = ["Zebrapad", "Speeltuin", "Bankjes", "Verlichting", "Geveltuinen", "Buurthuis", "Fietsenrek", "Afvalbakken"]
PLACES = ["bij de school", "aan de kade", "op het plein", "in het park", "bij de halte", "achter de flat"]
REALISED, ORANGE, NOT_JUDGED, RED = 868, 350, 140, 42

random.seed(2023)
with open(COUNCILS, encoding="utf-8") as file:
    councils = [row["code"] for row in csv.DictReader(file)]
assert len(councils) == 39, len(councils)


def day(first, last):
    first, last = (datetime.date.fromisoformat(text) for text in (first, last))
    return first + datetime.timedelta(days=random.randrange((last - first).days + 1))


fates = ["realised"] * REALISED + ["orange"] * ORANGE + ["none"] * NOT_JUDGED + ["red"] * RED
random.shuffle(fates)
agreements, judgements = [], []
for place, fate in enumerate(fates):
    council, count = councils[place % len(councils)], place // len(councils)
    number = f"{count // 9 + 1}.{count % 9 + 1}"
    agreed_on = day("2022-10-01", "2023-02-28")
    due_on = day("2023-04-01", "2023-12-31")
    outside = random.random() < 0.15
    agreements.append({
        "council": council,
        "planYear": 2023,
        "number": number,
        "title": f"{random.choice(SUBJECTS)} {random.choice(PLACES)}",
        "size": random.choice(["large", "small", "small"]),
        "cluster": random.choice(CLUSTERS),
        "party": random.choice(PARTIES) if outside else "",
        "agreedOn": agreed_on,
        "dueOn": due_on,
        "ongoingReason": "",
        "themes": "|".join(sorted(random.sample(THEMES, random.choice([0, 1, 1, 2])))),
    })
    judge = {"council": council, "planYear": 2023, "number": number}
    # Some were judged before: only the last word of the year counts.
    if fate in ("realised", "red") and random.random() < 0.3:
        judgements.append({**judge, "colour": "orange", "realised": "false", "on": day("2023-03-01", "2023-08-31"),
                           "note": "Nog niet klaar"})
    colour = {"realised": "green", "orange": "orange", "red": "red"}.get(fate)
    if colour:
        judgements.append({**judge, "colour": colour, "realised": str(fate == "realised").lower(),
                           "on": day("2023-09-01", "2023-12-31"), "note": ""})


def write(name, rows):
    with open(FOLDER / name, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    print(f"{FOLDER / name}: {len(rows)} rows")


FOLDER.mkdir(parents=True, exist_ok=True)
write("agreements.csv", agreements)
write("judgements.csv", judgements)
