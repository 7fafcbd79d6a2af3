"""Who is measured: how each is started, as one would in production, with its access log off."""

from . import load
from .box import BENCH, start, stop, wait_for
from .data import directus_environment, rival_file

PORTS = {name: 18600 + number for number, name in enumerate(
    ("ours", "ours-sqlite", "ours-log", "ours-nocache", "nginx", "fastapi", "drf", "postgraphile", "directus", "datasette"))}

NGINX = """
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    types {{ application/json json; }}
    default_type application/json;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=10000 inactive=1h;
    open_file_cache_valid 1h;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {root};
    }}
}}
"""


class Contestant:
    def __init__(self, name, process, postgres, ready):
        self.name = name
        self.process = process
        self.postgres = postgres
        self.ready = ready
        self.base = f"http://127.0.0.1:{PORTS[name]}"

    def at_rest(self):
        """Of ours: milliseconds from start to ready, and the bytes that are resident then and after the first figure."""
        pid = self.process.pid
        after_start = load.resident(pid)
        # Where there is very much the facts are still being read, and it asks to come back.
        wait_for(self.base + "/v1/metrics/answered-in-time?groupBy=council", self.process, 900)
        return {"ready_ms": self.ready, "after_start": after_start, "after_first_metric": load.resident(pid)}

    def stop(self):
        stop(self.process)


def ours(box, name, url, *more, log_to=None):
    process, ready = box.serve(url, PORTS[name], *more, log_to=log_to)
    return Contestant(name, process, url.startswith("postgres"), ready)


def nginx(box):
    folder = box.work / "nginx"
    folder.mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    # Workers of a root's nginx would run as nobody; they read what root wrote either way.
    config.write_text(NGINX.format(folder=folder, root=box.static, port=PORTS["nginx"]))
    (box.static / "ready.json").write_text("{}")
    process = start(["nginx", "-c", config], box.logs / "nginx.log")
    return Contestant("nginx", process, False, wait_for(f"http://127.0.0.1:{PORTS['nginx']}/ready.json", process))


def fastapi(box, database, path):
    process = start(
        [box.python("uvicorn"), "fastapi_app:app", "--host", "127.0.0.1", "--port", PORTS["fastapi"], "--workers", 2,
         "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"],
        box.logs / "fastapi.log", {"RIVAL_DSN": box.url(database)}, BENCH / "rivals",
    )
    return _rival("fastapi", process, path)


def drf(box, database, path):
    process = start(
        [box.python("gunicorn"), "wsgi:application", "--bind", f"127.0.0.1:{PORTS['drf']}", "--workers", 3,
         "--worker-class", "gthread", "--threads", 4, "--keep-alive", 75, "--log-level", "warning"],
        box.logs / "drf.log", {"RIVAL_SOCKET": str(box.socket), "RIVAL_DATABASE": database}, BENCH / "rivals/drf",
    )
    return _rival("drf", process, path)


def postgraphile(box, database):
    process = start(
        [box.node, BENCH / "rivals/postgraphile.mjs"], box.logs / "postgraphile.log",
        {"PORT": str(PORTS["postgraphile"]), "DSN": box.url(database), "NODE_ENV": "production"}, box.npm,
    )
    return _rival("postgraphile", process, "/graphql", body=b'{"query":"{__typename}"}')


def directus(box, database, path):
    environment = directus_environment(box, database) | {"PORT": str(PORTS["directus"])}
    process = start([box.node, BENCH / "rivals/directus.mjs"], box.logs / "directus.log", environment, box.npm)
    return _rival("directus", process, path)


def datasette(box, count, path):
    process = start(
        [box.python("datasette"), "-i", rival_file(box, count), "-h", "127.0.0.1", "-p", PORTS["datasette"],
         "-m", BENCH / "rivals/datasette.json", "--setting", "num_sql_threads", 2],
        box.logs / "datasette.log",
    )
    return _rival("datasette", process, path, False)


def _rival(name, process, path, postgres=True, body=None):
    ready = wait_for(f"http://127.0.0.1:{PORTS[name]}{path}", process, 120, body)
    return Contestant(name, process, postgres, ready)
