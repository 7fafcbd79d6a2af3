"""Keeps an exact copy of what a reader of Wijk aan Zet may see, by following the feed of changes.

    python3 follow_changes.py URL COPY.json [--token TOKEN] [--once] [--compare]

URL is the address of the API, such as http://127.0.0.1:8080/v1. COPY.json holds the copy and the cursor; both are replaced in one
step, so the program may be stopped at any moment and goes on where it was. --once stops at the end of the feed instead of waiting
for more. --compare then reads every list and says whether the copy is the same, byte for byte.

Python 3.9 or later, and nothing else. What it shows of the feed:

* `next` is kept with the copy, never apart from it: what was taken in and where it goes on are one thing.
* `deleted` takes an item out; anything else puts the item in, whole. The same change twice does no harm.
* `more` says to come back at once; else `wait=30` comes back by itself as soon as something changes.
* 410 says that the cursor belongs to a history that is no more (the database was put back): begin anew.
* 429 and 503 say in Retry-After when to come back; a proxy may say 502 or 504.
* The cursor also goes as Journal-Position of any request: nothing older is read, whichever copy of the database answers.
"""

import argparse
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request

# The lists that the feed keeps up, each with the word that the feed has for its items.
LISTS = {
    "advice": "advice",
    "accords": "accord",
    "agreements": "agreement",
    "areas": "area",
    "clusters": "cluster",
    "collegetargets": "collegetarget",
    "commitments": "commitment",
    "councils": "council",
    "neighbourhoods": "neighbourhood",
    "obligations": "obligation",
    "office-holders": "office-holder",
    "participation-plans": "participation-plan",
    "policy-tracks": "policy-track",
    "talks": "talk",
    "term-rules": "term-rule",
    "terms-of-office": "term-of-office",
    "themes": "theme",
}
# Those that nobody sees without a token.
LISTS_WITH_TOKEN = {"advice-requests": "advice-request", "assignments": "assignment"}


class Api:
    def __init__(self, url, token):
        self.url, self.token, self.position = url.rstrip("/"), token, None

    def get(self, address):
        request = urllib.request.Request(address if "://" in address else self.url + address)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if self.position:
            request.add_header("Journal-Position", self.position)
        while True:
            try:
                with urllib.request.urlopen(request, timeout=90) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code not in (429, 502, 503, 504):
                    raise
                time.sleep(int(error.headers.get("Retry-After", "5")))
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
                print(f"no answer ({error}); again in 5 seconds", file=sys.stderr)
                time.sleep(5)


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"cursor": None, "items": {}}


def save(path, copy):
    """All or nothing: a new file takes the place of the old one."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(copy, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def take(copy, page):
    for change in page["items"]:
        key = f"{change['resource']} {change['id']}"
        if change["deleted"]:
            copy["items"].pop(key, None)
        else:
            copy["items"][key] = change["item"]
    copy["cursor"] = page["next"]


def follow(api, path, once):
    copy = load(path)
    more = True
    while True:
        if not more and once:
            return copy
        query = f"?limit=1000&wait={0 if more else 30}"
        if copy["cursor"]:
            query += f"&after={copy['cursor']}"
        try:
            page = api.get("/changes" + query)
        except urllib.error.HTTPError as error:
            if error.code != 410:
                raise
            print("the history was put back: beginning anew", file=sys.stderr)
            copy, more = {"cursor": None, "items": {}}, True
            continue
        changed = copy["cursor"] != page["next"]
        take(copy, page)
        if changed:
            save(path, copy)
            print(f"{len(page['items'])} changes; the copy holds {len(copy['items'])} items")
        more = page["more"]


def compare(api, copy):
    """Every list against the copy, item by item as text. Returns how many differ."""
    differ = 0
    # Whatever copy of the database answers: nothing older than what was followed.
    api.position = copy["cursor"]
    left = set(copy["items"])
    lists = LISTS | (LISTS_WITH_TOKEN if api.token else {})
    for name, resource in lists.items():
        address, count = f"/{name}?limit=1000", 0
        while address:
            page = api.get(address)
            for item in page["items"]:
                key = f"{resource} {item.get('id') or item['code']}"
                left.discard(key)
                count += 1
                if json.dumps(copy["items"].get(key)) != json.dumps(item):
                    differ += 1
                    print(f"differs: {key}")
            address = page["next"]
        print(f"{name}: {count} compared")
    for key in sorted(left):
        if key.split()[0] in lists.values():
            differ += 1
            print(f"in no list: {key}")
        else:
            print(f"not compared, for there is no list of it: {key}")
    print("the copy is the same" if differ == 0 else f"{differ} differ")
    return differ


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("copy")
    parser.add_argument("--token")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--compare", action="store_true")
    arguments = parser.parse_args()
    api = Api(arguments.url, arguments.token)
    copy = follow(api, arguments.copy, arguments.once or arguments.compare)
    if arguments.compare:
        sys.exit(1 if compare(api, copy) else 0)


if __name__ == "__main__":
    main()
