"""What is asked of whom."""

import datetime
import json
import uuid

from . import capture, data, load
from .box import BENCH, JSON, fetch

DRAFT = {
    "kind": "unsolicited", "subject": "Oversteek bij de school", "summary": "Een verzonnen advies om mee te meten.",
    "level": "neighbourhood", "themes": ["mobility"], "councils": {"lead": "rozenburg"},
    "points": [{"number": number, "text": f"Doe punt {number}, zoals bewoners vragen."} for number in (1, 2, 3)],
}
SHOWN = """
    rowId kind origin subject summary level leadCouncil cluster status outcome meetingOn votesFor votesAgainst submittedOn receivedOn
    answeredOn dueOn termState version createdAt modifiedAt
    adviceCouncilsByAdviceId { nodes { council } } adviceThemesByAdviceId { nodes { theme } }
    referencesByAdviceId { nodes { system value url } } advicePointsByAdviceId { nodes { number text } }
    responsesByAdviceId { nodes { rowId kind decidedOn sentOn by text weighing recordedAt
        responsePointsByResponseId { nodes { number outcome reasons } } } }
"""
GRAPHQL = {
    "item": "query ($id: UUID!) { adviceByRowId(rowId: $id) {" + SHOWN + "} }",
    "list": "query ($council: String!) { allAdvice(condition: {leadCouncil: $council, status: \"answered\", isPublic: true},"
            " orderBy: [RECEIVED_ON_DESC, ROW_ID_DESC], first: 20) { nodes {" + SHOWN + "} } }",
}
DIRECTUS = "fields=*,councils.council,themes.theme,references.*,points.*,responses.*,responses.points.*"

ITEM = {
    "ours": "/v1/advice/{}",
    "fastapi": "/advice/{}",
    "drf": "/advice/{}",
    "directus": "/items/advice/{}?" + DIRECTUS,
    "datasette": "/rival/item.json?id={}&_shape=array&_json=themes&_json=councils&_json=points&_json=references&_json=responses",
}
LIST = {
    "ours": "/v1/advice?council={}&status=answered&sort=-receivedOn&limit=20",
    "fastapi": "/advice?council={}&status=answered&limit=20",
    "drf": "/advice?council={}&status=answered&limit=20",
    "directus": "/items/advice?" + DIRECTUS + "&filter%5Blead_council%5D%5B_eq%5D={}&filter%5Bstatus%5D%5B_eq%5D=answered"
                "&filter%5Bis_public%5D%5B_eq%5D=true&sort=-received_on,-id&limit=20",
    "datasette": "/rival/list.json?council={}&status=answered&limit=20&_shape=array"
                 "&_json=themes&_json=councils&_json=points&_json=references&_json=responses",
}
# As our server sets the connections that it reads by.
READING = "-c plan_cache_mode=force_generic_plan"
# Ours in other ways, for these only.
EXTRAS = {"ours-log": ("item-one",), "ours-nocache": ("item-1000", "list-public")}


