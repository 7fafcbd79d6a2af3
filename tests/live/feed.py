"""32 writers and 8 readers of the feed, for a minute, against a running server:

    python3 tests/live/feed.py URL TOKEN [--seconds 60] [--writers 32] [--readers 8]

URL is the address of the API with /v1; TOKEN may do everything. The server must run without a rate limit (--rate-per-minute 0).
Half of the readers have the token, half have none. Each writer takes an advice through its life: draft, adoption, submission,
receipt, publication, and for every fourth the withdrawal of that publication.

In the end it says, for each reader: whether it saw each change exactly once and in order (moments only go up, and what it saw is
what a reader sees who begins at nothing); and whether each write that was acknowledged is among what those with the token saw.
"""

import argparse
import calendar
import http.client
import json
import sys
import threading
import time
import urllib.parse


class Api:
    """One connection that stays open."""

    def __init__(self, url, token=None):
        parts = urllib.parse.urlsplit(url)
        self.host, self.base, self.token = parts.netloc, parts.path.rstrip("/"), token
        self.connection = None

    def ask(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        while True:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(self.host, timeout=90)
                self.connection.request(method, self.base + path, data, headers)
                answer = self.connection.getresponse()
                text = answer.read()
            except (http.client.HTTPException, OSError):
                self.connection = None
                raise
            if answer.status in (429, 503):
                REFUSED.append(answer.status)
                time.sleep(int(answer.headers.get("Retry-After", "1")))
                continue
            return answer, (json.loads(text) if text else None)


REFUSED = []
FAILED = []
ACKNOWLEDGED = []


def write(url, token, number, until):
    api = Api(url, token)
    council = ["rozenburg", "hoogvliet", "hoek-van-holland"][number % 3]
    count = 0

    def sent(method, path, body, etag=None):
        answer, item = api.ask(method, path, body, {"If-Match": etag} if etag else None)
        if answer.status not in (200, 201):
            FAILED.append((answer.status, path, item))
            raise StopIteration
        ACKNOWLEDGED.append((item["id"], item["modifiedAt"]))
        return item["id"], answer.headers["ETag"]

    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
    while time.monotonic() < until:
        count += 1
        draft = {
            "kind": "unsolicited", "subject": f"Load {number}-{count}", "summary": "Made up.", "level": "neighbourhood",
            "themes": [], "councils": {"lead": council}, "points": [{"number": 1, "text": "Make it so"}],
        }
        try:
            item, etag = sent("POST", "/advice", draft)
            steps = [
                ("adoption", {"meetingOn": day, "quorum": True, "votesFor": 5, "votesAgainst": 0}),
                ("submission", {"submittedOn": day}),
                ("receipt", {"receivedOn": day, "cluster": "so"}),
                ("publication", {}),
            ]
            if count % 4 == 0:
                steps.append(("unpublication", {"reason": "Made up for a load."}))
            for event, body in steps:
                _, etag = sent("POST", f"/advice/{item}/{event}", body, etag)
        except StopIteration:
            continue


def read(url, token, seen, stop):
    api, cursor = Api(url, token), None
    while True:
        finish = stop.is_set()
        query = f"?limit=200&wait={0 if finish else 5}" + (f"&after={cursor}" if cursor else "")
        answer, page = api.ask("GET", "/changes" + query)
        if answer.status != 200:
            FAILED.append((answer.status, "/changes", page))
            return
        seen.extend((change["resource"], change["id"], change["modifiedAt"]) for change in page["items"])
        cursor = page["next"]
        if finish and not page["more"]:
            return


def microseconds(moment):
    """As a number: moments are written with as many digits as they need, and so do not sort as text."""
    whole, _, fraction = moment.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1_000_000 + int(fraction.ljust(6, "0") or 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--readers", type=int, default=8)
    arguments = parser.parse_args()
    url, token = arguments.url, arguments.token

    stop, until = threading.Event(), time.monotonic() + arguments.seconds
    seen = [[] for _ in range(arguments.readers)]
    tokens = [token if number % 2 == 0 else None for number in range(arguments.readers)]
    readers = [
        threading.Thread(target=read, args=(url, tokens[number], seen[number], stop))
        for number in range(arguments.readers)
    ]
    writers = [
        threading.Thread(target=write, args=(url, token, number, until)) for number in range(arguments.writers)
    ]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()

    print(f"{len(ACKNOWLEDGED)} writes acknowledged in {arguments.seconds:.0f} s by {arguments.writers} writers; "
          f"{len(REFUSED)} asked to come back; {len(FAILED)} failed")
    for failure in FAILED[:5]:
        print("failed:", failure)
    wrong = len(FAILED)
    fresh = {}
    for kind in (token, None):
        whole, done = [], threading.Event()
        done.set()
        read(url, kind, whole, done)
        fresh[kind] = whole
    for number, (kind, changes) in enumerate(zip(tokens, seen)):
        moments = [microseconds(moment) for _, _, moment in changes]
        ordered = all(earlier < later for earlier, later in zip(moments, moments[1:]))
        same = changes == fresh[kind]
        whole = kind is None or set(ACKNOWLEDGED) <= {(item, moment) for _, item, moment in changes}
        wrong += not (ordered and same and whole)
        print(f"reader {number} ({'token' if kind else 'public'}): {len(changes)} changes, "
              f"{'in order, each once' if ordered else 'NOT IN ORDER OR TWICE'}, "
              f"{'the same as from the beginning' if same else 'NOT THE SAME AS FROM THE BEGINNING'}"
              + ("" if kind is None else ", every acknowledged write among them" if whole else ", WRITES ARE MISSING"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
