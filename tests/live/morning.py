"""A dashboard's morning: loads every flat table and ten metrics of a running server, changes fifty agreements, and loads again what
changed. Prints requests, bytes and seconds, and how much memory the server took at most.

    python3 tests/live/morning.py BASE_URL SERVER_PID TOKEN
"""

import json
import sys
import time
import urllib.error
import urllib.request

METRICS = [
    "answered-in-time?groupBy=council",
    "answered-in-time?groupBy=month",
    "response-time?groupBy=council",
    "outcomes?groupBy=council",
    "volume?groupBy=council,kind",
    "published?groupBy=quarter",
    "collegetarget?groupBy=council",
    "judgement-gap?groupBy=council",
    "open-late?groupBy=area",
    "data-quality?groupBy=council",
]


class Load:
    """What a number of requests came to."""

    def __init__(self, name):
        self.name, self.requests, self.bytes = name, 0, 0
        self.began = time.monotonic()

    def get(self, base, path):
        self.requests += 1
        size = 0
        first = b""
        with urllib.request.urlopen(base + path) as answer:
            while chunk := answer.read(1 << 20):
                first = first or chunk[:2000]
                size += len(chunk)
        self.bytes += size
        return first

    def say(self):
        seconds = time.monotonic() - self.began
        print(f"{self.name:<28} {self.requests:>4} requests {self.bytes:>12} bytes {seconds:8.2f} s")


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status if ":" in line)
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmHWM", "VmRSS")}


def change(base, token):
    """Fifty agreements get another word from the organisation; gives the moment before."""
    with urllib.request.urlopen(f"{base}/v1/agreements?limit=50") as answer:
        agreements = json.load(answer)["items"]
    since = max(item["modifiedAt"] for item in agreements)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    for number, item in enumerate(agreements):
        path = f"{base}/v1/agreements/{item['id']}"
        with urllib.request.urlopen(path) as answer:
            etag = answer.headers["ETag"]
        body = json.dumps({"state": "running", "on": today, "evidenceUrl": f"https://example.org/{number}"}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "If-Match": etag}
        request = urllib.request.Request(path + "/progress", body, headers, method="POST")
        with urllib.request.urlopen(request) as answer:
            last = json.load(answer)["modifiedAt"]
            if number == 0:
                since = last
    return since


def main():
    base, pid, token = sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3]
    at_rest = memory(pid)
    with urllib.request.urlopen(f"{base}/v1/bi?limit=1000") as answer:
        tables = list(dict.fromkeys(row["table"] for row in json.load(answer)["items"]))
    load = Load("all tables, CSV")
    for table in tables:
        load.get(base, f"/v1/bi/{table}?format=csv")
    load.say()
    after_tables = memory(pid)
    load = Load("all tables, JSON")
    for table in tables:
        load.get(base, f"/v1/bi/{table}")
    load.say()
    load = Load("first metric, nothing known")
    load.get(base, "/v1/metrics/" + METRICS[0])
    load.say()
    load = Load("ten metrics")
    for metric in METRICS:
        load.get(base, "/v1/metrics/" + metric)
    load.say()
    load = Load("ten metrics, a year")
    for metric in METRICS:
        load.get(base, "/v1/metrics/" + metric + "&on=2025-12-31")
    load.say()
    load = Load("fifty changes")
    since = change(base, token)
    load.requests = 101
    load.say()
    load = Load("increment of all tables, CSV")
    for table in tables:
        load.get(base, f"/v1/bi/{table}?format=csv&modifiedSince={since}")
    load.say()
    load = Load("ten metrics after them")
    for metric in METRICS:
        load.get(base, "/v1/metrics/" + metric)
    load.say()
    at_end = memory(pid)
    print(f"memory: {at_rest['VmRSS']:.0f} MB at rest, peak {after_tables['VmHWM']:.0f} MB after the tables in CSV, "
          f"peak {at_end['VmHWM']:.0f} MB at the end, {at_end['VmRSS']:.0f} MB then")


if __name__ == "__main__":
    main()
