"""Calls a deployed stack as people and clocks do, and checks what it answers. Run by deploy.sh.

usage: smoke.py STACK ADMIN   the stack's name; the file with what `first-admin` printed
"""

import base64
import hashlib
import hmac
import json
import os
import re
import struct
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3

STACK, ADMIN = sys.argv[1], Path(sys.argv[2]).read_text()
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
NAME, EMAIL, PASSWORD = "ann", "ann@example.org", "Violet-kettle7 hums"
INCEPTION = 27205
SECURITY = ("strict-transport-security", "content-security-policy", "x-content-type-options", "x-request-id")


def rest_api():
    api, = [a for a in boto3.client("apigateway").get_rest_apis(limit=500)["items"] if a["name"] == STACK]
    return f"{ENDPOINT}/restapis/{api['id']}/v1/_user_request_"


URL = rest_api()


def call(method, path, status, body=None, token=None):
    """What the API answers, which must have the status and the headers of every answer."""
    headers = {"content-type": "application/json"} if body is not None else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    sent = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data=sent, headers=headers, method=method)
    began = time.monotonic()
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        text, got = answer.read().decode(), answer.status
        names = {name.lower() for name, _ in answer.getheaders()}
    print(f"  {method:4} {path.split('?')[0]}: {got} ({(time.monotonic() - began) * 1000:.0f} ms)", flush=True)
    if got != status:
        sys.exit(f"{method} {path} answered {got}, not {status}: {text[:800]}")
    if missing := [name for name in SECURITY if name not in names]:
        sys.exit(f"{method} {path} answered without {', '.join(missing)}")
    return json.loads(text) if text else None


def invoke(job):
    """Starts a job as its schedule does, and waits for its end."""
    name = f"{STACK}-{job.replace('_', '-')}"
    done = boto3.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    answer = done["Payload"].read().decode()
    print(f"  {job}: {answer[:200]}", flush=True)
    if "FunctionError" in done:
        sys.exit(f"{job} failed: {answer}")
    return json.loads(answer)


def until(what, look, seconds=150):
    """Waits for what does not happen at once."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if found := look():
            print(f"  {what}: after {time.monotonic() - began:.0f} s", flush=True)
            return found
        time.sleep(1)
    sys.exit(f"{what}: not in {seconds} s")


def mailed(to):
    """The token of the last letter to somebody."""
    with urllib.request.urlopen(f"{ENDPOINT}/_ministack/ses/messages", timeout=30) as answer:
        letters = [letter for account in json.load(answer)["messages"].values() for letter in account]
    found = re.findall(r"#verify_email=([\w-]+)", "".join(one["BodyText"] for one in letters if to in one["To"]))
    return found[-1] if found else None


def solved(challenge):
    """The answer to a challenge: the number whose hash with the salt it is."""
    for number in range(challenge.get("maxnumber", 1_000_000) + 1):
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["challenge"]:
            answer = {key: challenge[key] for key in ("algorithm", "challenge", "salt", "signature")}
            return base64.b64encode(json.dumps(answer | {"number": number}).encode()).decode()
    sys.exit("the challenge has no answer")


def code(otpauth):
    """The authenticator's code for now."""
    secret = re.search(r"secret=([A-Z2-7]+)", otpauth)[1]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def guest():
    assert call("GET", "/health", 200)["status"] == "ok"
    films = call("GET", "/movies?genre=878&limit=3", 200)["items"]
    assert len(films) == 3 and all(878 in [g["id"] for g in film["genres"]] for film in films), films
    found = call("GET", "/search?q=inceptoin", 200)["items"]
    assert "Inception" in json.dumps(found[:3]), found
    assert call("GET", f"/movies/{INCEPTION}", 200)["title"] == "Inception"
    assert "limit" in json.dumps(call("GET", "/movies?limit=9999", 400)["errors"])
    call("POST", "/thumbs_action", 401, {"movie_id": INCEPTION, "action": "thumbs_up"})


def newcomer():
    call("POST", "/register", 202, {"username": NAME, "email": EMAIL, "password": PASSWORD})
    login = {"username": NAME, "password": PASSWORD}
    assert call("POST", "/login", 403, login)["code"] == "email_unverified"
    # Nobody starts the job that sends mail but its schedule.
    token = until("mail from the scheduled job", lambda: mailed(EMAIL))
    call("POST", "/register/verify", 204, {"token": token})
    while (refused := call("POST", "/login", 401, login | {"password": "Wrong-kettle7 hums"}))["code"] != "challenge_required":
        assert refused["code"] == "invalid_credentials", refused
    answer = solved(call("GET", "/login/challenge", 200))
    session = call("POST", "/login", 200, login | {"challenge": answer})
    return session["access_token"]


def member(token):
    assert call("GET", "/session", 200, token=token)["user"]["username"] == NAME
    call("POST", "/thumbs_action", 200, {"movie_id": INCEPTION, "action": "thumbs_up"}, token)
    films = call("GET", "/recommendation?limit=5", 200, token=token)["items"]
    assert films and INCEPTION not in [film.get("id") or film["movie"]["id"] for film in films], films
    assert call("GET", "/admin/users", 403, token=token)["code"] == "forbidden"


def counted():
    """The thumb reaches the film's counters through the table's stream."""
    return call("GET", f"/movies/{INCEPTION}", 200)["community"]["thumbs_up"] == 1


def administrator():
    email, password, link = (re.search(rf"^{name}\s+(\S.*)$", ADMIN, re.M)[1] for name in ("email", "password", "link"))
    owed = call("POST", "/login", 200, {"email": email, "password": password})
    assert owed["mfa_required"] and "totp" in owed["methods"], owed
    session = call("POST", "/login/mfa", 200, {"mfa_token": owed["mfa_token"], "code": code(link)})
    people = call("GET", "/admin/users", 200, token=session["access_token"])["items"]
    assert NAME in json.dumps(people), people


invoke("publish_catalog")
guest()
token = newcomer()
invoke("train_recommender")
member(token)
until("the film's counter", counted)
administrator()
