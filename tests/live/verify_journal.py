#!/usr/bin/env python3
"""Reads the journal of a running server, computes every hash again, and compares the last one of each day with the published roots.

    python3 tests/live/verify_journal.py http://127.0.0.1:8080 "$TOKEN" [--root YYYY-MM-DD=HASH ...]

The token needs the scope audit:read. Ends with status 0 only if all is well. Python 3.9 or later, nothing else; where the system
has no time zones, `pip install tzdata`.
"""

import argparse
import hashlib
import json
import sys
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HASHED = [
    "sequence", "microseconds", "actor", "reason", "resource", "item", "version", "event", "snapshot",
    "audienceBefore", "audienceAfter", "seenFrom", "previousHash",
]


def get(url, token=None):
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def each(base, path, token=None):
    """All items of a list, page by page. Goes on at our own base address, wherever the server says that it is."""
    url = base + path
    while url:
        page = get(url, token)
        yield from page["items"]
        following = page["next"] and urllib.parse.urlsplit(page["next"])
        url = following and f"{base}{following.path}?{following.query}"


def digest(entry):
    text = json.dumps([entry[field] for field in HASHED], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def day_of(entry):
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=entry["microseconds"])
    return moment.astimezone(AMSTERDAM).date().isoformat()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("token")
    parser.add_argument("--root", action="append", default=[], metavar="YYYY-MM-DD=HASH")
    arguments = parser.parse_args()
    base = arguments.base.rstrip("/")

    # The roots first: what is written meanwhile changes none of them.
    published = {root["day"]: root["hash"] for root in each(base, "/v1/journal-roots?limit=1000")}
    problems, entries, before, moment, computed = [], 0, "", -1, {}
    for entry in each(base, "/v1/journal?limit=1000", arguments.token):
        entries += 1
        if entry["sequence"] != entries:
            problems.append(f"entry {entries} is missing: {entry['sequence']} stands in its place")
            break
        if entry["previousHash"] != before:
            problems.append(f"entry {entries} does not follow the one before it")
            break
        if entry["hash"] != digest(entry):
            problems.append(f"entry {entries} ({entry['resource']} {entry['item']}) is not what its hash says")
            break
        if entry["microseconds"] <= moment:
            problems.append(f"entry {entries} is not later than the one before it")
            break
        before, moment = entry["hash"], entry["microseconds"]
        computed[day_of(entry)] = entry["hash"]

    noted = [tuple(root.split("=", 1)) for root in arguments.root]
    for what, day, hash_ in [("published", *root) for root in published.items()] + [("noted", *root) for root in noted]:
        if computed.get(day) != hash_:
            problems.append(f"the {what} root of {day} is {hash_}, but its last entry says {computed.get(day)}")
    for day in sorted(computed)[:-1]:
        if day not in published:
            problems.append(f"{day} is over and has no published root")

    print(f"{entries} entries on {len(computed)} days; {len(published)} published roots, {len(noted)} noted")
    if computed:
        print(f"the last entry says {before}")
    for problem in problems:
        print(f"problem: {problem}")
    print("all is well" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
