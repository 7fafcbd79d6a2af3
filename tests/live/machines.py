"""More than one machine, on one machine: a PostgreSQL with a streaming standby (synchronous), three API processes and nginx.

    python3 tests/live/machines.py PROGRAM FOLDER

PROGRAM is the wijkaanzet binary; FOLDER is new, with a short path that others may enter. PostgreSQL and nginx must be installed;
ports 9300 to 9303 are used. Under a load of 16 writers, 8 readers of lists and 2 followers of the feed, through nginx:

     8 s   one API process is killed (-9), and started again at 16 s
    24 s   the primary is killed (-9)
    32 s   the standby is promoted
    48 s   the end

A writer whose request fails sends it again with the same Idempotency-Key. It prints what callers saw in each phase, and then
whether every write that was acknowledged is there, once, and whether `wijkaanzet check` finds all well.
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
HERE = pathlib.Path(__file__).resolve().parent
BIN = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
OWNER = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] if os.getuid() == 0 else []
PORTS = [9301, 9302, 9303]
PHASES = [
    (0, "all is well"), (8, "one API process is gone"), (16, "it is back"), (24, "the primary is gone"),
    (32, "the standby is promoted"), (48, "end"),
]


def as_owner(*command, **options):
    return subprocess.run([*OWNER, *map(str, command)], check=True, cwd="/", capture_output=True, text=True, **options)


def socket_of(name):
    return FOLDER / name


def start_postgres(name, settings):
    data = FOLDER / f"{name}-data"
    with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write(f"\nlisten_addresses = ''\nunix_socket_directories = '{socket_of(name)}'\n{settings}\n")
    as_owner(BIN / "pg_ctl", "start", f"--pgdata={data}", f"--log={FOLDER}/{name}.log", "--wait", "--silent")


def make_databases():
    FOLDER.mkdir(parents=True)
    for name in ("a", "b"):
        socket_of(name).mkdir()
    if OWNER:
        for path in (FOLDER, socket_of("a"), socket_of("b")):
            shutil.chown(path, "nobody")
    as_owner(BIN / "initdb", f"--pgdata={FOLDER}/a-data", "--username=postgres", "--auth=trust", "--encoding=UTF8")
    start_postgres("a", "max_connections = 200\nwal_level = replica")
    as_owner("psql", f"--host={socket_of('a')}", "--username=postgres", "--command=CREATE DATABASE wijkaanzet")
    as_owner(
        BIN / "pg_basebackup", f"--host={socket_of('a')}", "--username=postgres", f"--pgdata={FOLDER}/b-data",
        "--write-recovery-conf", "--checkpoint=fast", "--create-slot", "--slot=b",
    )
    # The standby must not wait for a standby of its own once it is promoted.
    start_postgres("b", "synchronous_standby_names = ''")
    for command in ("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"):
        as_owner("psql", f"--host={socket_of('a')}", "--username=postgres", f"--command={command}")


WRITE_URL = f"postgres://postgres@/wijkaanzet?host={socket_of('a')},{socket_of('b')}&target_session_attrs=read-write"
READ_URL = f"postgres://postgres@/wijkaanzet?host={socket_of('b')}"


def start_api(port):
    log = open(FOLDER / f"api-{port}.log", "a", encoding="utf-8")
    environment = os.environ | {"DATABASE_URL": WRITE_URL, "DATABASE_READ_URL": READ_URL, "DATA_DIR": str(FOLDER / "key")}
    process = subprocess.Popen(
        [PROGRAM, "serve", "--dev-tokens", "--listen", f"127.0.0.1:{port}", "--rate-per-minute", "0"],
        stdout=log, stderr=log, env=environment,
    )
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return process
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the process on port {port} is not ready; see {log.name}")


def ask(connection, method, path, token=None, body=None, headers=None):
    headers = dict(headers or {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, "/v1" + path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, (json.loads(text) if text and "json" in answer.headers.get("Content-Type", "") else None)


def token_for(scopes):
    return subprocess.run(
        [PROGRAM, "token", "--scope", scopes, "--councils", "*", "--clusters", "*", "--data-dir", FOLDER / "key"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()


BEGUN = 0.0
SEEN = []  # (moment, who, what)
ACKNOWLEDGED = []  # (moment, id)
STOP = threading.Event()
WRITTEN = threading.Event()


def note(who, what):
    SEEN.append((time.monotonic() - BEGUN, who, str(what)))


def once(who, *arguments, **options):
    """One request through nginx on a connection of its own; what came of it, or None."""
    connection = http.client.HTTPConnection("127.0.0.1", 9300, timeout=80)
    try:
        status, body = ask(connection, *arguments, **options)
        note(who, status)
        return status, body
    except (OSError, http.client.HTTPException) as error:
        note(who, type(error).__name__)
        return None, None
    finally:
        connection.close()


def write(token):
    while not STOP.is_set():
        body = {
            "kind": "unsolicited", "subject": "Made up", "summary": "Made up.", "level": "neighbourhood", "themes": [],
            "councils": {"lead": "rozenburg"}, "points": [{"number": 1, "text": "Make it so"}],
        }
        key = {"Idempotency-Key": f'"{uuid.uuid4()}"'}
        while True:
            status, item = once("write", "POST", "/advice", token=token, body=body, headers=key)
            if status == 201:
                ACKNOWLEDGED.append((time.monotonic() - BEGUN, item["id"]))
                break
            if STOP.is_set():
                return
            time.sleep(0.25)


def read():
    while not STOP.is_set():
        once("read", "GET", "/councils?limit=20")
        time.sleep(0.02)


def follow(token, seen):
    cursor = None
    while True:
        finish = WRITTEN.is_set()
        query = f"?limit=500&wait={0 if finish else 5}" + (f"&after={cursor}" if cursor else "")
        status, page = once("feed", "GET", "/changes" + query, token=token)
        if status != 200:
            time.sleep(0.25)
            continue
        seen.extend((change["id"], change["modifiedAt"]) for change in page["items"])
        cursor = page["next"]
        if finish and not page["more"]:
            return


def longest_gap(moments, begin, end):
    moments = [begin, *sorted(moment for moment in moments if begin <= moment <= end), end]
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))


def report():
    for (begin, what), (end, _) in zip(PHASES, PHASES[1:]):
        print(f"\n{begin:2} to {end:2} s: {what}")
        for who in ("read", "feed", "write"):
            counts = {}
            for moment, one, status in SEEN:
                if one == who and begin <= moment < end:
                    counts[status] = counts.get(status, 0) + 1
            well = [moment for moment, one, status in SEEN if one == who and status in ("200", "201")]
            gap = longest_gap(well, begin, end)
            print(f"   {who:5} {json.dumps(counts, sort_keys=True)}; longest without a good answer {gap:.1f} s")


def main():
    global BEGUN
    make_databases()
    apis = [start_api(port) for port in PORTS]
    token, reader = token_for("internal:read advice:write"), token_for("internal:read")
    nginx = subprocess.Popen(
        ["nginx", "-c", HERE.parent.parent / "docs/examples/nginx.conf", "-p", FOLDER, "-g",
         f"daemon off; pid {FOLDER}/nginx.pid; error_log {FOLDER}/nginx.log;"],
    )
    time.sleep(0.5)
    followed = [[], []]
    BEGUN = time.monotonic()
    threads = [threading.Thread(target=write, args=(token,)) for _ in range(16)]
    threads += [threading.Thread(target=read) for _ in range(8)]
    followers = [threading.Thread(target=follow, args=(reader, seen)) for seen in followed]
    for thread in threads + followers:
        thread.start()

    def at(second):
        time.sleep(max(0.0, second - (time.monotonic() - BEGUN)))

    at(PHASES[1][0])
    apis[0].kill()
    apis[0].wait()
    at(PHASES[2][0])
    apis[0] = start_api(PORTS[0])
    at(PHASES[3][0])
    postmaster = int((FOLDER / "a-data/postmaster.pid").read_text(encoding="utf-8").split()[0])
    children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True).stdout.split()
    for process in [postmaster, *map(int, children)]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
    at(PHASES[4][0])
    as_owner(BIN / "pg_ctl", "promote", f"--pgdata={FOLDER}/b-data", "--wait", "--silent")
    at(PHASES[5][0])
    STOP.set()
    for thread in threads:
        thread.join()
    WRITTEN.set()
    for thread in followers:
        thread.join()
    report()

    connection = http.client.HTTPConnection("127.0.0.1", 9300, timeout=30)
    held, cursor = {}, ""
    while cursor is not None:
        status, page = ask(connection, "GET", f"/advice?limit=1000{cursor}", token=token)
        assert status == 200, page
        for item in page["items"]:
            held[item["id"]] = held.get(item["id"], 0) + 1
        cursor = "&cursor=" + page["next"].split("cursor=")[1] if page["next"] else None
    acknowledged = [item for _, item in ACKNOWLEDGED]
    lost = [item for item in acknowledged if item not in held]
    print(f"\n{len(acknowledged)} writes acknowledged, {len(set(acknowledged))} items; lost: {len(lost)}; "
          f"in the database: {len(held)} (more than acknowledged: made, and the answer did not arrive)")
    whole = []
    follow(reader, whole)
    for seen in followed:
        order = all(earlier[1] < later[1] for earlier, later in zip(seen, seen[1:]))
        print(f"a follower of the feed saw {len(seen)} changes, {'in order, each once' if order else 'NOT IN ORDER'}, "
              f"{'the same as from the beginning' if seen == whole else 'NOT THE SAME AS FROM THE BEGINNING'}")
    nginx.terminate()
    for api in apis:
        api.terminate()
        api.wait()
    subprocess.run([PROGRAM, "check", "--database", READ_URL], check=False)
    as_owner(BIN / "pg_ctl", "stop", f"--pgdata={FOLDER}/b-data", "--mode=fast", "--silent")


if __name__ == "__main__":
    main()
