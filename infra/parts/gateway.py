"""The gateway's body: every route, what another method gets, and the gateway's own refusals."""

import json
import re
import sys
import tomllib

from .functions import arn
from .read import ROOT, functions, problems, routes

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


# A header of the browser's, under either way of writing its name: HTTP/2 sends small letters, the template compares.
def asked(variable, name):
    given = f'$input.params().header.get("{name}")'
    return f'#set(${variable} = {given.replace(name, name.lower())})#if(!${variable})#set(${variable} = {given})#end'


def other_method(path, methods, gateway, known):
    """What a path answers to any other method: a browser that asks before a page of another origin calls is told what
    it may if the page is one of ours, and refused if not, as shared/http/src/preflight.rs does; the rest is a 405."""
    allowed = ", ".join(methods)
    override = "$context.responseOverride"
    granted = {"Access-Control-Allow-Methods": allowed} | gateway["preflight"]
    template = "".join([
        asked("origin", "Origin"), asked("method", "Access-Control-Request-Method"),
        '#if($context.httpMethod != "OPTIONS" || !$origin || !$method)', document(known["method_not_allowed"]),
        # Several origins in one header are nobody's.
        '#elseif($origin.contains(",") || !",${CorsOrigins},".contains(",$origin,"))',
        f'#set({override}.status = {known["origin_refused"]["status"]})', document(known["origin_refused"]),
        "#else", f"#set({override}.status = 204)#set({override}.header.Access-Control-Allow-Origin = $origin)",
        *(f'#set({override}.header.{name} = "{value}")' for name, value in granted.items()), "#end",
    ])
    headers = {"Allow": allowed, **gateway["headers"]}
    names = ", ".join(f"{name}: {{schema: {{type: string}}}}" for name in [*headers, "X-Request-Id"])
    return [
        "    x-amazon-apigateway-any-method:",
        f"      responses: {{'405': {{description: {known['method_not_allowed']['title']}, headers: {{{names}}}}}}}",
        "      x-amazon-apigateway-integration:", "        type: mock", "        passthroughBehavior: never",
        "        requestTemplates:", *(f"          {kind}: '{{\"statusCode\": 405}}'" for kind in SENT),
        "        responses:", "          default:", "            statusCode: '405'", "            responseParameters:",
        *parameters("method.response", headers, 14),
        "            responseTemplates:", f"              application/json: {{'Fn::Sub': {quoted(template)}}}",
    ]


def needed(route):
    """The query parameters without which a method is not worth calling, from the reference."""
    operation = reference()["paths"].get(route["path"], {}).get(route["method"].lower(), {})
    return [one["name"] for one in operation.get("parameters", []) if one.get("required") and one.get("in") == "query"]


def has_body(route):
    return "requestBody" in reference()["paths"].get(route["path"], {}).get(route["method"].lower(), {})


# Where the installation asks for it, any other kind of body than JSON is refused before a function is called: the model
# for every other kind is met by nothing. docs/deploy.md says what is known of it, and why it is not on by itself.
BODY = [
    "      requestBody:", "        Fn::If:", "          - ChecksTypes", "          - content:",
    "              application/json: {schema: {$ref: '#/components/schemas/Anything'}}",
    "              $default: {schema: {$ref: '#/components/schemas/Nothing'}}", "          - {Ref: AWS::NoValue}",
]


def validator(query, body):
    """Which of the body's validators, if any, looks at a method's requests."""
    other = "parameters" if query else "{Ref: AWS::NoValue}"
    chosen = f"{{'Fn::If': [ChecksTypes, bodies, {other}]}}" if body else other
    return [f"      x-amazon-apigateway-request-validator: {chosen}"] if query or body else []


def throttles():
    """What hashes a password, sends mail, or is guessed at costs more than all the rest."""
    named = {f["name"] for f in functions()[0] if "pepper" in f["may"] or f.get("throttled")}
    lines = []
    for route in routes():
        if route["binary"] in named and route["method"] != "GET":
            lines += [
                f"      - ResourcePath: /{route['path'].replace('/', '~1')}", f"        HttpMethod: {route['method']}",
                "        ThrottlingRateLimit: !Ref AccountRate", "        ThrottlingBurstLimit: !Ref AccountRate",
                "        MetricsEnabled: true", "        LoggingLevel: 'OFF'", "        DataTraceEnabled: false",
            ]
    return lines


def reference():
    return json.loads((ROOT / "functions/system/openapi.json").read_text())


def method(route):
    target = f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{arn({'name': route['binary']})}/invocations"
    names = re.findall(r"{(\w+)}", route["path"])
    given = [f"{{name: {name}, in: path, required: true, schema: {{type: string}}}}" for name in names]
    query, body = needed(route), has_body(route)
    given += [f"{{name: {name}, in: query, required: true, schema: {{type: string}}}}" for name in query]
    return [
        f"    {route['method'].lower()}:", f"      summary: {quoted(route['summary'])}",
        *([f"      parameters: [{', '.join(given)}]"] if given else []),
        *(BODY if body else []), *validator(query, body),
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
        "openapi: 3.0.1", "info: {title: ScreenSort, version: '1'}",
        # With a domain of its own the API answers there only. In a document of OpenAPI 3 this is the server's to say:
        # at the root, where version 2 has it, the import passes over it in silence.
        "servers:", "  - url: /",
        "    x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: {'Fn::If': [HasDomain, true, false]}}",
        # A policy of this kind asks for strict host names.
        "x-amazon-apigateway-security-policy: {Ref: TlsPolicy}", "x-amazon-apigateway-endpoint-access-mode: STRICT",
        # Bodies and values are checked by the functions: they say which field is wrong, the gateway does not.
        "x-amazon-apigateway-request-validators:",
        "  parameters: {validateRequestParameters: true, validateRequestBody: false}",
        "  bodies: {validateRequestParameters: true, validateRequestBody: true}",
        # Of a text's two lengths the import keeps both; of how many properties an object has, it drops what it is told.
        "components:", "  schemas:", "    Anything: {title: Anything}",
        "    Nothing: {title: Nothing, type: string, minLength: 2, maxLength: 1}",
        "paths:",
    ]
    by_path = {}
    for route in routes():
        by_path.setdefault(route["path"], []).append(route)
    for path, here in by_path.items():
        lines.append(f"  {path}:" if "{" not in path else f"  '{path}':")
        for route in here:
            lines += method(route)
        lines += other_method(path, [route["method"] for route in here], gateway, known)
    lines.append("x-amazon-apigateway-gateway-responses:")
    for kind, answer in gateway["responses"].items():
        lines += gateway_response(kind, answer, gateway["headers"], known)
    return "\n".join(lines) + "\n"
