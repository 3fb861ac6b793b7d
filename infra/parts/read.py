"""What the generator reads: the route table, the problem codes, infra/functions.toml."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def routes():
    """The route table: a list of dictionaries with method, path, area, binary, access, quota and summary."""
    source = (ROOT / "shared/routes/src/table.rs").read_text()
    entry = re.compile(
        r'^    [A-Z0-9_]+: (?P<method>[A-Z]+) "(?P<path>[^"]+)" => (?P<area>\w+)/"(?P<binary>\w+)",'
        r'\s+(?P<access>\w+)(?:\(\w+\))?,\s+(?P<quota>\w+),[^"]*"(?P<summary>[^"]+)";', re.M)
    found = [match.groupdict() for match in entry.finditer(source)]
    entries = len(re.findall(r" => \w+/\"", source))
    if not found or len(found) != entries:
        sys.exit(f"shared/routes/src/table.rs: {len(found)} of {entries} routes could be read")
    return found


def problems():
    """The problem codes: status, title and advice by word."""
    source = (ROOT / "shared/http/src/problem.rs").read_text()
    entry = re.compile(r'^    \w+ = "(?P<word>\w+)", (?P<status>[A-Z_]+), "(?P<title>[^"]+)",\s+"(?P<advice>[^"]+)";', re.M)
    return {match["word"]: match.groupdict() | {"status": STATUS[match["status"]]} for match in entry.finditer(source)}


STATUS = {
    "MOVED_PERMANENTLY": 301, "BAD_REQUEST": 400, "UNAUTHORIZED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405, "NOT_ACCEPTABLE": 406, "CONFLICT": 409, "GONE": 410, "PRECONDITION_FAILED": 412, "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415, "UNPROCESSABLE_ENTITY": 422, "PRECONDITION_REQUIRED": 428,
    "TOO_MANY_REQUESTS": 429, "INTERNAL_SERVER_ERROR": 500, "BAD_GATEWAY": 502, "SERVICE_UNAVAILABLE": 503,
    "GATEWAY_TIMEOUT": 504,
}


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


# Who talks to somebody else than the product's own tables, keys and secrets: see infra/stacks/network.yaml.
OUTSIDE = ["secret:tmdb", "mail:send", "text:send", "waf:mirror"]

# Besides what infra/functions.toml grants: every endpoint asks who is shut out, notes what looks hostile, and records
# a quota that is used up.
EVERYBODY = ["auth:Query", "auth:UpdateItem", "audit:PutItem"]
# Whoever must be signed in is read from the table of sessions, their calls are counted there, and a call that they
# may not make is recorded.
SIGNED_IN = ["auth:BatchGetItem", "secret:mac", "secret:jwks"]
# The first answer to a call with an idempotency key is kept for a day.
CREATING = ["auth:PutItem", "auth:DeleteItem"]


# Under which keys: so that a function which has no other business with credentials cannot read or change them.
PARTITIONS = {"auth:Query": ["BLOCKLIST"], "auth:UpdateItem": ["SUSPECTS#*"]}


def partitions(own, here):
    """The partitions that a function's base grants are for, where its own grants do not go further."""
    signed_in = any(route["access"] != "Anyone" for route in here)
    # Of who is signed in the calls are counted and the session is noted, too.
    return {word: some for word, some in PARTITIONS.items() if word not in own and not (signed_in and word == "auth:UpdateItem")}


def base(name, here):
    """What the routes of a function need whatever they do."""
    may = list(EVERYBODY)
    if any(route["access"] != "Anyone" for route in here):
        may += SIGNED_IN
        if any(route["method"] == "POST" for route in here):
            may += CREATING
    return may


def functions():
    """Every function: those of the route table, in its order, then the jobs."""
    asked = tomllib.loads((ROOT / "infra/functions.toml").read_text())
    endpoints, seen, table = asked["endpoint"], {}, routes()
    for route in table:
        name = route["binary"]
        if name not in endpoints:
            sys.exit(f"infra/functions.toml has no [endpoint.{name}]: what may it do?")
        if name not in seen:
            own = endpoints[name]
            here = [other for other in table if other["binary"] == name]
            may = base(name, here) + own["may"]
            about = {"name": name, "area": route["area"], "about": route["summary"]}
            seen[name] = about | own | {"may": list(dict.fromkeys(may)), "partitions": partitions(own["may"], here)}
    if left := endpoints.keys() - seen.keys():
        sys.exit(f"infra/functions.toml knows endpoints that no route has: {', '.join(sorted(left))}")
    jobs = [{"name": name, "area": "Jobs", **job} for name, job in asked["job"].items()]
    for function in [*seen.values(), *jobs]:
        function["outside"] = any(word in function["may"] for word in OUTSIDE)
    return list(seen.values()), jobs
