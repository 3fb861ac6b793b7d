"""Roles: the words of infra/functions.toml as IAM statements."""

import re
import sys

TABLES = ("catalog", "auth", "library", "audit")
SECRETS = ("cursor", "tmdb", "index", "mac", "lasting", "signing", "jwks", "challenge")
# Objects: in which bucket, under which prefixes, and which key encrypts them.
OBJECTS = {
    "artifacts": ("Artifacts", ["catalog"], "Catalog"), "model": ("Artifacts", ["model"], "Catalog"),
    "reports": ("Artifacts", ["reports"], "Catalog"), "shipped": ("Audit", ["audit"], "Audit"),
    "exports": ("Exports", ["exports", "imports"], "Library"),
}
# What is allowed on an account's data key: only for a person's, whoever asks.
DATA_KEY = {"data:wrap": "kms:GenerateDataKey", "data:unwrap": "kms:Decrypt"}
OTHERS = ("pepper", "mail:send", "text:send", "waf:mirror", "keys:describe", "buckets:describe", *DATA_KEY)


def statement(sid, actions, resource, condition=None):
    lines = [f"- Sid: {sid}", "  Effect: Allow", f"  Action: [{', '.join(actions)}]", f"  Resource: {resource}"]
    return lines + ([f"  Condition: {condition}"] if condition else [])


def only_if(condition, lines):
    """A statement that is there only where a condition of the template holds."""
    return ["- !If", f"  - {condition}", *(f"  {line}" for line in lines), "  - !Ref AWS::NoValue"]


def through(service, context=""):
    """Only through a service, and for what `context` names: one table, bucket or secret."""
    via = f"'kms:ViaService': !Sub '{service}.${{AWS::Region}}.amazonaws.com'"
    return f"{{StringEquals: {{{', '.join([via, *([context] if context else [])])}}}}}"


def actions(may, prefix):
    return [word.removeprefix(f"{prefix}:") for word in may if re.fullmatch(rf"{prefix}:[A-Z]\w+", word)]


# Where records of the trail are put. Its chain and checkpoints are for the one job that lays them.
RECORDS = ["DAY#*", "ONCE#*"]
CHAINS = {"ship_audit"}


def table_statements(may, partitions):
    """What a function may do in tables; `partitions` has the actions that are for some only."""
    lines = []
    for table in TABLES:
        name = table.capitalize()
        calls = [f"dynamodb:{call}" for call in actions(may, table)]
        if calls:
            arn = f"!Ref {name}TableArn"
            if table == "library" and "dynamodb:Query" in calls:
                arn = f"[!Ref {name}TableArn, !Sub '${{{name}TableArn}}/index/*']"
            for word, allowed in partitions.items():
                call = "dynamodb:" + word.partition(":")[2]
                if word.startswith(f"{table}:") and call in calls:
                    calls.remove(call)
                    led = f"{{'ForAllValues:StringLike': {{'dynamodb:LeadingKeys': [{', '.join(repr(key) for key in allowed)}]}}}}"
                    lines += statement(name + call.partition(":")[2], [call], arn, led)
            lines += statement(name, calls, arn) if calls else []
        if f"{table}:stream" in may:
            read = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
            lines += statement(f"{name}Stream", read, f"!Ref {name}StreamArn")
            # Lambda makes sure of the stream among those of the table.
            lines += statement(f"{name}Streams", ["dynamodb:ListStreams"], f"!Sub '${{{name}TableArn}}/stream/*'")
        if actions(may, table) or f"{table}:stream" in may:
            context = f"'kms:EncryptionContext:aws:dynamodb:tableName': !Ref {name}TableName"
            lines += statement(f"{name}Key", ["kms:Decrypt"], f"!Ref {name}KeyArn", through("dynamodb", context))
    return lines


def object_statements(may):
    lines, uses = [], {}
    for word, (bucket, prefixes, key) in OBJECTS.items():
        name = word.capitalize()
        arn = f"arn:${{AWS::Partition}}:s3:::${{{bucket}Bucket}}"
        objects = ", ".join(f"!Sub '{arn}/{prefix}/*'" for prefix in prefixes)
        if f"{word}:read" in may:
            lines += statement(f"Read{name}", ["s3:GetObject"], f"[{objects}]")
            uses.setdefault((key, arn), set()).add("kms:Decrypt")
        if f"{word}:write" in may:
            # What is shipped stays: nobody deletes it.
            writes = ["s3:PutObject"] if word == "shipped" else ["s3:PutObject", "s3:DeleteObject"]
            lines += statement(f"Write{name}", writes, f"[{objects}]")
            uses.setdefault((key, arn), set()).add("kms:GenerateDataKey")
        if f"{word}:see" in may:
            lines += statement(f"See{name}", ["s3:ListBucket"], f"!Sub {arn}")
    for (key, arn), allowed in uses.items():
        # With a bucket's own key, S3 names the bucket, not the object.
        context = f"'kms:EncryptionContext:aws:s3:arn': !Sub '{arn}'"
        lines += statement(f"{key}Objects", sorted(allowed), f"!Ref {key}KeyArn", through("s3", context))
    return lines


def secret_statements(may):
    lines = []
    for suffix, action, sid in (("", "GetSecretValue", "Secrets"), (":write", "PutSecretValue", "WriteSecrets")):
        named = [f"!Ref {name.capitalize()}SecretArn" for name in SECRETS if f"secret:{name}{suffix}" in may]
        if named:
            lines += statement(sid, [f"secretsmanager:{action}"], f"[{', '.join(named)}]")
            use = ["kms:Decrypt"] if not suffix else ["kms:Decrypt", "kms:GenerateDataKey"]
            context = f"'kms:EncryptionContext:SecretARN': [{', '.join(named)}]"
            lines += statement(f"{sid}Key", use, "!Ref SecretsKeyArn", through("secretsmanager", context))
    return lines


