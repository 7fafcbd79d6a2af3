#!/usr/bin/env python3
"""Backups of SQLite while a server writes, then restores that are killed with SIGKILL at any moment.

    python3 tests/live/backup.py target/debug/wijkaanzet /tmp/backup

Each backup must be sound by `check`. After each killed restore the database must be the old one or the new one, sound; and
one restore after it must succeed.
"""

import http.client
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

BINARY, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
PORT = int(os.environ.get("PORT", "8096"))
BACKUPS, KILLS = 10, 100
DATABASE = FOLDER / "wijkaanzet.sqlite"
ENV = dict(os.environ, DATA_DIR=str(FOLDER))
for name in ("DATABASE_URL", "TOKEN_ISSUER"):
    ENV.pop(name, None)


def run(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], env=ENV, capture_output=True, text=True)


def entries(path=DATABASE):
    done = run("check", "--database", f"sqlite://{path}")
    if done.returncode != 0:
        sys.exit(f"{path} is not sound: {done.stdout}{done.stderr}")
    return int(re.search(r"(\d+) entries", done.stdout)[1])


def main():
    FOLDER.mkdir()
    token = run("token", "--scope", "advice:write internal:read", "--councils", "*").stdout.strip()
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    server = subprocess.Popen(
        [BINARY, "serve", "--demo", "--listen", f"127.0.0.1:{PORT}", "--rate-per-minute", "0", "--log", "warn"],
        env=ENV, stdout=subprocess.DEVNULL)
    done, written, slowest = threading.Event(), 0, 0.0

    def write():
        nonlocal written, slowest
        draft = {"kind": "unsolicited", "subject": "Een bankje op het plein", "level": "neighbourhood",
                 "councils": {"lead": "rozenburg"}, "points": [{"number": 1, "text": "Zet een bankje neer"}]}
        while not done.is_set():
            begun = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
            connection.request("POST", "/v1/advice", json.dumps(draft), head)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 201:
                sys.exit(f"a write during a backup was answered {answer.status}")
            written += 1
            slowest = max(slowest, time.monotonic() - begun)

    for _ in range(600):
        try:
            http.client.HTTPConnection("127.0.0.1", PORT, timeout=5).request("GET", "/health/ready")
            break
        except OSError:
            time.sleep(0.1)
    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    for number in range(BACKUPS):
        made = run("backup", FOLDER / f"backup-{number}.sqlite")
        if made.returncode != 0:
            sys.exit(made.stderr)
        counts.append(int(re.search(r"entries +(\d+)", made.stdout)[1]))
    refused = run("restore", FOLDER / "backup-0.sqlite", "--replace")
    if refused.returncode == 0 or "in use" not in refused.stderr:
        sys.exit(f"a restore under a server: {refused.stdout}{refused.stderr}")
    done.set()
    writer.join()
    server.send_signal(signal.SIGKILL)
    server.wait()
    print(f"{BACKUPS} backups of {counts[0]} to {counts[-1]} entries beside {written} writes, the slowest {slowest:.2f} s")
    print(f"refused under a server: {refused.stderr.strip()}")
    for number in range(BACKUPS):
        if entries(FOLDER / f"backup-{number}.sqlite") != counts[number]:
            sys.exit(f"backup {number} has other entries than it said")

    begun = time.monotonic()
    if run("restore", FOLDER / "backup-0.sqlite", "--replace").returncode != 0:
        sys.exit("the first restore failed")
    takes = time.monotonic() - begun
    chance, found, now = random.Random(1), {"old": 0, "new": 0}, 0
    for number in range(KILLS):
        new = BACKUPS - 1 if now == 0 else 0
        backup = FOLDER / f"backup-{new}.sqlite"
        restore = subprocess.Popen([BINARY, "restore", str(backup), "--replace"], env=ENV, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, takes * 1.1))
        restore.send_signal(signal.SIGKILL)
        restore.wait()
        there = entries()
        if there not in (counts[now], counts[new]):
            sys.exit(f"after kill {number} the database has {there} entries: neither the old one nor the new one")
        found["old" if there == counts[now] else "new"] += 1
        now = new if there == counts[new] else now
        for aside in FOLDER.glob("wijkaanzet.sqlite.before-restore-*"):
            if not aside.name.endswith((".partial", "-wal", "-shm", "-journal", ".lock")):
                entries(aside)
                aside.unlink()
    last = run("restore", FOLDER / "backup-3.sqlite", "--replace")
    if last.returncode != 0 or entries() != counts[3]:
        sys.exit(f"the last restore: {last.stdout}{last.stderr}")
    print(f"{KILLS} restores of {takes:.2f} s killed: {found['old']} left the old database, {found['new']} the new one")
    print(last.stdout, end="")


main()
