"""The same API in FastAPI with asyncpg: one prepared statement per request, in which PostgreSQL joins and builds the JSON."""

import os
import uuid
from contextlib import asynccontextmanager
from datetime import datetime, timezone

import asyncpg
from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

# JSON that PostgreSQL built is sent as it is: nothing is parsed to be written again.
SHOWN = """
SELECT json_build_object(
    'id', a.id, 'kind', a.kind, 'origin', a.origin, 'subject', a.subject, 'summary', a.summary, 'level', a.level,
    'themes', (SELECT coalesce(json_agg(t.theme), '[]') FROM rival.advice_theme t WHERE t.advice_id = a.id),
    'councils', (SELECT json_agg(c.council) FROM rival.advice_council c WHERE c.advice_id = a.id),
    'leadCouncil', a.lead_council, 'cluster', a.cluster, 'status', a.status, 'outcome', a.outcome,
    'adoption', json_build_object('meetingOn', a.meeting_on, 'votesFor', a.votes_for, 'votesAgainst', a.votes_against),
    'submittedOn', a.submitted_on, 'receivedOn', a.received_on, 'answeredOn', a.answered_on,
    'term', json_build_object('dueOn', a.due_on, 'state', a.term_state),
    'points', (SELECT coalesce(json_agg(json_build_object('number', p.number, 'text', p.text) ORDER BY p.number), '[]')
               FROM rival.point p WHERE p.advice_id = a.id),
    'references', (SELECT coalesce(json_agg(json_build_object('system', r.system, 'value', r.value, 'url', r.url)), '[]')
                   FROM rival.reference r WHERE r.advice_id = a.id),
    'responses', (SELECT coalesce(json_agg(json_build_object(
            'id', r.id, 'kind', r.kind, 'decidedOn', r.decided_on, 'sentOn', r.sent_on, 'by', r.by, 'text', r.text,
            'weighing', r.weighing, 'recordedAt', r.recorded_at,
            'points', (SELECT coalesce(json_agg(json_build_object('number', p.number, 'outcome', p.outcome, 'reasons', p.reasons)
                                       ORDER BY p.number), '[]')
                       FROM rival.response_point p WHERE p.response_id = r.id))), '[]')
        FROM rival.response r WHERE r.advice_id = a.id),
    'version', a.version, 'createdAt', a.created_at, 'modifiedAt', a.modified_at
)::text AS shown
FROM rival.advice a
"""
ITEM = SHOWN + "WHERE a.id = $1 AND a.is_public"
LIST = SHOWN + """
WHERE a.lead_council = $1 AND a.status = $2 AND a.is_public
ORDER BY a.received_on DESC, a.id DESC LIMIT $3"""


async def left_as_it_is(_connection) -> None:
    """Nothing is set on a connection, so nothing has to be set back: that would be a journey to the database for each request."""


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with asyncpg.create_pool(os.environ["RIVAL_DSN"], min_size=8, max_size=8, reset=left_as_it_is) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/advice/{advice_id}")
async def get_advice(advice_id: uuid.UUID, request: Request) -> Response:
    shown = await request.app.state.pool.fetchval(ITEM, advice_id)
    if shown is None:
        raise HTTPException(404)
    return Response(shown, media_type="application/json")


@app.get("/advice")
async def list_advice(request: Request, council: str, status: str, limit: int = Query(20, le=1000)) -> Response:
    rows = await request.app.state.pool.fetch(LIST, council, status, limit)
    return Response('{"items":[' + ",".join(row["shown"] for row in rows) + "]}", media_type="application/json")


class Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Point(Wire):
    number: int = Field(ge=1)
    text: str = Field(min_length=1)


class Councils(Wire):
    lead: str
    cosigners: list[str] = []


class Draft(Wire):
    kind: str
    subject: str = Field(min_length=1, max_length=300)
    summary: str | None = None
    level: str
    themes: list[str] = []
    councils: Councils
    points: list[Point] = Field(min_length=1)


class Drafted(Draft):
    id: uuid.UUID
    status: str
    version: int
    created_at: datetime


@app.post("/advice", status_code=201, response_model_by_alias=True)
async def draft_advice(draft: Draft, request: Request) -> Drafted:
    now, advice_id = datetime.now(timezone.utc), uuid.uuid4()
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO rival.advice (id, kind, origin, subject, summary, level, lead_council, status, is_public, version,"
            " created_at, modified_at) VALUES ($1, $2, 'entered', $3, $4, $5, $6, 'draft', false, 1, $7, $7)",
            advice_id, draft.kind, draft.subject, draft.summary, draft.level, draft.councils.lead, now,
        )
        await connection.execute(
            "INSERT INTO rival.advice_council (advice_id, council) SELECT $1, unnest($2::text[])",
            advice_id, [draft.councils.lead, *draft.councils.cosigners],
        )
        await connection.execute(
            "INSERT INTO rival.point (advice_id, number, text) SELECT $1, * FROM unnest($2::int[], $3::text[])",
            advice_id, [point.number for point in draft.points], [point.text for point in draft.points],
        )
        if draft.themes:
            await connection.execute(
                "INSERT INTO rival.advice_theme (advice_id, theme) SELECT $1, unnest($2::text[])", advice_id, draft.themes
            )
    return Drafted(**draft.model_dump(by_alias=True), id=advice_id, status="draft", version=1, createdAt=now)