def person_statements(may):
    lines = []
    if uses := [action for word, action in DATA_KEY.items() if word in may]:
        lines += statement("PeoplesKeys", uses, "!Ref DataKeyArn", "{StringEquals: {'kms:EncryptionContext:purpose': person}}")
    if "pepper" in may:
        lines += statement("Pepper", ["kms:GenerateMac"], "!Split [',', !Ref PepperKeyArns]", "{StringEquals: {'kms:MacAlgorithm': HMAC_SHA_256}}")
    if "mail:send" in may:
        identity = "!Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${MailDomain}"
        lines += statement("SendMail", ["ses:SendEmail"], identity)
    if "text:send" in may:
        # A telephone is no resource, so that IAM takes nothing but a wildcard; the boundary keeps it off topics.
        lines += only_if("SendsTexts", statement("SendTexts", ["sns:Publish"], "'*'"))
    return lines


def firewall_statements(may):
    if "waf:mirror" not in may:
        return []
    lists = "arn:${AWS::Partition}:wafv2:${AWS::Region}:${AWS::AccountId}:regional/ipset/screensort-${Environment}"
    # The rest of an address list's own address is chosen by the firewall.
    named = ", ".join(f"!Sub '{lists}-{kind}/*'" for kind in ("ipv4", "ipv6"))
    return statement("AddressLists", ["wafv2:GetIPSet", "wafv2:UpdateIPSet"], f"[{named}]")


def review_statements(may):
    """To look at how things are protected, not at what they hold."""
    lines = []
    if "keys:describe" in may:
        keys = ", ".join(f"!Ref {name}KeyArn" for name in ("Data", "Pepper", *(table.capitalize() for table in TABLES)))
        lines += statement("DescribeKeys", ["kms:DescribeKey", "kms:GetKeyRotationStatus"], f"[{keys}]")
    if "buckets:describe" in may:
        buckets = ", ".join(f"!Sub 'arn:${{AWS::Partition}}:s3:::${{{name}Bucket}}'" for name in ("Artifacts", "Exports", "Audit"))
        lines += statement("DescribeBuckets", [
            "s3:GetEncryptionConfiguration", "s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning",
            "s3:GetBucketObjectLockConfiguration"], f"[{buckets}]")
    return lines


def is_known(word):
    table, _, call = word.partition(":")
    if table in TABLES and (re.fullmatch(r"[A-Z]\w+", call) or call == "stream"):
        return True
    if table in OBJECTS and call in ("read", "write", "see"):
        return True
    if table == "secret" and call.removesuffix(":write") in SECRETS:
        return True
    return word in OTHERS


def statements(function):
    """The IAM statements for what a function may do."""
    may, area = list(function["may"]), function["area"]
    for word in may:
        if not is_known(word):
            sys.exit(f"infra/functions.toml: {function['name']} may {word}, which means nothing")
    lines = statement("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], f"!GetAtt {area}Logs.Arn")
    # Traces belong to no resource: IAM takes nothing but a wildcard here.
    lines += statement("Trace", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "'*'")
    partitions = dict(function.get("partitions", {}))
    if function["name"] not in CHAINS:
        partitions["audit:PutItem"] = RECORDS
    lines += table_statements(may, partitions) + object_statements(may) + secret_statements(may) + person_statements(may)
    lines += firewall_statements(may) + review_statements(may)
    if area == "Jobs":
        lines += report_failure()
    if "stream" in function:
        lines += put_aside()
    return lines


def put_aside():
    """Lambda writes what a job cannot take from a stream into a bucket, as the job."""
    bucket = "arn:${AWS::Partition}:s3:::${ExportsBucket}"
    lines = statement("PutAside", ["s3:PutObject"], f"!Sub '{bucket}/aws/lambda/*'")
    lines += statement("PutAsideInto", ["s3:ListBucket"], f"!Sub '{bucket}'")
    context = f"'kms:EncryptionContext:aws:s3:arn': !Sub '{bucket}'"
    return lines + statement("PutAsideKey", ["kms:GenerateDataKey"], "!Ref LibraryKeyArn", through("s3", context))


def report_failure():
    lines = statement("ReportFailure", ["sqs:SendMessage"], "!Ref FailedJobsArn")
    return lines + statement(
        "ReportFailureKey", ["kms:GenerateDataKey", "kms:Decrypt"], "!Ref OperationsKeyArn", through("sqs"))


def role(name, service, policy, lines, function=False):
    """A role that `service` may take on, with `lines` as its policy; a function's, or what starts one."""
    trust = f"[{{Effect: Allow, Principal: {{Service: {service}.amazonaws.com}}, Action: 'sts:AssumeRole'}}]"
    # What the network itself and the extension of Lambda Insights take, in functions; see infra/stacks/access.yaml.
    managed = [
        "    ManagedPolicyArns:", "      - !If [InNetwork, !Ref NetworkPolicyArn, !Ref AWS::NoValue]",
        "      - !If [Insights, !Ref InsightsPolicyArn, !Ref AWS::NoValue]",
    ] if function else []
    body = [
        f"{name}:", "  Type: AWS::IAM::Role", "  Properties:",
        f"    AssumeRolePolicyDocument: {{Version: '2012-10-17', Statement: {trust}}}",
        # By the path, a rule tells the product's own roles from others: infra/stacks/watch.yaml.
        "    Path: !Sub /screensort/${Environment}/", "    PermissionsBoundary: !Ref BoundaryArn", *managed,
        "    Policies:", f"      - PolicyName: {policy}", "        PolicyDocument:",
        "          Version: '2012-10-17'", "          Statement:",
    ]
    return body + ["            " + line for line in lines]
