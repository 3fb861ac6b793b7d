"""The stacks: what each takes from the others, by name, and the areas' templates as a whole."""

import re

from . import functions
from .read import ROOT

PLACE = ROOT / "infra" / "stacks"
# In this order the root lists them. A stack with a condition exists only where that holds.
ORDER = ["access", "network", "data", "operations", "{areas}", "edge", "watch", "backup"]
CONDITIONS = {"network": "HasNetwork", "backup": "BacksUp"}

# An area's template up to its resources. The settings of functions are docs/configuration.md's.
HEAD = """# Written by infra/generate.py from infra/functions.toml and infra/parts: change those instead.
# The functions of the area "{area}": each with its role and the alarm that takes a new version back.

AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: ScreenSort, the functions of the area "{area}".
"""
GLOBALS = """Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Architectures: [!Ref Architecture]
    MemorySize: 256
    Timeout: 10
    Layers: !If [Insights, [!Ref InsightsLayerArn], !Ref AWS::NoValue]
    LoggingConfig: {LogFormat: JSON, LogGroup: !Ref {area}Logs}
    Tracing: Active
    AutoPublishAlias: live
    Environment:
      Variables:
        SCREENSORT_TABLE_CATALOG: !Ref CatalogTableName
        SCREENSORT_TABLE_AUTH: !Ref AuthTableName
        SCREENSORT_TABLE_LIBRARY: !Ref LibraryTableName
        SCREENSORT_TABLE_AUDIT: !Ref AuditTableName
        SCREENSORT_BUCKET_ARTIFACTS: !Ref ArtifactsBucket
        SCREENSORT_BUCKET_EXPORTS: !Ref ExportsBucket
        SCREENSORT_BUCKET_AUDIT: !Ref AuditBucket
        SCREENSORT_SECRET_CURSOR: !Sub screensort/${Environment}/cursor
        SCREENSORT_SECRET_TMDB: !Sub screensort/${Environment}/tmdb
        SCREENSORT_SECRET_INDEX: !Sub screensort/${Environment}/index
        SCREENSORT_SECRET_MAC: !Sub screensort/${Environment}/mac
        SCREENSORT_SECRET_LASTING: !Sub screensort/${Environment}/lasting
        SCREENSORT_SECRET_SIGNING: !Sub screensort/${Environment}/signing
        SCREENSORT_SECRET_JWKS: !Sub screensort/${Environment}/jwks
        SCREENSORT_KEY_DATA: !Ref DataKeyArn
        SCREENSORT_KEY_PEPPER: !Ref PepperKeyArn
        SCREENSORT_PEPPER_ID: !Ref PepperId
        SCREENSORT_OLD_PEPPERS: !Ref OldPeppers
        SCREENSORT_METRICS: !Sub ScreenSort/${Environment}
        SCREENSORT_ISSUER: !Ref AppUrl
        SCREENSORT_APP_URL: !Ref AppUrl
        SCREENSORT_MAIL_FROM: !Sub ${MailName}@${MailDomain}
        PASSWORD_POLICY: !Ref PasswordPolicy
        SCREENSORT_CORS_ORIGINS: !Ref CorsOrigins
        SCREENSORT_SECURITY_CONTACT: !Ref SecurityContact
        OTEL_EXPORTER_OTLP_ENDPOINT: !Ref OtlpEndpoint
        OTEL_EXPORTER_OTLP_HEADERS: !Ref OtlpHeaders
        OTEL_SERVICE_NAME: !Sub screensort-${Environment}
    Tags:
      product: screensort
"""
HOLDS = {
    "Copies": "!Not [!Equals [!Ref LogStreamArn, '']]",
    "Insights": "!Equals [!Ref EnableInsights, 'yes']",
    "InNetwork": "!Not [!Equals [!Ref InsideSubnets, '']]",
    "Reserves": "!Equals [!Ref ReserveConcurrency, 'yes']",
    "SendsTexts": "!Not [!Equals [!Ref SmsCountries, '']]",
}


def area_template(area, root):
    body = "\n\n".join("\n".join(("  " + line).rstrip() for line in part) for part in functions.resources(area))
    globals_ = GLOBALS.replace("{area}", area)
    text = globals_ + "\nResources:\n" + body + "\n"
    holds = {name: rule for name, rule in HOLDS.items() if re.search(rf"(Condition: |!If \[|!If\n\s+- ){name}\b", text)}
    conditions = "Conditions:\n" + "".join(f"  {name}: {rule}\n" for name, rule in holds.items())
    own = section(text, "Resources")
    used = references(conditions + text) - set(own)
    kinds = {name: kind for name, kind in re.findall(r"^  (\w+):\n(?:    .*\n)*?    Type: (\w+)", root, re.M)}
    unshown = {name for name, body in re.findall(r"^  (\w+):\n((?:    .*\n)+)", root, re.M) if "    NoEcho: true\n" in body}
    kind = lambda name: f"{kinds.get(name, 'String')}{', NoEcho: true' if name in unshown else ''}"
    parameters = "".join(f"  {name}: {{Type: {kind(name)}}}\n" for name in sorted(used))
    return f"{HEAD.replace('{area}', area)}\nParameters:\n{parameters}\n{conditions}\n{text}"


def references(text):
    """The names that a text refers to."""
    plain = {name for name in re.findall(r"!Ref (\w+)(?![\w.:])", text) if name != "AWS"}
    return plain | set(re.findall(r"\${(\w+)}", text))


def section(text, name):
    """The names that a section of a template declares."""
    found = re.search(rf"^{name}:\n((?:(?:  .*|#.*)?\n)*)", text, re.M)
    return re.findall(r"^  (\w+):", found[1], re.M) if found else []


def logical(stack):
    return stack.capitalize()


def entries(root, templates):
    """The root's entries: a stack each, with what it takes from the root's parameters and from other stacks."""
    given = set(section(root, "Parameters"))
    stacks = [stack for place in ORDER for stack in (functions_first(templates) if place == "{areas}" else [place]) if stack in templates]
    told = {}
    for stack in stacks:
        for output in section(templates[stack], "Outputs"):
            if output in told:
                raise SystemExit(f"infra/stacks: both {told[output]} and {stack} tell {output}")
            told[output] = stack
    parts = []
    for stack in stacks:
        lines = [f"{logical(stack)}:", "  Type: AWS::CloudFormation::Stack"]
        if stack in CONDITIONS:
            lines.append(f"  Condition: {CONDITIONS[stack]}")
        if stack in ("edge", "watch"):
            lines.append(f"  DependsOn: [{', '.join(logical(area) for area in functions_first(templates))}]")
        lines += ["  Properties:", f"    TemplateURL: infra/stacks/{stack}.yaml"]
        takes = section(templates[stack], "Parameters")
        lines += ["    Parameters:"] if takes else []
        for name in takes:
            lines.append(f"      {name}: {source(stack, name, given, told)}")
        parts.append(lines + ["    Tags: [{Key: product, Value: screensort}]"])
    return parts


def source(stack, name, given, told):
    if name in given:
        return f"!Ref {name}"
    if name not in told:
        raise SystemExit(f"infra/stacks/{stack}.yaml takes {name}, which is no parameter of the root and which no stack tells")
    value = f"!GetAtt {logical(told[name])}.Outputs.{name}"
    condition = CONDITIONS.get(told[name])
    return f"!If [{condition}, {value}, '']" if condition else value


def functions_first(templates):
    return [area.lower() for area in functions.areas() if area.lower() in templates]
