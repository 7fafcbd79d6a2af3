#!/usr/bin/env bash
# A whole life of an advice by curl: draft, adoption, submission, receipt, suspension, extension, a final response that is
# refused for a missing reason, one that is taken, the public view, unpublication and its tombstone.
#
#   bash tests/live/whole_life.sh target/release/wijkaanzet [DATABASE_URL]
set -euo pipefail
binary=$(realpath "$1")
data=$(mktemp -d)
export DATA_DIR=$data DATABASE_URL=${2:-sqlite://$data/life.sqlite}
at=http://127.0.0.1:8098
"$binary" serve --dev-tokens --listen 127.0.0.1:8098 --log warn >"$data/out" 2>&1 &
server=$!
trap 'kill $server; wait $server 2>/dev/null; rm -rf "$data"' EXIT
until curl -sf $at/health/ready >/dev/null; do sleep 0.1; done
token=$("$binary" token --scope "internal:read advice:write treatment:write responses:write publish" --councils '*' --clusters '*')

show() { python3 -c '
import json, sys
item = json.load(sys.stdin)
keys = ["type", "status", "detail", "errors", "reason", "withdrawnAt", "outcome", "version"]
shown = {key: item[key] for key in keys if item.get(key) is not None}
if "term" in item: shown["term"] = {key: item["term"][key] for key in ["originalDueOn", "dueOn", "state", "daysOver"]}
print("  ", json.dumps(shown, ensure_ascii=False))'; }
read_one() { curl -s -o "$data/body" -D "$data/head" -H "Authorization: Bearer $token" "$at/v1/advice/$id"; etag=$(grep -i '^etag:' "$data/head" | tr -d '\r' | cut -d' ' -f2); }
record() { # EVENT BODY
  read_one
  echo "POST /v1/advice/{id}/$1  $2"
  curl -s -w '   HTTP %{http_code}\n' -o "$data/body" -X POST "$at/v1/advice/$id/$1" -H "Authorization: Bearer $token" \
    -H "If-Match: $etag" -H 'Content-Type: application/json' -d "$2"
  show <"$data/body"
}
day() { date -d "$1 days" +%F; }

echo "POST /v1/advice"
curl -s -X POST $at/v1/advice -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{
  "kind": "unsolicited", "subject": "Oversteek bij de school", "level": "neighbourhood",
  "councils": {"lead": "rozenburg"},
  "points": [{"number": 1, "text": "Maak een zebrapad"}, {"number": 2, "text": "Verlaag de snelheid"}]}' >"$data/body"
show <"$data/body"
id=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])' <"$data/body")
record adoption "{\"meetingOn\":\"$(day -40)\",\"quorum\":true,\"votesFor\":7,\"votesAgainst\":0}"
record submission "{\"submittedOn\":\"$(day -38)\"}"
record receipt "{\"receivedOn\":\"$(day -37)\",\"cluster\":\"so\"}"
record publication '{}'
record suspensions "{\"from\":\"$(day -20)\",\"decidedOn\":\"$(day -20)\",\"reason\":\"Wacht op een meting\"}"
read_one
suspension=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["suspensions"][0]["id"])' <"$data/body")
echo "PATCH /v1/advice/{id}/suspensions/{sid}  {\"to\":\"$(day -13)\"}"
curl -s -X PATCH "$at/v1/advice/$id/suspensions/$suspension" -H "Authorization: Bearer $token" -H "If-Match: $etag" \
  -H 'Content-Type: application/merge-patch+json' -d "{\"to\":\"$(day -13)\"}" | show
record extensions "{\"days\":14,\"decidedOn\":\"$(day -5)\",\"reason\":\"Overleg met de school\"}"
response='"kind":"final","decidedOn":"'$(day -2)'","sentOn":"'$(day -1)'","by":"alderman"'
record responses "{$response,\"points\":[{\"number\":1,\"outcome\":\"adopted\"},{\"number\":2,\"outcome\":\"not_adopted\"}]}"
record responses "{$response,\"points\":[{\"number\":1,\"outcome\":\"adopted\"},{\"number\":2,\"outcome\":\"not_adopted\",\"reasons\":\"De weg is een hulproute\"}]}"
echo "GET /v1/advice/{id} (anonymous)"
curl -s "$at/v1/advice/$id" | tee "$data/public" | show
python3 -c 'import json,sys; item=json.load(sys.stdin); print("   suspension reason:", item["suspensions"][0]["reason"], "| points:", [(p["outcome"], p["reasons"]) for p in item["points"]])' <"$data/public"
echo "GET /v1/advice/{id}/term (anonymous)"
curl -s "$at/v1/advice/$id/term" | python3 -c 'import json,sys; [print("  ", l["days"], l["text"]) for l in json.load(sys.stdin)["lines"]]'
record unpublication '{"reason":"Er stond een telefoonnummer in"}'
echo "GET /v1/advice/{id} (anonymous)"
curl -s -w '   HTTP %{http_code}\n' -o "$data/body" "$at/v1/advice/$id"
show <"$data/body"
echo "GET /v1/advice?modifiedSince=… (anonymous)"
curl -s "$at/v1/advice?modifiedSince=2026-01-01T00:00:00Z" | python3 -c 'import json,sys; print("  ", json.load(sys.stdin)["items"])'
"$binary" check
