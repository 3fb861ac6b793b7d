"""Sends recorded events to functions under cargo lambda's emulator and checks the answers. Run by lambda.sh."""

import json
import subprocess
import sys
from pathlib import Path

EVENTS = Path(__file__).resolve().parent.parent.parent / "events"
PORT = sys.argv[1]


def invoke(function, event):
    """What the function answers, or None where the invocation itself failed."""
    command = ["cargo", "lambda", "invoke", function, "--invoke-address", "127.0.0.1", "--invoke-port", PORT,
               "--data-file", str(EVENTS / f"{event}.json"), "--output-format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return None


def answered(function, event, status):
    answer = invoke(function, event)
    if answer is None:
        sys.exit(f"{function} gave no answer to {event}")
    if answer.get("statusCode") != status:
        sys.exit(f"{function} answered {event} with {json.dumps(answer)[:600]}, not with {status}")
    headers = {name.lower(): values for name, values in (answer.get("multiValueHeaders") or {}).items()}
    for name in ("strict-transport-security", "content-security-policy", "x-content-type-options", "x-request-id"):
        if name not in headers:
            sys.exit(f"{function} answered {event} without {name}")
    print(f"  {function} {event}: {status}")
    return json.loads(answer["body"])


def films():
    body = answered("movies", "movies", 200)
    asked = json.loads((EVENTS / "movies.json").read_text())["queryStringParameters"]
    assert len(body["items"]) == int(asked["limit"]), body
    for film in body["items"]:
        assert int(asked["genre"]) in [genre["id"] for genre in film["genres"]], film
        assert film["release_date"] >= asked["year_gte"], film


films()
film = answered("movie", "movie", 200)
assert film["id"] == 27205 and film["title"] == "Inception", film

assert answered("health", "health", 200)["status"] == "ok"
found = answered("search", "search", 200)
assert found["items"], found
# The recorded token is no token.
assert answered("thumbs_action", "thumbs_action", 401)["code"], "no problem document"

# Refused by a rule of ours, in a problem document that says which one.
REFUSED = {
    "movies": {"hostile-query": 400, "hostile-repeated": 400, "hostile-cursor": 400},
    "movie": {"hostile-path": 400, "hostile-number": 400, "hostile-body": 400},
}
for function, events in REFUSED.items():
    for event, status in events.items():
        problem = answered(function, event, status)
        assert problem["status"] == status and problem["request_id"], problem

# Not what the gateway sends at all: any answer will do that is neither a success nor the end of the function.
for event in sorted(path.stem for path in EVENTS.glob("hostile-*.json")):
    for function in ("movies", "movie", "search", "health", "thumbs_action"):
        answer = invoke(function, event)
        print(f"  {function} {event}: {answer.get('statusCode', 'an error') if answer else 'an error'}")
        assert "panicked" not in json.dumps(answer), answer

films()
