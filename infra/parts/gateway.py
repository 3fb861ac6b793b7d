"""The gateway's body: every route, what another method gets, and the gateway's own refusals."""

import json
import re
import sys
import tomllib

from .functions import arn
from .read import ROOT, problems, routes

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
    target = f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{arn({'name': route['binary']})}/invocations"
    names = re.findall(r"{(\w+)}", route["path"])
    given = [f"{{name: {name}, in: path, required: true, schema: {{type: string}}}}" for name in names]
    return [
        f"    {route['method'].lower()}:", f"      summary: {quoted(route['summary'])}",
        *([f"      parameters: [{', '.join(given)}]"] if given else []),
        "      responses: {default: {description: The function's answer.}}",
        "      x-amazon-apigateway-integration:", "        type: aws_proxy", "        httpMethod: POST",
        f"        uri: {{'Fn::Sub': '{target}'}}", f"        credentials: {{'Fn::GetAtt': [{route['area']}GatewayRole, Arn]}}",
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
