"""A load of writers and readers that remembers what it saw: for the scripts beside it that break something meanwhile."""

import calendar
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time
import uuid

BIN = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1] if pathlib.Path("/usr/lib/postgresql").exists() else None
# PostgreSQL refuses to run as root.
OWNER = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] if os.getuid() == 0 else []


def as_owner(*command):
    return subprocess.run([*OWNER, *map(str, command)], check=True, cwd="/", capture_output=True, text=True)


def own(*paths):
    for path in paths:
        path.mkdir(parents=True, exist_ok=True)
        if OWNER:
            shutil.chown(path, "nobody")


def init_postgres(data):
    as_owner(BIN / "initdb", f"--pgdata={data}", "--username=postgres", "--auth=trust", "--encoding=UTF8")


def start_postgres(data, socket, settings=""):
    with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write(f"\nlisten_addresses = ''\nunix_socket_directories = '{socket}'\nmax_connections = 200\n{settings}\n")
    as_owner(BIN / "pg_ctl", "start", f"--pgdata={data}", f"--log={data}/server.log", "--wait", "--silent")


def start_api(program, port, log, **environment):
    """The program, when it is ready."""
    with open(log, "a", encoding="utf-8") as file:
        process = subprocess.Popen(
            [program, "serve", "--dev-tokens", "--listen", f"127.0.0.1:{port}", "--rate-per-minute", "0", "--log", "warn"],
            stdout=file, stderr=file, env=os.environ | environment,
        )
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return process
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"the process on port {port} is not ready; see {log}")


def token_for(program, data_dir, scopes, **environment):
    return subprocess.run(
        [program, "token", "--scope", scopes, "--councils", "*", "--clusters", "*", "--data-dir", data_dir],
        check=True, capture_output=True, text=True, env=os.environ | environment,
    ).stdout.strip()


def microseconds(moment):
    """As a number: moments are written with as many digits as they need, and so do not sort as text."""
    whole, _, fraction = moment.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1_000_000 + int(fraction.ljust(6, "0") or 0)


def longest_gap(moments, begin, end):
    moments = [begin, *sorted(moment for moment in moments if begin <= moment <= end), end]
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))


class Load:
    """Writers, readers and followers of the feed against one address. A writer sends what failed again, with the same key."""

    def __init__(self, port, writer, reader):
        self.port, self.writer, self.reader = port, writer, reader
        self.begun = time.monotonic()
        self.seen = []  # (moment, who, what)
        self.acknowledged = []
        self.followed = []
        self.stopping, self.written = threading.Event(), threading.Event()
        self.threads, self.followers = [], []

    def now(self):
        return time.monotonic() - self.begun

    def at(self, second):
        time.sleep(max(0.0, second - self.now()))

    def ask(self, method, path, token=None, body=None, headers=None):
        """One request on a connection of its own: status, body, headers."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=80)
        try:
            connection.request(method, "/v1" + path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text and "json" in answer.headers.get("Content-Type", "") else None
        finally:
            connection.close()

    def noted(self, who, *arguments, **options):
        try:
            status, body = self.ask(*arguments, **options)
            self.seen.append((self.now(), who, str(status)))
            return status, body
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.seen.append((self.now(), who, type(error).__name__))
            return None, None

    def write(self, summary):
        while not self.stopping.is_set():
            body = {
                "kind": "unsolicited", "subject": "Made up", "summary": summary, "level": "neighbourhood",
                "themes": [], "councils": {"lead": "rozenburg"}, "points": [{"number": 1, "text": "Make it so"}],
            }
            key = {"Idempotency-Key": f'"{uuid.uuid4()}"'}
            while True:
                status, item = self.noted("write", "POST", "/advice", token=self.writer, body=body, headers=key)
                if status == 201:
                    self.acknowledged.append(item["id"])
                    break
                if self.stopping.is_set():
                    return
                time.sleep(0.25)

    def read(self):
        while not self.stopping.is_set():
            self.noted("read", "GET", "/councils?limit=20")
            time.sleep(0.02)

    def follow(self, seen):
        cursor = None
        while True:
            finish = self.written.is_set()
            query = f"?limit=500&wait={0 if finish else 5}" + (f"&after={cursor}" if cursor else "")
            status, page = self.noted("feed", "GET", "/changes" + query, token=self.reader)
            if status != 200:
                time.sleep(0.25)
                continue
            seen.extend((change["id"], change["modifiedAt"]) for change in page["items"])
            cursor = page["next"]
            if finish and not page["more"]:
                return

    def start(self, writers=16, readers=8, followers=2, summary="Made up."):
        self.threads += [threading.Thread(target=self.write, args=(summary,)) for _ in range(writers)]
        self.threads += [threading.Thread(target=self.read) for _ in range(readers)]
        self.followed = [[] for _ in range(followers)]
        self.followers = [threading.Thread(target=self.follow, args=(seen,)) for seen in self.followed]
        for thread in self.threads + self.followers:
            thread.start()

    def stop(self):
        """Ends the writers and readers, and then the followers, who first come to the end of the feed."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.written.set()
        for thread in self.followers:
            thread.join()

    def report(self, phases):
        """What callers saw in each phase; phases are (second, what), the last is the end."""
        for (begin, what), (end, _) in zip(phases, phases[1:]):
            print(f"\n{begin:4.0f} to {end:.0f} s: {what}")
            for who in ("read", "feed", "write"):
                counts = {}
                for moment, one, status in self.seen:
                    if one == who and begin <= moment < end:
                        counts[status] = counts.get(status, 0) + 1
                well = [moment for moment, one, status in self.seen if one == who and status in ("200", "201")]
                gap = longest_gap(well, begin, end)
                if counts:
                    print(f"   {who:5} {json.dumps(counts, sort_keys=True)}; longest without a good answer {gap:.1f} s")

    def verify(self):
        """Whether each acknowledged write is there, and what the followers saw. Returns how much is wrong."""
        held, cursor = set(), ""
        while cursor is not None:
            status, page = self.ask("GET", f"/advice?limit=1000{cursor}", token=self.writer)
            assert status == 200, page
            held |= {item["id"] for item in page["items"]}
            cursor = "&cursor=" + page["next"].split("cursor=")[1] if page["next"] else None
        wrong = len(set(self.acknowledged) - held)
        wrong += len(self.acknowledged) - len(set(self.acknowledged))
        print(f"\n{len(self.acknowledged)} writes acknowledged; lost or made twice: {wrong}; in the database: {len(held)}")
        whole = []
        self.written.set()
        self.follow(whole)
        for seen in self.followed:
            moments = [microseconds(moment) for _, moment in seen]
            order = all(earlier < later for earlier, later in zip(moments, moments[1:]))
            wrong += not order or seen != whole
            print(f"a follower of the feed saw {len(seen)} changes, {'in order, each once' if order else 'NOT IN ORDER'}, "
                  f"{'the same as from the beginning' if seen == whole else 'NOT THE SAME AS FROM THE BEGINNING'}")
        return wrong


def check(program, url):
    """What `wijkaanzet check` says. Returns 0 when all is well."""
    done = subprocess.run([program, "check", "--database", url], capture_output=True, text=True)
    print(done.stdout.strip() + done.stderr.strip())
    return done.returncode
