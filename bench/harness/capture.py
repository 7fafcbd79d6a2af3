"""The very statements that our server sends for a request, as a script for pgbench.

The server is asked a few times on a cluster that logs every statement. The SQL goes to bench/sql/captured/ with each bound value as a
variable, as it was bound; the values themselves go to pgbench by -D. What must be new in each transaction is made so: an id ends in
a random number, and the place in the journal is the one that was read under the journal's lock.
"""

import json
import re
import time
import uuid
from collections import Counter

from .box import BENCH, fetch

CAPTURED = BENCH / "sql/captured"


class Log:
    """Every statement, while it is entered."""

    def __init__(self, box):
        self.box = box

    def __enter__(self):
        self._set("SET log_statement = 'all'", "SET log_line_prefix = '%p '")
        time.sleep(1)
        return self

    def __exit__(self, *_):
        self._set("RESET log_statement", "RESET log_line_prefix")

    def _set(self, *settings):
        for setting in settings:
            self.box.psql("postgres", f"ALTER SYSTEM {setting}")
        self.box.psql("postgres", "SELECT pg_reload_conf()")

    def statements(self, call):
        """What was sent while something was called, by connection: (SQL, values)."""
        log = self.box.postgres_log()
        before = log.stat().st_size
        result = call()
        time.sleep(0.05)
        with open(log, "rb") as file:
            file.seek(before)
            text = file.read().decode()
        found = {}
        # A line that begins with a tab goes on with the one before.
        for line in text.replace("\n\t", "\x00").splitlines():
            line = line.replace("\x00", "\n")
            match = re.match(r"(\d+) LOG:  (?:execute [^:]+|statement): (.*)", line, re.S)
            if match:
                found.setdefault(match[1], []).append((match[2].rstrip(";"), []))
                continue
            match = re.match(r"(\d+) DETAIL:  [Pp]arameters: (.*)", line, re.S)
            if match:
                values = re.findall(r"\$\d+ = (NULL|'(?:[^']|'')*')", match[2])
                found[match[1]][-1][1].extend(None if value == "NULL" else value[1:-1].replace("''", "'") for value in values)
        return result, found


def of_request(box, call, times=6):
    """One request's statements: what most of the repeats sent, those of the connection that did the work."""
    seen = []
    with Log(box) as log:
        for _ in range(times):
            result, found = log.statements(call)
            if found:
                work = max(found.values(), key=len)
                seen.append((json.dumps([sql for sql, _ in work]), result, work))
    if not seen:
        raise SystemExit("nothing was sent to the database")
    usual = Counter(key for key, _, _ in seen[1:]).most_common(1)[0][0]
    return next((result, work) for key, result, work in reversed(seen) if key == usual)


def script_of(name, statements, fresh=None, sequence=None):
    """Writes the script and returns it with the values of its variables. `fresh`: texts that are new in each request."""
    lines, variables = [], {}
    if fresh:
        lines.append("\\set n random(0, 999999999999)")
    for number, (sql, values) in enumerate(statements):
        def bound(match):
            value = values[int(match[1]) - 1]
            if not value:
                # pgbench has no variables for these.
                return "NULL" if value is None else "''"
            variable = f"v{number}_{match[1]}"
            if sequence is not None and value == str(sequence):
                return "(CAST(:head_sequence AS bigint) + 1)"
            new = next((text for text in fresh or () if text in value), None)
            if new and len(value) < 200:
                before, _, after = value.partition(new)
                variables[variable] = before + new[:-12]
                text = f"CAST(:{variable} AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0')"
                if after:
                    variables[variable + "z"] = after
                    text += f" || CAST(:{variable}z AS text)"
                return f"CAST({text} AS {'text[]' if value.startswith('{') else 'text'})"
            variables[variable] = value
            return f":{variable}"

        text = re.sub(r"\$(\d+)", bound, sql)
        reads_head = "journal_head" in sql and (sql.startswith("SELECT") or "RETURNING" in sql)
        lines.append(text + (" \\gset head_" if sequence is not None and reads_head else ";"))
    CAPTURED.mkdir(exist_ok=True)
    path = CAPTURED / f"{name}.sql"
    path.write_text("\n".join(lines) + "\n")
    return path, variables


def read(box, name, url, headers, varying):
    """Of a GET, a script for each of these texts that stand in its URL at `{}`: the same SQL with other values."""
    _, statements = of_request(box, lambda: must(fetch(url.format(varying[0]), headers), 200))
    path, variables = script_of(name, statements)
    sql, scripts, values = path.read_text(), [], {}
    for number, text in enumerate(varying):
        script = sql
        for variable, value in variables.items():
            own = f"{variable}of{number}" if varying[0] in value else variable
            script = re.sub(rf":{variable}\b", f":{own}", script)
            values[own] = value.replace(varying[0], text)
        scripts.append(box.scripts / f"{name}-{number}.sql")
        scripts[-1].write_text(script)
    return scripts, values


def draft(box, database, url, headers, body):
    """Of the POST of a draft."""
    def post():
        key = str(uuid.uuid4())
        answer = must(fetch(url, headers | {"Idempotency-Key": f'"{key}"'}, body), 201)
        return json.loads(answer[2])["id"], key, box.psql(database, "SELECT sequence FROM journal_head")

    (item, key, sequence), statements = of_request(box, post)
    path, values = script_of("draft", statements, (item, key), sequence)
    return [path], values


def must(answer, status):
    if answer[0] != status:
        raise SystemExit(f"{answer[0]} in place of {status}: {answer[2][:500]}")
    return answer
