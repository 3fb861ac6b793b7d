#!/usr/bin/env python3
"""Writes what is the same for every function: the marked block of template.yaml, and infra/api.yaml.

It reads the route table, the problem codes, infra/functions.toml and infra/gateway.toml. Run it after a change to
one of them; `--check` only says whether the files are what it would write. It needs Python 3.11 and nothing else.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
API = ROOT / "infra" / "api.yaml"
BEGIN = "  # >>> Written by infra/generate.py: change infra/functions.toml or the route table instead.\n"
END = "  # <<< Written by infra/generate.py.\n"


# --- What is read ----------------------------------------------------------------------------------------------------

def routes():
    """The route table: a list of dictionaries with method, path, area, binary and summary."""
    source = (ROOT / "shared/routes/src/table.rs").read_text()
    entry = re.compile(
        r'^    [A-Z0-9_]+: (?P<method>[A-Z]+) "(?P<path>[^"]+)" => (?P<area>\w+)/"(?P<binary>\w+)",'
        r'[^"]*"(?P<summary>[^"]+)";', re.M)
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
    "METHOD_NOT_ALLOWED": 405, "CONFLICT": 409, "GONE": 410, "PRECONDITION_FAILED": 412, "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415, "UNPROCESSABLE_ENTITY": 422, "PRECONDITION_REQUIRED": 428,
    "TOO_MANY_REQUESTS": 429, "INTERNAL_SERVER_ERROR": 500, "BAD_GATEWAY": 502, "SERVICE_UNAVAILABLE": 503,
    "GATEWAY_TIMEOUT": 504,
}


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def functions():
    """Every function: those of the route table, in its order, then the jobs."""
    asked = tomllib.loads((ROOT / "infra/functions.toml").read_text())
    endpoints, seen = asked["endpoint"], {}
    for route in routes():
        name = route["binary"]
        if name not in endpoints:
            sys.exit(f"infra/functions.toml has no [endpoint.{name}]: what may it do?")
        seen.setdefault(name, {"name": name, "area": route["area"], "about": route["summary"], **endpoints[name]})
    if left := endpoints.keys() - seen.keys():
        sys.exit(f"infra/functions.toml knows endpoints that no route has: {', '.join(sorted(left))}")
    return list(seen.values()), [{"name": name, "area": "Jobs", **job} for name, job in asked["job"].items()]


# --- Roles -----------------------------------------------------------------------------------------------------------

def statement(sid, actions, resource, via=None):
    lines = [f"- Sid: {sid}", "  Effect: Allow", f"  Action: [{', '.join(actions)}]", f"  Resource: {resource}"]
    if via:
        lines.append(f"  Condition: {{StringEquals: {{'kms:ViaService': !Sub '{via}.${{AWS::Region}}.amazonaws.com'}}}}")
    return lines


def statements(function):
    """The IAM statements for what a function may do."""
    may, area = list(function["may"]), function["area"]
    lines = statement("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], f"!GetAtt {area}Logs.Arn")
    if table := [f"dynamodb:{word.removeprefix('catalog:')}" for word in may if word.startswith("catalog:")]:
        lines += statement("Catalogue", table, "!GetAtt CatalogTable.Arn")
        lines += statement("CatalogueKey", ["kms:Decrypt"], "!GetAtt CatalogKey.Arn", "dynamodb")
    if "artifacts:read" in may:
        lines += statement("ReadArtifacts", ["s3:GetObject"], "!Sub '${ArtifactsBucket.Arn}/catalog/*'")
    if "artifacts:write" in may:
        lines += statement("WriteArtifacts", ["s3:PutObject", "s3:DeleteObject"], "!Sub '${ArtifactsBucket.Arn}/catalog/*'")
    if "artifacts:see" in may:
        lines += statement("SeeArtifacts", ["s3:ListBucket"], "!GetAtt ArtifactsBucket.Arn")
    if key := [f"kms:{use}" for use, word in (("Decrypt", "artifacts:read"), ("GenerateDataKey", "artifacts:write")) if word in may]:
        lines += statement("ArtifactsKey", key, "!GetAtt CatalogKey.Arn", "s3")
    if secrets := [f"!Ref {camel(word.removeprefix('secret:'))}Secret" for word in may if word.startswith("secret:")]:
        lines += statement("Secrets", ["secretsmanager:GetSecretValue"], f"[{', '.join(secrets)}]")
        lines += statement("SecretsKey", ["kms:Decrypt"], "!GetAtt SecretsKey.Arn", "secretsmanager")
    if area == "Jobs":
        lines += statement("ReportFailure", ["sqs:SendMessage"], "!GetAtt FailedJobs.Arn")
        lines += statement("ReportFailureKey", ["kms:GenerateDataKey", "kms:Decrypt"], "!GetAtt OperationsKey.Arn", "sqs")
    known = ("artifacts:read", "artifacts:see", "artifacts:write", "secret:cursor", "secret:tmdb")
    for word in may:
        if word not in known and not re.fullmatch(r"catalog:[A-Z]\w+", word):
            sys.exit(f"infra/functions.toml: {function['name']} may {word}, which means nothing")
    return lines


def role(name, service, policy, lines):
    trust = f"[{{Effect: Allow, Principal: {{Service: {service}.amazonaws.com}}, Action: 'sts:AssumeRole'}}]"
    body = [
        f"{name}:", "  Type: AWS::IAM::Role", "  Properties:",
        f"    AssumeRolePolicyDocument: {{Version: '2012-10-17', Statement: {trust}}}",
        "    Policies:", f"      - PolicyName: {policy}", "        PolicyDocument:",
        "          Version: '2012-10-17'", "          Statement:",
    ]
    return body + ["            " + line for line in lines]


# --- Functions -------------------------------------------------------------------------------------------------------

def function_resource(function):
    name, logical = function["name"], camel(function["name"])
    lines = [
        f"{logical}Function:", "  Type: AWS::Serverless::Function", "  Properties:",
        f"    FunctionName: !Sub screensort-${{Environment}}-{name.replace('_', '-')}",
        f"    Description: {json.dumps(function['about'], ensure_ascii=False)}",
        f"    CodeUri: target/lambda/{name}/", f"    Role: !GetAtt {logical}Role.Arn",
        f"    LoggingConfig: {{LogFormat: JSON, LogGroup: !Ref {function['area']}Logs}}",
    ]
    if "memory" in function:
        lines.append(f"    MemorySize: {function['memory']}")
    if timeout := function.get("timeout", 900 if function["area"] == "Jobs" else None):
        lines.append(f"    Timeout: {timeout}")
    if "concurrency" in function:
        lines.append(f"    ReservedConcurrentExecutions: {function['concurrency']}")
    if function["area"] == "Jobs":
        lines += [
            "    EventInvokeConfig:", "      MaximumRetryAttempts: 1",
            f"      MaximumEventAgeInSeconds: {function['expires']}",
            "      DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt FailedJobs.Arn}}",
        ]
    return lines


def schedule(job):
    logical = camel(job["name"])
    return [
        f"{logical}Schedule:", "  Type: AWS::Scheduler::Schedule", "  Properties:",
        f"    Name: !Sub screensort-${{Environment}}-{job['name'].replace('_', '-')}",
        f"    Description: {json.dumps(job['about'], ensure_ascii=False)}",
        f"    ScheduleExpression: {job['schedule']}", "    ScheduleExpressionTimezone: UTC",
        "    FlexibleTimeWindow: {Mode: 'OFF'}", "    State: !Ref Schedules",
        "    Target:", f"      Arn: !GetAtt {logical}Function.Arn", "      RoleArn: !GetAtt SchedulerRole.Arn",
        "      Input: '{}'", f"      RetryPolicy: {{MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: {job['expires']}}}",
        "      DeadLetterConfig: {Arn: !GetAtt FailedJobs.Arn}",
    ]


def arns(of):
    return "\n".join(["", *(f"    - !GetAtt {camel(function['name'])}Function.Arn" for function in of)])


def block():
    endpoints, jobs = functions()
    parts = []
    for area in dict.fromkeys(function["area"] for function in endpoints + jobs):
        parts.append([f"# --- Functions: {area.lower()} ".ljust(118, "-")])
        for function in endpoints + jobs:
            if function["area"] == area:
                parts.append(function_resource(function))
                parts.append(role(f"{camel(function['name'])}Role", "lambda", function["name"], statements(function)))
                if area == "Jobs":
                    parts.append(schedule(function))
    parts.append(["# --- Who starts the functions ".ljust(118, "-")])
    invoke = statement("Invoke", ["lambda:InvokeFunction"], arns(endpoints))
    parts.append(role("GatewayRole", "apigateway", "invoke", "\n".join(invoke).split("\n")))
    invoke = statement("Invoke", ["lambda:InvokeFunction"], arns(jobs))
    invoke += statement("ReportFailure", ["sqs:SendMessage"], "!GetAtt FailedJobs.Arn")
    invoke += statement("ReportFailureKey", ["kms:GenerateDataKey", "kms:Decrypt"], "!GetAtt OperationsKey.Arn", "sqs")
    scheduler = role("SchedulerRole", "scheduler", "invoke", "\n".join(invoke).split("\n"))
    # The scheduler serves every account: only this one may borrow the role.
    scheduler[3] = scheduler[3].replace(
        "Action: 'sts:AssumeRole'",
        "Action: 'sts:AssumeRole', Condition: {StringEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}")
    parts.append(scheduler)
    text = "\n\n".join("\n".join(("  " + line).rstrip() for line in part) for part in parts)
    return f"{BEGIN}\n{text}\n\n{END}"


# --- The gateway's body ----------------------------------------------------------------------------------------------

# What a caller may claim to send with a wrong method. Anything else is a 415.
SENT = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain",
        "application/octet-stream"]


def document(problem, detail=None):
    """A problem document as the gateway fills it in. It has no path of the caller's: nothing there is escaped."""
    return json.dumps({
        "type": f"/v1/problems/{problem['word']}", "title": problem["title"], "status": problem["status"],
        "detail": detail or problem["advice"], "instance": "urn:uuid:$context.requestId", "code": problem["word"],
        "request_id": "$context.requestId",
    })


