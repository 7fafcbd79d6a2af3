#!/usr/bin/env python3
"""Kills the server with SIGKILL in the middle of a thousand writes, starts it again and looks for what is lost.

    python3 tests/live/kill.py target/release/wijkaanzet sqlite:///tmp/kill/kill.sqlite /tmp/kill

Every write that was acknowledged must be there afterwards, `check` must find the journal whole, and no item may be half there.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

BINARY, DATABASE, DATA = sys.argv[1:4]
PORT = 8097
WRITES = 1000
WRITERS = 8
ENV = dict(os.environ, DATABASE_URL=DATABASE, DATA_DIR=DATA)


def start():
    server = subprocess.Popen(
        [BINARY, "serve", "--dev-tokens", "--listen", f"127.0.0.1:{PORT}", "--rate-per-minute", "0", "--log", "warn"],
        env=ENV, stdout=subprocess.DEVNULL)
    for _ in range(200):
        try:
            if ask("GET", "/health/ready")[0] == 200:
                return server
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not start")


def ask(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    connection.request(method, path, json.dumps(body) if body is not None else None, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None, answer.headers.get("ETag")


def main():
    token = subprocess.run(
        [BINARY, "token", "--scope", "advice:write internal:read", "--councils", "*"],
        env=ENV, capture_output=True, text=True, check=True).stdout.strip()
    write = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    server = start()
    acknowledged, lock = {}, threading.Lock()

    def writer(number):
        while len(acknowledged) < WRITES:
            draft = {"kind": "unsolicited", "subject": f"Advies {number}", "level": "neighbourhood",
                     "councils": {"lead": "rozenburg"}, "points": [{"number": 1, "text": "Doe het"}]}
            try:
                status, item, etag = ask("POST", "/v1/advice", draft, write)
                if status != 201:
                    sys.exit(f"{status} {item}")
                with lock:
                    acknowledged[item["id"]] = 1
                adoption = {"meetingOn": "2026-01-20", "quorum": True, "votesFor": 7, "votesAgainst": 0}
                status, item, _ = ask("POST", f"/v1/advice/{item['id']}/adoption", adoption, {**write, "If-Match": etag})
                if status != 200:
                    sys.exit(f"{status} {item}")
                with lock:
                    acknowledged[item["id"]] = 2
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                return  # the server is gone: this write was never acknowledged

    writers = [threading.Thread(target=writer, args=(n,)) for n in range(WRITERS)]
    for thread in writers:
        thread.start()
    while len(acknowledged) < WRITES // 2:
        time.sleep(0.005)
    server.send_signal(signal.SIGKILL)
    server.wait()
    for thread in writers:
        thread.join()
    writes = sum(acknowledged.values())
    print(f"killed after {writes} acknowledged writes on {len(acknowledged)} advice")

    server = start()
    lost = []
    for advice, version in acknowledged.items():
        status, item, _ = ask("GET", f"/v1/advice/{advice}", headers={"Authorization": f"Bearer {token}"})
        if status != 200 or item["version"] < version:
            lost.append(advice)
    server.terminate()
    server.wait()
    print(f"lost: {len(lost)}")
    check = subprocess.run([BINARY, "check"], env=ENV, capture_output=True, text=True)
    print(check.stdout.strip() + check.stderr.strip())
    sys.exit(1 if lost or check.returncode else 0)


main()
