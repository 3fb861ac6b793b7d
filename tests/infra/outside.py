"""Looks at a deployment from outside, as a stranger: whether it works, and whether it refuses what it must.

It reads the list of routes from the deployment itself and changes nothing. The release workflow runs it against
staging before production is asked about; it runs against the local server too. Python's own library is enough.

usage: outside.py URL     such as: outside.py https://api.your.domain/v1
"""

import base64
import json
import re
import socket
import ssl
import statistics
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

if len(sys.argv) != 2 or not re.match(r"https?://", sys.argv[1]):
    sys.exit(__doc__)
URL = sys.argv[1].rstrip("/")
PLACE = urllib.parse.urlsplit(URL)
HEADERS = {
    "strict-transport-security": "max-age=", "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-request-id": "",
}
HOSTILE = ["' OR '1'='1", "{\"$ne\": null}", "../../../../etc/passwd", "<script>alert(1)</script>", "%00", "\u202e", "A" * 2000]
failures, times, answers = [], [], 0


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirects)


def call(method, path, body=None, headers=None):
    """Status, headers (lower case) and body of an answer."""
    global answers
    headers = {"content-type": "application/json"} | (headers or {})
    sent = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data=sent, headers=headers, method=method)
    began = time.monotonic()
    try:
        answer = OPENER.open(request, timeout=40)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        text = answer.read().decode(errors="replace")
        got = {name.lower(): value for name, value in answer.getheaders()}
    times.append(time.monotonic() - began)
    answers += 1
    for name, part in HEADERS.items():
        expect(part in got.get(name, "\0"), f"{method} {path[:60]}: {name} is {got.get(name)!r}")
    expect(not {"x-powered-by", "x-aspnet-version"} & got.keys(), f"{method} {path[:60]} names its software")
    for leak in ("panicked", "stack backtrace", ".rs:", "dynamodb.", "arn:aws"):
        if "openapi" not in path:
            expect(leak not in text, f"{method} {path[:60]}: the answer says {leak!r}")
    return answer.status, got, text


def expect(holds, otherwise):
    if not holds:
        failures.append(otherwise)


def problem(text):
    try:
        return json.loads(text).get("code")
    except (ValueError, AttributeError):
        return None


def filled(path, parameters):
    """The path with something in place of its parameters."""
    kinds = {p["name"]: p["schema"].get("type") for p in parameters if p["in"] == "path"}
    return re.sub(r"{(\w+)}", lambda m: "1" if kinds.get(m[1]) == "integer" else "01M826NQ3S08HSVXMKZ2JCM3TB", path)


def token(header, claims=None):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    claims = claims or {"sub": "01M826NQ3S08HSVXMKZ2JCM3TB", "exp": int(time.time()) + 300, "scope": "admin"}
    return f"{part(header)}.{part(claims)}."


def it_works():
    status, _, text = call("GET", "/health")
    expect(status == 200, f"health answers {status}: {text[:200]}")
    status, _, text = call("GET", "/movies?limit=3")
    expect(status == 200 and len(json.loads(text)["items"]) == 3, f"the list of films answers {status}")
    if status == 200:
        film = json.loads(text)["items"][0]
        expect(call("GET", f"/movies/{film['id']}")[0] == 200, "a film of the list is not there")
        found = call("GET", "/search?" + urllib.parse.urlencode({"q": film["title"]}))
        expect(film["title"] in found[2], "a film of the list is not found by its title")


def strangers_are_refused(routes):
    forged = {
        "nothing": None, "no token": "Bearer ", "an unsigned token": "Bearer " + token({"typ": "at+jwt", "alg": "none"}),
        "another algorithm": "Bearer " + token({"typ": "at+jwt", "alg": "HS256", "kid": "../../dev/null"}) + "AAAA",
    }
    for method, path, operation in routes:
        if operation.get("security"):
            for what, given in forged.items():
                headers = {"authorization": given} if given else {}
                status, _, text = call(method, path, {} if method in ("POST", "PUT", "PATCH") else None, headers)
                expect(status == 401 and problem(text), f"{method} {path} with {what} answers {status} {problem(text)}")


def hostile_words_are_only_words(routes):
    for method, path, operation in routes:
        if method != "GET" or operation.get("security"):
            continue
        names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
        for word in HOSTILE:
            for name in names[:4]:
                status, _, text = call("GET", f"{path}?{urllib.parse.urlencode({name: word})}")
                expect(status < 500, f"{path} with {name}={word[:20]!r} answers {status}")
                expect(status < 400 or problem(text), f"{path} with {name}={word[:20]!r}: no problem document")


def the_gateway_answers_as_we_do():
    status, _, text = call("GET", "/no-such-path-of-ours")
    expect(status == 404 and problem(text) == "not_found", f"an unknown path answers {status} {problem(text)}")
    status, headers, text = call("DELETE", "/health")
    expect(status == 405 and "GET" in headers.get("allow", ""), f"a wrong method answers {status}")
    for origin in ("https://evil.example", "null"):
        _, headers, _ = call("GET", "/health", headers={"origin": origin})
        expect("access-control-allow-origin" not in headers, f"pages of {origin} may read")
    status, _, text = call("POST", "/login", {"username": "nobody-of-this-name", "password": "Wrong-kettle7 hums"})
    expect((status, problem(text)) in ((401, "invalid_credentials"), (401, "challenge_required"), (429, "too_many_attempts")),
           f"an unknown account answers {status} {problem(text)}")
    status, _, text = call("POST", "/register", {"username": "a", "role": "admin"})
    expect(status == 422, f"a role in a registration answers {status}")


def connections_are_encrypted():
    if PLACE.scheme != "https":
        print("- not over HTTPS: nothing said of connections")
        return
    host, port = PLACE.hostname, PLACE.port or 443

    def shakes(version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
        context.minimum_version = context.maximum_version = version
        try:
            with socket.create_connection((host, port), 10) as plain, context.wrap_socket(plain, server_hostname=host):
                return True
        except (ssl.SSLError, OSError, ValueError):
            return False

    expect(shakes(ssl.TLSVersion.TLSv1_3) or shakes(ssl.TLSVersion.TLSv1_2), "neither TLS 1.3 nor 1.2")
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        expect(not shakes(old), f"{old.name} is taken")
    try:
        with socket.create_connection((host, 80), 5) as plain:
            plain.sendall(f"GET {PLACE.path}/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            first = plain.recv(64).decode(errors="replace")
            expect(not re.match(r"HTTP/1\.\d 2", first), "plain HTTP is answered")
    except OSError:
        pass


it_works()
status, _, text = call("GET", "/openapi.json")
if status != 200:
    sys.exit(f"{URL}/openapi.json answers {status}: no list of routes")
ROUTES = [
    (method.upper(), filled(path, operation.get("parameters", [])), operation)
    for path, methods in json.loads(text)["paths"].items() for method, operation in methods.items()
]
strangers_are_refused(ROUTES)
hostile_words_are_only_words(ROUTES)
the_gateway_answers_as_we_do()
connections_are_encrypted()
guarded = sum(1 for _, _, operation in ROUTES if operation.get("security"))
print(f"{len(ROUTES)} routes, {guarded} of them for people who are signed in; {answers} answers, "
      f"half of them within {statistics.median(times) * 1000:.0f} ms")
for failure in failures[:40]:
    print(f"  {failure}")
sys.exit(f"{len(failures)} things are not as they must be" if failures else None)
