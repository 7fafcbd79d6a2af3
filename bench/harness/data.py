"""The data: made once for each number of advice, copied for each run, so that each run begins with the same."""

import csv
import os
import sqlite3
import subprocess

from .box import BENCH, run

TABLES = ("council", "cluster", "theme", "advice", "advice_council", "advice_theme", "reference", "point", "response", "response_point")
DIRECTUS = {
    "DB_CLIENT": "pg", "DB_PORT": "5432", "DB_USER": "postgres", "DB_PASSWORD": "trusted", "DB_SEARCH_PATH": "array:directus,rival",
    "DB_POOL__MAX": "8", "SECRET": "only for measuring, and as long as it must be", "ADMIN_EMAIL": "admin@example.org",
    "ADMIN_PASSWORD": "only-for-measuring", "HOST": "127.0.0.1", "NODE_ENV": "production", "TELEMETRY": "false",
    "LOG_LEVEL": "error", "RATE_LIMITER_ENABLED": "false", "CACHE_ENABLED": "true", "CACHE_STORE": "memory",
}


def full(count):
    return f"full_{count}"


def sqlite_file(box, count):
    return _folder(box, count) / "ours.sqlite"


def rival_file(box, count):
    return _folder(box, count) / "rival.sqlite"


def _folder(box, count):
    folder = box.sqlite / str(count)
    folder.mkdir(exist_ok=True)
    return folder


def directus_environment(box, database):
    return DIRECTUS | {"DB_HOST": str(box.socket), "DB_DATABASE": database} | box.node_environment()


def fill(box, count):
    """Our file of so many advice, and the database `full_COUNT` with the same rows, where they are not there yet."""
    file = sqlite_file(box, count)
    if not file.exists():
        making = file.with_suffix(".making")
        making.unlink(missing_ok=True)
        run([box.filler, f"sqlite://{making}", count, max(39, count // 5)])
        connection = sqlite3.connect(making)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        making.rename(file)
        for left in file.parent.glob(f"{making.name}*"):
            left.unlink()
    if not box.has_database(full(count)):
        making = f"making_{count}"
        box.drop(making)
        box.psql("postgres", f"CREATE DATABASE {making}")
        run([box.server, "migrate", "--database", box.url(making), "--data-dir", box.keys])
        _copy(box, file, making)
        box.psql(making, "VACUUM (FREEZE, ANALYZE)")
        box.psql("postgres", f"ALTER DATABASE {making} RENAME TO {full(count)}")


ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _copy(box, file, database):
    """All rows of a SQLite file into the same tables on PostgreSQL: writing them anew would take much longer, and have other ids."""
    tables = box.psql(database, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                                " AND relname NOT LIKE '\\_\\_%'").split()
    box.psql(database, f"TRUNCATE {', '.join(tables)}")
    connection = sqlite3.connect(file)
    for table in tables:
        rows = connection.execute(f"SELECT * FROM {table}")
        columns = ", ".join(column[0] for column in rows.description)
        # Foreign keys hold in the file already.
        command = [*box.client(database), "-c", "SET session_replication_role = replica", "-c", f"COPY {table} ({columns}) FROM STDIN"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8") as process:
            for row in rows:
                values = ("\\N" if value is None else str(value).translate(ESCAPES) for value in row)
                process.stdin.write("\t".join(values) + "\n")
        if process.returncode:
            raise SystemExit(f"{table} could not be copied")
    connection.close()


def add_rivals(box, count):
    """The rivals' tables beside ours, and a SQLite file of them, where they are not there yet."""
    database, file = full(count), rival_file(box, count)
    if file.exists():
        return
    box.psql(database, file=BENCH / "sql/rival.sql")
    box.psql(database, "DROP SCHEMA IF EXISTS directus CASCADE; CREATE SCHEMA directus")
    run([box.node, "node_modules/directus/cli.js", "bootstrap"], cwd=box.npm, env=os.environ | directus_environment(box, database))
    box.psql(database, file=BENCH / "rivals/directus.sql")
    box.psql(database, "VACUUM (FREEZE, ANALYZE)")
    _datasette(box, database, file)


def _datasette(box, database, file):
    making = file.with_suffix(".making")
    making.unlink(missing_ok=True)
    connection = sqlite3.connect(making)
    connection.execute("PRAGMA synchronous = off")
    for table in TABLES:
        command = [*box.client(database), "-c", f"COPY (SELECT * FROM rival.{table}) TO STDOUT (FORMAT csv, HEADER, NULL '\\N')"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            rows = csv.reader(process.stdout)
            columns = next(rows)
            names = ", ".join(f'"{column}"' for column in columns)
            connection.execute(f'CREATE TABLE {table} ({names.replace(chr(34) + "id" + chr(34), "id PRIMARY KEY", 1)})')
            marks = ", ".join("?" * len(columns))
            values = {"\\N": None, "t": 1, "f": 0}
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", ([values.get(v, v) for v in row] for row in rows))
        if process.returncode:
            raise SystemExit(f"{table} could not be read")
    for table, columns in (
        ("advice", "lead_council, status, received_on DESC, id DESC"), ("advice_council", "advice_id"), ("advice_theme", "advice_id"),
        ("reference", "advice_id"), ("point", "advice_id, number"), ("response", "advice_id"), ("response_point", "response_id, number"),
    ):
        connection.execute(f"CREATE INDEX {table}_index ON {table} ({columns})")
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    making.rename(file)


PUBLIC = """SELECT id FROM advice WHERE status = 'answered'
AND EXISTS (SELECT 1 FROM audience WHERE item = id AND audience_key = 'public' AND lost_at IS NULL)
ORDER BY substr(id, 30), id LIMIT 1000"""
WITH_A_PAGE = """SELECT council FROM advice_council JOIN advice ON id = advice
JOIN audience ON item = id AND audience_key = 'public' AND lost_at IS NULL
WHERE advice.status = 'answered' AND council <> '*' GROUP BY council HAVING count(*) >= 20 ORDER BY council"""


def public_ids(box, database):
    """A thousand answered advice that the public sees."""
    return _ask(box, database, PUBLIC)


def councils(box, database):
    """Those that have a whole page to show, so that all answers are alike."""
    return _ask(box, database, WITH_A_PAGE)


def _ask(box, database, query):
    """Of a database by its name, or of a file by its path."""
    if isinstance(database, str):
        return box.psql(database, query).split()
    connection = sqlite3.connect(database)
    found = [row[0] for row in connection.execute(query)]
    connection.close()
    return found
