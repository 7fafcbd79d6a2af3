#!/usr/bin/env python3
"""Replays docs/bi.md against a running server, as a BI tool would, with Python's standard library alone.

    python3 tests/live/bi.py http://127.0.0.1:8080/v1 [TOKEN]

Reads the dictionary; then each table as JSON, as CSV and in the Dutch Excel's CSV, and finds the same rows and the columns and types
that the dictionary promises; then an increment since the last change, merged into the copy, and one since now, which is empty. Prints
requests, bytes and seconds.
"""

import csv
import datetime
import io
import json
import re
import sys
import time
import urllib.parse
import urllib.request

BASE = sys.argv[1].rstrip("/")
TOKEN = sys.argv[2] if len(sys.argv) > 2 else None
FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
}
SQL = {"string": "text", "integer": "bigint", "decimal": "numeric", "boolean": "boolean", "date": "date",
       "date-time": "timestamptz"}
requests = sent = 0


def get(path, **query):
    global requests, sent
    address = f"{BASE}/{path}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"} if TOKEN else {})
    with urllib.request.urlopen(request) as answer:
        body = answer.read()
    requests, sent = requests + 1, sent + len(body)
    return body


def must(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def fits(kind, value):
    if kind in FORMS:
        return isinstance(value, str) and FORMS[kind].fullmatch(value)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "decimal": (int, float), "boolean": bool}[kind])


def cell(value, comma=False):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value if value[:1] in tuple("=+-@\t\r") and value else value
    return str(value).replace(".", ",") if comma else str(value)


def in_csv(table, columns, rows, delimiter, **query):
    text = get(f"bi/{table}", **query).decode("utf-8-sig" if delimiter == ";" else "utf-8")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    must(lines[0] == [column["column"] for column in columns], f"{table}: the columns of the CSV")
    expected = [[cell(value, delimiter == ";") for value in row.values()] for row in rows]
    must(lines[1:] == expected, f"{table}: the rows of the CSV")


def create_table(table, columns):
    """As docs/bi.md has it: names are quoted, for they keep their capitals and some are words of SQL."""
    lines = [f'  "{column["column"]}" {SQL[column["type"]]}{"" if column["nullable"] else " NOT NULL"}'
             for column in columns]
    keys = ", ".join(f'"{column["column"]}"' for column in columns if column["key"])
    return f'CREATE TABLE "{table}" (\n' + ",\n".join(lines) + f",\n  PRIMARY KEY ({keys})\n);"


def dictionary():
    """Page by page, by the cursor in `next`, as a tool with one static address does it."""
    columns, query = [], {"limit": 100}
    while True:
        page = json.loads(get("bi", **query))
        columns += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = urllib.parse.parse_qs(urllib.parse.urlsplit(page["next"]).query)["cursor"][0]
    tables = {}
    for column in columns:
        tables.setdefault(column["table"], []).append(column)
    return tables


def replay(table, columns):
    body = json.loads(get(f"bi/{table}"))
    rows = body["items"]
    must(body["next"] is None, f"{table}: next")
    names = [column["column"] for column in columns]
    for row in rows:
        must(list(row) == names, f"{table}: the columns of the JSON")
        must(row["deleted"] is False, f"{table}: a deleted row in a whole table")
        for column in columns:
            value = row[column["column"]]
            right = column["nullable"] if value is None else fits(column["type"], value)
            must(right, f"{table}: {column['column']} is {value!r}")
    keys = [column["column"] for column in columns if column["key"]]
    must(len({tuple(row[key] for key in keys) for row in rows}) == len(rows), f"{table}: two rows with one key")
    in_csv(table, columns, rows, ",", format="csv")
    in_csv(table, columns, rows, ";", csv="nl-excel")
    if rows:
        since = max(row["modifiedAt"] for row in rows)
        merge = next(column["column"] for column in columns if column["merge"])
        came = json.loads(get(f"bi/{table}", modifiedSince=since))["items"]
        must(came, f"{table}: an increment since the last change holds that change")
        changed = {row[merge] for row in came}
        copy = [row for row in rows if row[merge] not in changed] + [row for row in came if not row["deleted"]]
        order = lambda row: json.dumps(row)
        must(sorted(copy, key=order) == sorted(rows, key=order), f"{table}: the merged copy")
    # A day ahead of us: a server's clock may run a little before ours.
    ahead = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).isoformat(timespec="seconds")
    must(json.loads(get(f"bi/{table}", modifiedSince=ahead))["items"] == [], f"{table}: an increment since tomorrow")
    in_csv(table, columns, [], ",", format="csv", modifiedSince=ahead)
    return len(rows)


started = time.monotonic()
tables = dictionary()
for table, columns in tables.items():
    begun = time.monotonic()
    count = replay(table, columns)
    print(f"{table:16} {count:6} rows {len(columns):3} columns {time.monotonic() - begun:6.2f} s")
year = datetime.date.today().year
coverage = json.loads(get("coverage", year=year))["items"]
must(len(coverage) == 39 and all(row["year"] == year for row in coverage), "coverage: 39 councils")
print(f"coverage {year}: {sum(row['advice']['known'] for row in coverage)} advice known, "
      f"{sum(row['advice']['state'] != 'complete' for row in coverage)} councils not complete")
print(create_table("areas", tables["areas"]))
print(f"{requests} requests, {sent} bytes, {time.monotonic() - started:.2f} seconds")