def quoted(value):
    return json.dumps(value, ensure_ascii=False)


def parameters(place, headers, indent):
    """Header mappings: a literal stands in single quotes, which the gateway takes off at both ends only."""
    lines = [f"{place}.header.{name}: {quoted(chr(39) + value + chr(39))}" for name, value in headers.items()]
    return [" " * indent + line for line in [*lines, f"{place}.header.X-Request-Id: context.requestId"]]


def wrong_method(path, methods, headers, problem):
    headers = {"Allow": ", ".join(methods), **headers}
    names = ", ".join(f"{name}: {{schema: {{type: string}}}}" for name in [*headers, "X-Request-Id"])
    return [
        "    x-amazon-apigateway-any-method:",
        f"      responses: {{'405': {{description: {problem['title']}, headers: {{{names}}}}}}}",
        "      x-amazon-apigateway-integration:", "        type: mock", "        passthroughBehavior: never",
        "        requestTemplates:", *(f"          {kind}: '{{\"statusCode\": 405}}'" for kind in SENT),
        "        responses:", "          default:", "            statusCode: '405'", "            responseParameters:",
        *parameters("method.response", headers, 14),
        "            responseTemplates:", f"              application/json: {quoted(document(problem))}",
    ]


def method(route):
    target = f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{camel(route['binary'])}Function.Arn}}/invocations"
    names = re.findall(r"{(\w+)}", route["path"])
    given = [f"{{name: {name}, in: path, required: true, schema: {{type: string}}}}" for name in names]
    return [
        f"    {route['method'].lower()}:", f"      summary: {quoted(route['summary'])}",
        *([f"      parameters: [{', '.join(given)}]"] if given else []),
        "      responses: {default: {description: The function's answer.}}",
        "      x-amazon-apigateway-integration:", "        type: aws_proxy", "        httpMethod: POST",
        f"        uri: {{'Fn::Sub': '{target}'}}", "        credentials: {'Fn::GetAtt': [GatewayRole, Arn]}",
    ]


