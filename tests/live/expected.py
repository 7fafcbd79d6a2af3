#!/usr/bin/env python3
"""Compares what was imported from the portals' lists, as the public API shows it, with a reader's own attribution, row by row.

    python3 tests/live/expected.py http://127.0.0.1:8080 expected.csv

The file has a row for each row of the lists: url, lead_council, co_councils, kind, advice_group, role.
"""

import collections
import csv
import json
import sys
import urllib.request

AT, EXPECTED = sys.argv[1:3]


def everything(path):
    items, at = [], f"{AT}{path}"
    while at:
        page = json.load(urllib.request.urlopen(at))
        items += page["items"]
        at = page["next"]
    return items


advice = everything("/v1/advice?limit=10")
by_url = collections.defaultdict(list)
for item in advice:
    for reference in item["references"]:
        by_url[reference["url"]].append(item)

wrong, groups = 0, collections.defaultdict(set)
rows = list(csv.DictReader(open(EXPECTED, encoding="utf-8")))
for row in rows:
    found = [item for item in by_url[row["url"]] if item["status"] != "merged"]
    faults = []
    if len(found) != 1:
        faults.append(f"stands on {len(found)} advice")
    else:
        item = found[0]
        councils = {cosigner["council"] for cosigner in item["councils"]["cosigners"]}
        issues = {issue["code"] for issue in item["dataIssues"]}
        if row["role"].startswith("cosigner of "):
            lead = row["role"].removeprefix("cosigner of ")
            if row["lead_council"] not in councils:
                faults.append("is no co-signer")
        else:
            lead = row["lead_council"]
            if row["co_councils"] == "several":
                if "cosigners-unknown" not in issues:
                    faults.append("says nothing of several others")
            elif set(filter(None, row["co_councils"].split(";"))) - councils:
                faults.append(f"co-signers {sorted(councils)}")
        if item["councils"]["lead"] != lead:
            faults.append(f"lead {item['councils']['lead']}")
        if item["kind"] != row["kind"]:
            faults.append(f"kind {item['kind']}")
        if row["note"] == "VERVALLEN" and item["status"] != "withdrawn":
            faults.append(f"status {item['status']}")
        if row["advice_group"]:
            groups[row["advice_group"]].add(item["id"])
    wrong += bool(faults)
    print("ok  " if not faults else "FAIL", row["url"][-12:], row["lead_council"], row["kind"], row["role"], *faults)
for group, ids in groups.items():
    print("ok  " if len(ids) == 1 else "FAIL", "group", group, "is", len(ids), "advice")
    wrong += len(ids) != 1
print(f"{len(rows)} rows, {len(advice)} advice, {wrong} wrong")
sys.exit(1 if wrong else 0)
