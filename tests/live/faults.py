"""What callers see when something breaks, and whether anything that was acknowledged is lost.

    python3 tests/live/faults.py PROGRAM FOLDER SCENARIO...

PROGRAM is the wijkaanzet binary; FOLDER is new or empty, with a short path that others may enter; port 9310 is used. Scenarios:

    kill-sqlite, kill-postgres       the server is killed (-9) twenty times under load, and started again
    away                             PostgreSQL is stopped at once under load, and started again
    full-sqlite, full-postgres       the disk fills up under load, and then there is room again (root: a small tmpfs is mounted)
    clock                            the clock is set back two days and then forward again (needs Debian's package libfaketime)

Each prints what callers saw in each phase, whether every write that was acknowledged is there, once, and what `wijkaanzet check`
says in the end.
"""

import glob
import pathlib
import subprocess
import sys
import time

from load import BIN, Load, as_owner, check, init_postgres, own, start_api, start_postgres, token_for

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
PORT = 9310


class Place:
    """A database of one kind in a folder, and the server on it."""

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.key = FOLDER / f"{folder.name}-key"
        if kind == "sqlite":
            folder.mkdir(parents=True, exist_ok=True)
            self.url = f"sqlite://{folder}/wijkaanzet.sqlite"
        else:
            self.data, self.socket = folder / "data", FOLDER / f"{folder.name}-socket"
            own(folder, self.socket)
            init_postgres(self.data)
            # Little room for the log of writes, so that a small disk will do.
            start_postgres(self.data, self.socket, "max_wal_size = 32MB\nmin_wal_size = 32MB")
            as_owner("psql", f"--host={self.socket}", "--username=postgres", "--command=CREATE DATABASE wijkaanzet")
            self.url = f"postgres://postgres@/wijkaanzet?host={self.socket}"

    def serve(self, **environment):
        log = FOLDER / f"{self.folder.name}.log"
        return start_api(PROGRAM, PORT, log, DATABASE_URL=self.url, DATA_DIR=str(self.key), **environment)

    def load(self):
        writer = token_for(PROGRAM, self.key, "internal:read advice:write")
        return Load(PORT, writer, token_for(PROGRAM, self.key, "internal:read"))

    def control(self, *command):
        as_owner(BIN / "pg_ctl", *command, f"--pgdata={self.data}", "--silent")

    def close(self):
        if self.kind == "postgres":
            self.control("stop", "--mode=fast")


def finish(place, load, server, phases):
    load.stop()
    load.report(phases)
    wrong = load.verify()
    server.terminate()
    server.wait()
    wrong += check(PROGRAM, place.url)
    place.close()
    return wrong


def kill(kind):
    place = Place(FOLDER / f"kill-{kind}", kind)
    server, load = place.serve(), place.load()
    load.start()
    for number in range(20):
        load.at(2 * (number + 1))
        server.kill()
        server.wait()
        server = place.serve()
    load.at(44)
    return finish(place, load, server, [(0, "killed and started every two seconds"), (44, "end")])


def away():
    place = Place(FOLDER / "away", "postgres")
    server, load = place.serve(), place.load()
    load.start()
    phases = [(0, "all is well"), (6, "PostgreSQL is gone"), (14, "PostgreSQL is back"), (24, "end")]
    load.at(phases[1][0])
    place.control("stop", "--mode=immediate")
    load.at(phases[2][0])
    place.control("start", f"--log={place.data}/server.log", "--wait")
    load.at(phases[3][0])
    return finish(place, load, server, phases)


def full(kind, size):
    folder = FOLDER / f"full-{kind}"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=777", "tmpfs", folder], check=True)
    try:
        # What takes the room, and is taken away later.
        ballast = folder / "ballast"
        place = Place(folder, kind)
        server, load = place.serve(), place.load()
        load.start(summary="x" * 2000)
        phases = [(0, "all is well"), (6, "the disk is full"), (16, "there is room again"), (26, "end")]
        load.at(phases[1][0])
        subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=64k"], capture_output=True)
        load.at(phases[2][0])
        ballast.unlink()
        if kind == "postgres":
            # Without room for its log of writes PostgreSQL stops by itself.
            alive = subprocess.run([BIN / "pg_isready", f"--host={place.socket}"], capture_output=True).returncode == 0
            print(f"PostgreSQL {'is still there' if alive else 'had stopped and is started again'}")
            if not alive:
                place.control("start", f"--log={place.data}/server.log", "--wait")
        load.at(phases[3][0])
        return finish(place, load, server, phases)
    finally:
        time.sleep(1)
        subprocess.run(["umount", folder], check=False)


def clock():
    library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if not library:
        raise SystemExit("libfaketime is not installed")
    place = Place(FOLDER / "clock", "sqlite")
    setting = FOLDER / "clock-setting"
    setting.write_text("+0d\n", encoding="utf-8")
    fake = {
        "LD_PRELOAD": library[0], "FAKETIME_TIMESTAMP_FILE": str(setting), "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    server, load = place.serve(**fake), place.load()
    load.start()
    phases = [(0, "all is well"), (5, "two days back"), (12, "and forward again"), (18, "end")]
    load.at(phases[1][0])
    setting.write_text("-2d\n", encoding="utf-8")
    # A token of today is one of the future now.
    today = load.writer, load.reader
    load.writer = token_for(PROGRAM, place.key, "internal:read advice:write", **fake)
    load.reader = token_for(PROGRAM, place.key, "internal:read", **fake)
    load.at(phases[2][0])
    setting.write_text("+0d\n", encoding="utf-8")
    load.writer, load.reader = today
    load.at(phases[3][0])
    return finish(place, load, server, phases)


SCENARIOS = {
    "kill-sqlite": lambda: kill("sqlite"),
    "kill-postgres": lambda: kill("postgres"),
    "away": away,
    "full-sqlite": lambda: full("sqlite", 500),
    "full-postgres": lambda: full("postgres", 600),
    "clock": clock,
}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    FOLDER.chmod(0o755)
    wrong = 0
    for name in sys.argv[3:]:
        print(f"\n== {name}")
        wrong += SCENARIOS[name]()
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