class Workloads:
    """`cells()`: of each workload, who takes part and how he is measured once, given a meter."""

    def __init__(self, box, database, options, contestants):
        self.box = box
        self.database = database
        self.options = options
        self.contestants = contestants
        self.ids = data.public_ids(box, database)
        self.councils = data.councils(box, database)
        self.reader = {"Authorization": "Bearer " + box.token("internal:read")}
        self.writer = {"Authorization": "Bearer " + box.token("advice:write"), "Content-Type": "application/json"}
        self.files = box.work / "requests"
        self.files.mkdir(exist_ok=True)

    def file(self, name, lines):
        path = self.files / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    # One request of a cell

    def get(self, name, workload, paths, headers=None, connections=None):
        """Cycles over these paths of a contestant."""
        base, file = self.contestants[name].base, self.file(f"{workload}-{name}", paths)
        connections = connections or self.options.connections
        return lambda meter: load.wrk(base, self.options.seconds, connections, meter, [file], headers)

    def post(self, name, workload, path, bodies, headers, keyed=False, connections=None):
        url, file = self.contestants[name].base + path, self.file(f"{workload}-{name}", bodies)
        arguments = [file, "POST"] + (["KEY"] if keyed else [])
        connections = connections or self.options.connections
        return lambda meter: load.wrk(url, self.options.seconds, connections, meter, arguments, headers)

    def bench(self, scripts, variables, database, clients, settings=""):
        return lambda meter: load.pgbench(self.box, database, scripts, self.options.seconds, clients, meter, variables, settings)

    # Reads that the public does

    def public(self, workload, kind, values):
        """The same of everybody; of nginx the same bytes as ours."""
        shape, graphql = (ITEM, "id") if kind == "item" else (LIST, "council")
        times = 1 if kind == "item" else 20
        cells = {}
        for name in self.contestants:
            if name == "postgraphile":
                bodies = [json.dumps({"query": GRAPHQL[kind].replace("\n", " "), "variables": {graphql: value}}) for value in values]
                self.look(name, "/graphql", bodies[0], times)
                cells[name] = self.post(name, workload, "/graphql", bodies, JSON)
            elif name == "nginx":
                cells[name] = self.get(name, workload, [self.static(shape["ours"].format(value), f"{kind}-{value}") for value in values])
            elif workload not in EXTRAS.get(name, (workload,)):
                continue
            else:
                paths = [shape[name.partition("-")[0]].format(value) for value in values]
                self.look(name, paths[0], None, times)
                cells[name] = self.get(name, workload, paths)
        return cells

    def static(self, path, name):
        """Our answer as a file for nginx; its path there."""
        (self.box.static / f"{name}.json").write_bytes(fetch(self.contestants["ours"].base + path)[2])
        return f"/{name}.json"

    def look(self, name, path, body, times):
        """Nobody is measured who does not show all that was asked for."""
        status, _, shown = fetch(self.contestants[name].base + path, JSON if body else None, body and body.encode())
        counts = [shown.count(text) for text in (b"Dank voor uw advies", b"Doe punt", b"Omdat het zo is afgewogen")]
        if status != 200 or any(count < least for count, least in zip(counts, (times, 3 * times, 3 * times))):
            raise SystemExit(f"{name} {path}: {status}, shows {counts} of {times}\n{shown[:1000].decode()}")

    def private(self, workload, kind, values):
        """With a token: no answer is kept, all goes through the database. Against pgbench with the same SQL."""
        path = (ITEM if kind == "item" else LIST)["ours"]
        paths = [path.format(value) for value in values]
        cells = {name: self.get(name, workload, paths, self.reader) for name in ("ours", "ours-sqlite") if name in self.contestants}
        if not self.has_ceilings():
            return cells
        scripts, variables = capture.read(self.box, kind, self.contestants["ours"].base + path, self.reader, values[:10])
        # As many connections as our server has, and as many as there are clients: the better one is the ceiling.
        return cells | {f"pgbench-{clients}": self.bench(scripts, variables, self.database, clients, READING) for clients in (8, self.options.connections)}

    def not_modified(self):
        cells = {}
        for name in ("ours", "ours-sqlite", "nginx"):
            if name in self.contestants:
                path = ITEM["ours"].format(self.ids[0])
                path = self.static(path, "304") if name == "nginx" else path
                etag = {"If-None-Match": fetch(self.contestants[name].base + path)[1]["etag"]}
                if fetch(self.contestants[name].base + path, etag)[0] != 304:
                    raise SystemExit(f"{name} does not answer 304")
                cells[name] = self.get(name, "304", [path], etag)
        return cells

    # Figures, feed and tables

    def metric(self):
        today = datetime.date.today()
        # Among the days of the data, so that each asks for other rows.
        first = today - datetime.timedelta(2900)
        path = "/v1/metrics/answered-in-time?groupBy=council&from={}&to={}&on={}"
        paths = [path.format(first + datetime.timedelta(days), today, today) for days in range(366)]
        cells = {
            name: self.get(name, "metric", paths, self.reader, 1) for name in ("ours", "ours-sqlite") if name in self.contestants
        }
        variables = {"day": today.toordinal(), "first": first.toordinal()}
        # Over our own tables and over the rivals' one; the better one counts.
        scripts = {"pgbench-ours": "metric.sql"} | ({"pgbench-flat": "metric_flat.sql"} if self.has_rivals() else {})
        return cells | {name: self.bench([BENCH / "sql" / file], variables, self.database, 1) for name, file in scripts.items()}

    def has_ceilings(self):
        """Whether pgbench is to run what ours sends. Of a server that keeps nothing that would be something else."""
        return self.contestants["ours"].postgres and self.options.ceilings

    def has_rivals(self):
        return isinstance(self.database, str) and self.box.psql(self.database, "SELECT to_regclass('rival.advice')").strip() != ""

    def same_figures(self):
        """Our figures and those of the SQL, by council: both must say the same."""
        today = datetime.date.today()
        first = today - datetime.timedelta(2000)
        path = f"/v1/metrics/answered-in-time?groupBy=council&from={first}&to={today}&on={today}"
        rows = json.loads(fetch(self.contestants["ours"].base + path)[2])["rows"]
        ours = {row["council"]: (row["numerator"], row["denominator"]) for row in rows if row["denominator"]}
        sql = (BENCH / "sql/metric.sql").read_text().replace("\\set n random(0, 365)", "")
        for variable, value in (("day", today.toordinal()), ("first", first.toordinal()), ("n", 0)):
            sql = sql.replace(f":{variable}", str(value))
        theirs = {}
        for line in self.box.psql(self.database, sql).splitlines():
            council, numerator, denominator = line.split("|")
            theirs[council] = (int(numerator), int(denominator))
        return {"same": ours == theirs, "differ": {c: [ours.get(c), theirs.get(c)] for c in ours | theirs if ours.get(c) != theirs.get(c)}}

    def feed(self):
        cells = {}
        for name in ("ours", "ours-sqlite"):
            if name in self.contestants:
                base, paths, path = self.contestants[name].base, [], "/v1/changes?limit=100"
                for _ in range(60):
                    page = json.loads(fetch(base + path)[2])
                    path = f"/v1/changes?after={page['next']}&limit=100"
                    if page["items"]:
                        paths.append(path)
                # The first hundreds of changes are of the tables of councils and the like.
                cells[name] = self.get(name, "feed", paths[10:])
        return cells

    def table(self):
        cells = {}
        for name in ("ours", "ours-sqlite"):
            if name in self.contestants:
                url = self.contestants[name].base + "/v1/bi/advice?format=csv"
                cells[name] = lambda meter, url=url: load.timed(lambda: load.read(url), 3, meter)
        command = [*self.box.client(self.database), "-f", BENCH / "sql/bi_advice.sql"]
        return cells | {"psql": lambda meter: load.timed(lambda: load.through(command), 3, meter)}

    # Writes

    def draft(self, clients):
        workload, body = f"draft-{clients}", json.dumps(DRAFT)
        cells = {}
        for name in ("ours", "ours-sqlite"):
            if name in self.contestants:
                cells[name] = self.post(name, workload, "/v1/advice", [body], self.writer, True, clients)
        for name, sent in (("fastapi", body), ("drf", json.dumps(DRAFT | {"lead_council": DRAFT["councils"]["lead"]}))):
            if name in self.contestants:
                cells[name] = self.post(name, workload, "/advice", [sent], JSON, False, clients)
        if not self.has_ceilings():
            return cells
        scripts, variables = capture.draft(
            self.box, self.database, self.contestants["ours"].base + "/v1/advice", self.writer, body.encode()
        )
        # In a copy: what pgbench writes is no journal that could be read.
        for own in sorted({min(8, clients), clients}):
            cells[f"pgbench-{own}"] = self.bench(scripts, variables, self.database + "_pgbench", own)
        return cells

    def life(self, name):
        """One client, from draft to answer and publication; the milliseconds that it takes."""
        base, today = self.contestants[name].base, str(datetime.date.today())
        all_rights = {"Authorization": "Bearer " + self.box.token("advice:write treatment:write responses:write publish")} | JSON

        def whole():
            answer = fetch(base + "/v1/advice", all_rights | {"Idempotency-Key": f'"{uuid.uuid4()}"'}, json.dumps(DRAFT).encode())
            path = f"/v1/advice/{json.loads(answer[2])['id']}"
            points = [{"number": number, "outcome": "adopted"} for number in (1, 2, 3)]
            for event, body in (
                ("adoption", {"meetingOn": today, "quorum": True, "votesFor": 7, "votesAgainst": 0}),
                ("submission", {"submittedOn": today}),
                ("receipt", {"receivedOn": today, "cluster": "so"}),
                ("responses", {"kind": "final", "decidedOn": today, "sentOn": today, "by": "alderman", "points": points}),
                ("publication", {}),
            ):
                etag = answer[1]["etag"]
                answer = fetch(f"{base}{path}/{event}", all_rights | {"If-Match": etag}, json.dumps(body).encode())
                if answer[0] not in (200, 201):
                    raise SystemExit(f"{event}: {answer[0]} {answer[2][:500]}")
            return len(answer[2])

        return lambda meter: load.timed(whole, 20, meter)

    def cells(self):
        """Each workload when its turn has come, so that each measures what is there."""
        yield "item-one", lambda: self.public("item-one", "item", self.ids[:1])
        yield "item-1000", lambda: self.public("item-1000", "item", self.ids)
        yield "item-private", lambda: self.private("item-private", "item", self.ids)
        yield "list-public", lambda: self.public("list-public", "list", self.councils)
        yield "list-private", lambda: self.private("list-private", "list", self.councils)
        yield "304", self.not_modified
        yield "metric", self.metric
        yield "feed", self.feed
        yield "table", self.table
        for clients in sorted({1, self.options.connections}):
            yield f"draft-{clients}", lambda clients=clients: self.draft(clients)
        yield "life", lambda: {name: self.life(name) for name in ("ours", "ours-sqlite") if name in self.contestants}
