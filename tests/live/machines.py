"""More than one machine, on one machine: a PostgreSQL with a streaming standby (synchronous), three API processes and nginx.

    python3 tests/live/machines.py PROGRAM FOLDER

PROGRAM is the wijkaanzet binary; FOLDER is new, with a short path that others may enter. PostgreSQL and nginx must be installed;
ports 9300 to 9303 are used. Under a load of 16 writers, 8 readers of lists and 2 followers of the feed, through nginx:

     8 s   one API process is killed (-9), and started again at 16 s
    24 s   the primary is killed (-9)
    32 s   the standby is promoted
    48 s   the end

It prints what callers saw in each phase, and then whether every write that was acknowledged is there, once, and whether
`wijkaanzet check` finds all well.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

from load import BIN, Load, as_owner, check, init_postgres, own, start_api, start_postgres, token_for

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
PORTS = [9301, 9302, 9303]
PHASES = [
    (0, "all is well"), (8, "one API process is gone"), (16, "it is back"), (24, "the primary is gone"),
    (32, "the standby is promoted"), (48, "end"),
]
A, B = FOLDER / "a", FOLDER / "b"
WRITE_URL = f"postgres://postgres@/wijkaanzet?host={A},{B}&target_session_attrs=read-write"
READ_URL = f"postgres://postgres@/wijkaanzet?host={B}"


def make_databases():
    own(FOLDER, A, B)
    init_postgres(FOLDER / "a-data")
    start_postgres(FOLDER / "a-data", A)
    psql = ("psql", f"--host={A}", "--username=postgres")
    as_owner(*psql, "--command=CREATE DATABASE wijkaanzet")
    as_owner(
        BIN / "pg_basebackup", f"--host={A}", "--username=postgres", f"--pgdata={FOLDER}/b-data",
        "--write-recovery-conf", "--checkpoint=fast", "--create-slot", "--slot=b",
    )
    # The standby must not wait for a standby of its own once it is promoted.
    start_postgres(FOLDER / "b-data", B, "synchronous_standby_names = ''")
    as_owner(*psql, "--command=ALTER SYSTEM SET synchronous_standby_names = '*'")
    as_owner(*psql, "--command=SELECT pg_reload_conf()")


def start(port):
    return start_api(
        PROGRAM, port, FOLDER / f"api-{port}.log",
        DATABASE_URL=WRITE_URL, DATABASE_READ_URL=READ_URL, DATA_DIR=str(FOLDER / "key"),
    )


def kill_postgres(data):
    postmaster = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True).stdout.split()
    for process in [postmaster, *map(int, children)]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def main():
    make_databases()
    apis = [start(port) for port in PORTS]
    nginx = subprocess.Popen(
        ["nginx", "-c", PROJECT / "docs/examples/nginx.conf", "-p", FOLDER, "-g",
         f"daemon off; pid {FOLDER}/nginx.pid; error_log {FOLDER}/nginx.log;"],
    )
    time.sleep(0.5)
    scopes = ("internal:read advice:write", "internal:read")
    load = Load(9300, *(token_for(PROGRAM, FOLDER / "key", scope) for scope in scopes))
    load.start()
    load.at(PHASES[1][0])
    apis[0].kill()
    apis[0].wait()
    load.at(PHASES[2][0])
    apis[0] = start(PORTS[0])
    load.at(PHASES[3][0])
    kill_postgres(FOLDER / "a-data")
    load.at(PHASES[4][0])
    as_owner(BIN / "pg_ctl", "promote", f"--pgdata={FOLDER}/b-data", "--wait", "--silent")
    load.at(PHASES[5][0])
    load.stop()
    load.report(PHASES)
    wrong = load.verify()
    nginx.terminate()
    for api in apis:
        api.terminate()
        api.wait()
    wrong += check(PROGRAM, READ_URL)
    as_owner(BIN / "pg_ctl", "stop", f"--pgdata={FOLDER}/b-data", "--mode=fast", "--silent")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
