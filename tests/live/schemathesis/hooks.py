"""Gives Schemathesis what a schema cannot say: codes and ids that exist, the ETag of now, days that have been.

    pip install schemathesis
    wijkaanzet serve --demo --rate-per-minute 0 --listen 127.0.0.1:8090
    export TOKEN=$(wijkaanzet token --scope "…" --councils '*' --clusters '*')     # or none, for an anonymous run
    st --config-file schemathesis.toml run http://127.0.0.1:8090/v1/openapi.json --url http://127.0.0.1:8090/v1 --checks all
"""

import os
import random
import re
import uuid

import requests
import schemathesis

BASE = os.environ.get("API", "http://127.0.0.1:8090/v1")
HEAD = {"Authorization": "Bearer " + os.environ["TOKEN"]} if os.environ.get("TOKEN") else {}
CHANCE = random.Random(1)


def codes(path):
    return [item["code"] for item in requests.get(f"{BASE}/{path}?limit=1000", headers=HEAD).json()["items"]]


COUNCILS, CLUSTERS, THEMES, AREAS = codes("councils")[:4], codes("clusters"), codes("themes"), codes("areas")
METRICS = codes("metrics")
ONE_OF = {"lead": COUNCILS, "council": COUNCILS, "cluster": CLUSTERS, "theme": THEMES, "area": AREAS}
SOME_OF = {"councils": COUNCILS, "themes": THEMES, "council": COUNCILS, "cluster": CLUSTERS, "theme": THEMES}
KINDS = (
    "advice", "advice-requests", "accords", "agreements", "policy-tracks", "participation-plans", "commitments", "talks",
    "assignments", "collegetargets", "office-holders",
)
IDS = {kind: [] for kind in KINDS}
# Where a body names another item.
NAMED = {
    "into": "advice", "secondRoundOf": "advice", "request": "advice-requests", "accord": "accords", "policyTrack": "policy-tracks",
    "carriedOverFrom": "agreements", "officeHolder": "office-holders", "portfolioHolder": "office-holders",
}
FINDINGS = {}
CALLS = 0


def refresh():
    for kind in IDS:
        answer = requests.get(f"{BASE}/{kind}?limit=1000", headers=HEAD)
        if answer.ok:
            items = answer.json()["items"][-60:]
            IDS[kind] = [item["id"] for item in items]
            if kind == "participation-plans":
                FINDINGS.update({item["id"]: [finding["id"] for finding in item["findings"]] for item in items})


def real(value, key=None):
    """The value with codes, ids and days that exist in the places where they are meant."""
    if isinstance(value, dict):
        return {name: real(field, name) for name, field in value.items()}
    if isinstance(value, list):
        if key == "advice" and IDS["advice"]:
            return CHANCE.sample(IDS["advice"], min(len(value), len(IDS["advice"])))
        if key in SOME_OF and all(isinstance(item, str) for item in value):
            return CHANCE.sample(SOME_OF[key], min(len(value), len(SOME_OF[key])))
        return [real(item) for item in value]
    if isinstance(value, str):
        if key in ONE_OF:
            return CHANCE.choice(ONE_OF[key])
        if key == "metric":
            return CHANCE.choice(METRICS)
        if key == "advice" and IDS["advice"]:
            return CHANCE.choice(IDS["advice"])
        if IDS.get(NAMED.get(key)):
            return CHANCE.choice(IDS[NAMED[key]])
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return "%04d-%02d-%02d" % (CHANCE.choice([2024, 2025, 2026]), CHANCE.randint(1, 11), CHANCE.randint(1, 20))
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    global CALLS
    if CALLS % 100 == 0:
        refresh()
    CALLS += 1
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, (dict, list)):
        case.body = real(case.body)
    query = {name: value for name, value in (case.query or {}).items() if name not in ("cursor", "after", "postcode")}
    case.query = real(query)
    path = case.operation.path
    kind = path.split("/")[1]
    stateful = "stateful" in str(case.meta.phase.name).lower()
    if IDS.get(kind) and "{id}" in path and CHANCE.random() < (0.3 if stateful else 0.9):
        case.path_parameters = dict(case.path_parameters or {}, id=CHANCE.choice(IDS[kind]))
    if "{findingId}" in path and FINDINGS.get((case.path_parameters or {}).get("id")):
        chosen = CHANCE.choice(FINDINGS[case.path_parameters["id"]])
        case.path_parameters = dict(case.path_parameters, findingId=chosen)
    if "{code}" in path and kind == "metrics" and CHANCE.random() < 0.9:
        case.path_parameters = dict(case.path_parameters or {}, code=CHANCE.choice(METRICS))
    if "{code}" in path and kind == "obligations":
        case.path_parameters = dict(case.path_parameters or {}, code="participation-plan")
    headers = case.headers
    if headers is not None and "Idempotency-Key" in headers and CHANCE.random() < 0.9:
        headers["Idempotency-Key"] = f'"{uuid.uuid4()}"'
    if headers is not None and "If-Match" in headers and "{" in path and CHANCE.random() < 0.9:
        target = f"{BASE}/{kind}/{case.path_parameters.get('id') or case.path_parameters.get('code')}"
        if path.endswith("response-draft"):
            target += "/response-draft"
        answer = requests.get(target, headers=HEAD, allow_redirects=False)
        if answer.headers.get("ETag"):
            headers["If-Match"] = answer.headers["ETag"]
        elif path.endswith("response-draft"):
            headers.pop("If-Match")


# A rule of the domain or the state of the tables refuses what the schema allows, and no schema could say it: whether a code
# exists, whether days are in order, whether a point has reasons. Only such a 400 is passed over, never a plain one.
RULES = {
    "unknown", "duplicate", "immutable", "required", "date.order", "date.range", "date.future", "cursor.foreign",
    "not_imported", "code.format", "not_offered", "length",
}
FAMILIES = (
    "cosigner.", "council.", "response.", "adoption.", "forwarding.", "follow_up.", "suspension.", "extension.",
    "correction.", "second_round.", "term_rule.", "merge.", "agreement.", "judgement.", "progress.", "watch.", "finding.",
    "assignment.", "measurement.", "group_by.", "cohort.",
)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    if response.status_code in (412, 422):
        return False  # If-Match of another version; Idempotency-Key that was used before
    if response.status_code == 428 and case.operation.path.endswith("response-draft"):
        return False  # needed only where there is a draft to replace
    if response.status_code == 400:
        errors = response.json().get("errors") or []
        corrects = case.operation.path.endswith("/corrections")
        known = [
            error["code"] in RULES or error["code"].startswith(FAMILIES)
            # What type the value must have follows from the field that it corrects.
            # A lone surrogate, which the tool makes now and then, is no text (RFC 8259, 8.2).
            or (error["code"] == "json.syntax" and re.search(r"\\ud[89a-f]", str(case.body).encode("ascii", "backslashreplace").decode()))
            or (corrects and error["code"] == "type" and error["location"] == "/value")
            for error in errors
        ]
        return not (errors and all(known))
    return True