def gateway_response(kind, answer, headers, known):
    problem = known.get(answer["code"]) or sys.exit(f"infra/gateway.toml: {kind}: no such code {answer['code']}")
    headers = headers | ({"Retry-After": str(answer["retry_after"])} if "retry_after" in answer else {})
    return [
        f"  {kind}:", f"    statusCode: {problem['status']}", "    responseParameters:",
        *parameters("gatewayresponse", headers, 6),
        "    responseTemplates:", f"      application/json: {quoted(document(problem, answer.get('detail')))}",
    ]


def api():
    gateway, known = tomllib.loads((ROOT / "infra/gateway.toml").read_text()), problems()
    lines = [
        "# Written by infra/generate.py from the route table and infra/gateway.toml: do not edit.",
        "# The gateway's body. It is OpenAPI 3.0, all that the gateway imports; the reference for people is /v1/openapi.json.",
        "openapi: 3.0.1", "info: {title: ScreenSort, version: '1'}", "paths:",
    ]
    by_path = {}
    for route in routes():
        by_path.setdefault(route["path"], []).append(route)
    for path, here in by_path.items():
        lines.append(f"  {path}:" if "{" not in path else f"  '{path}':")
        for route in here:
            lines += method(route)
        lines += wrong_method(path, [route["method"] for route in here], gateway["headers"], known["method_not_allowed"])
    lines.append("x-amazon-apigateway-gateway-responses:")
    for kind, answer in gateway["responses"].items():
        lines += gateway_response(kind, answer, gateway["headers"], known)
    return "\n".join(lines) + "\n"


# --- Writing ---------------------------------------------------------------------------------------------------------

def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("usage: infra/generate.py [--check]")
    template = TEMPLATE.read_text()
    if template.count(BEGIN) != 1 or template.count(END) != 1:
        sys.exit("template.yaml has lost the marks of the generated block")
    before, rest = template.split(BEGIN)
    new = {TEMPLATE: before + block() + rest.split(END)[1], API: api()}
    stale = [path for path, text in new.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if not check:
            path.write_text(new[path])
        print(f"{path.relative_to(ROOT)} {'is not what infra/generate.py writes: run it' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
