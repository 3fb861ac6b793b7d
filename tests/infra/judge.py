"""Has three judges of other people's look at the expanded templates, and compares what they say with judged.toml.

Anything that is not accepted there fails; an acceptance that nobody needs any more is named. Run by judges.sh.

usage: judge.py FOLDER [GUARD RULES]   expanded templates; the cfn-guard program and the folder with its rules
"""

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

from parliament import analyze_policy_string, enhance_finding

HERE = Path(__file__).resolve().parent
ACCOUNT = "123456789012"
# What a name stands for in a policy, by how it ends; an Arn or Id at the end says nothing more.
ARNS = [
    (r"Table\.Stream|(Catalog|Auth|Library|Audit)(Table)?Stream", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t/stream/2026-11-22"),
    (r"Table", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t"),
    (r"Bucket", "arn:aws:s3:::bucket"),
    (r"Key|Keys", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/0a1b2c3d-0000-4000-8000-000000000000"),
    (r"Secret", f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:screensort/prod/x-AbCdEf"),
    (r"Logs|LogGroup|FlowLog", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/x:*"),
    (r"Jobs|Queue|Letters", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"),
    (r"Function|Alias", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"),
    (r"Alarms|Topic|Notices", f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"),
    (r"Role", f"arn:aws:iam::{ACCOUNT}:role/r"),
    (r"Boundary|Policy", f"arn:aws:iam::{ACCOUNT}:policy/p"),
    (r"Vault", f"arn:aws:backup:eu-west-1:{ACCOUNT}:backup-vault:v"),
    (r"Firehose|Stream|Delivery", f"arn:aws:firehose:eu-west-1:{ACCOUNT}:deliverystream/s"),
    (r"Set", f"arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/ipset/n/0a1b2c3d-0000-4000-8000-000000000000"),
]
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": ACCOUNT, "AWS::URLSuffix": "amazonaws.com"}


def arn(name):
    """What a reference stands for."""
    if name in PSEUDO:
        return PSEUDO[name]
    plain = re.sub(r"(\.Arn|Arns?|\.Id|Id|Name)$", "", name)
    for ending, value in ARNS:
        if re.search(rf"({ending})$", plain):
            return value
    return re.sub(r"\W", "", plain).lower()


def filled(node):
    """A policy document with something in place of every intrinsic function."""
    if isinstance(node, list):
        return [filled(item) for item in node if item != {"Ref": "AWS::NoValue"}]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"Ref"}:
        return arn(node["Ref"])
    if node.keys() == {"Fn::GetAtt"}:
        of = node["Fn::GetAtt"]
        return arn(of if isinstance(of, str) else ".".join(of))
    if node.keys() == {"Fn::Sub"}:
        text = node["Fn::Sub"]
        text, own = (text, {}) if isinstance(text, str) else text
        text = re.sub(r"\${([\w:.]+)}", lambda m: filled(own[m[1]]) if m[1] in own else arn(m[1]), text)
        # Where a name was meant and an ARN was put in, the latter is the whole.
        return re.sub("^arn:.*(?=arn:aws:)", "", text)
    if node.keys() == {"Fn::If"}:
        return filled(node["Fn::If"][1])
    if node.keys() == {"Fn::Join"}:
        return node["Fn::Join"][0].join(filled(node["Fn::Join"][1]))
    if node.keys() == {"Fn::Split"}:
        return filled(node["Fn::Split"][1]).split(node["Fn::Split"][0])
    if node.keys() == {"Fn::Select"} or node.keys() == {"Fn::ImportValue"}:
        return "x"
    return {key: filled(value) for key, value in node.items()}


def checkov(folder):
    """(what, where) of every finding; `--download` would ask another host."""
    done = subprocess.run(["checkov", "--skip-download", "--quiet", "--compact", "--framework", "cloudformation",
                           "--directory", str(folder), "--output", "json"], capture_output=True, text=True)
    try:
        reports = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"checkov: {done.stderr[-2000:]}")
    for report in reports if isinstance(reports, list) else [reports]:
        if report["summary"]["parsing_errors"]:
            sys.exit(f"checkov could not read {report['results']['parsing_errors']}")
        print(f"  checkov: {report['summary']['passed']} of {report['summary']['resource_count']} resources' checks pass")
        for found in report["results"]["failed_checks"]:
            yield (found["check_id"], found["check_name"]), f"{Path(found['file_path']).stem}/{found['resource'].split('.')[-1]}"


# Where the Control Tower rules for a service's resources lie.
RULES = {
    "ApiGateway": "apigateway", "CloudTrail": "cloudtrail", "CloudWatch": "cloudwatch", "DynamoDB": "dynamodb",
    "EC2": "ec2", "GuardDuty": "guardduty", "IAM": "identityandaccessmanagement", "KMS": "keymanagementservice",
    "KinesisFirehose": "kinesis", "Lambda": "lambda", "S3": "s3",
    "SQS": "sqs", "WAFv2": "waf",
}


def guard(folder, program, rules):
    """The Control Tower rule sets of those services that a template uses."""
    asked = 0
    for template in sorted(folder.glob("*.json")):
        services = {r["Type"].split("::")[1] for r in json.loads(template.read_text())["Resources"].values()}
        places = sorted({rules / RULES[service] for service in services & RULES.keys()})
        places = [place for place in places if place.exists()]
        if not places:
            continue
        asked += sum(1 for place in places for _ in place.glob("*.guard"))
        # Not as text: that shows a piece of the template for each finding, which takes it minutes.
        done = subprocess.run([program, "validate", "--data", template, "--structured", "--output-format", "json",
                               "--show-summary", "none", "--rules", *places], capture_output=True, text=True)
        if done.returncode not in (0, 19):
            sys.exit(f"cfn-guard: {done.returncode} {done.stdout[-800:]} {done.stderr[-800:]}")
        for report in json.loads(done.stdout[done.stdout.index("["):]):
            for rule in report["not_compliant"]:
                said = json.dumps(rule)
                about = re.search(r"\[(CT\.[\w.]+)\]: ([^\\]+)", said)
                what = (about[1], about[2].strip()) if about else (rule["Rule"]["name"], "")
                for resource in sorted(set(re.findall(r'"path": "/Resources/(\w+)', said))) or ["?"]:
                    yield what, f"{template.stem}/{resource}"
    print(f"  cfn-guard: {asked} rules asked")


def policies(template):
    """Every identity policy: where, document."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                yield f"{name}/{filled(policy['PolicyName'])}", policy["PolicyDocument"]
        elif resource["Type"] in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
            yield name, properties["PolicyDocument"]


def parliament(folder):
    """Actions, resources and conditions that do not exist or do not fit together."""
    judged = 0
    for template in sorted(folder.glob("*.json")):
        for where, document in policies(json.loads(template.read_text())):
            judged += 1
            analyzed = analyze_policy_string(json.dumps(filled(document)), config={})
            for finding in analyzed.findings:
                finding = enhance_finding(finding)
                detail = str(finding.detail or "")
                yield (finding.issue, f"{finding.title}: {detail}"), f"{template.stem}/{where.split('/')[0]}"
    print(f"  parliament: {judged} policies")


def main():
    folder = Path(sys.argv[1])
    judges = {"checkov": checkov(folder), "parliament": parliament(folder)}
    if sys.argv[2:]:
        judges["guard"] = guard(folder, sys.argv[2], Path(sys.argv[3]))
    accepted = tomllib.loads((HERE / "judged.toml").read_text())
    wrong, used, refused = [], Counter(), {}
    for judge, findings in judges.items():
        for (what, text), where in findings:
            for at, entry in enumerate(accepted.get(judge, [])):
                if entry["what"] == what and re.fullmatch(entry.get("where", ".*"), where):
                    used[judge, at] += 1
                    break
            else:
                refused.setdefault((judge, what), (text, []))[1].append(where)
    for (judge, what), (text, places) in refused.items():
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""
        wrong.append(f"{judge} {what}: {text[:240]} ({', '.join(places[:5])}{more})")
    for judge, entries in accepted.items():
        if judge not in judges:
            continue
        for at, entry in enumerate(entries):
            if not used[judge, at]:
                print(f"  judged.toml accepts {judge} {entry['what']} {entry.get('where', '')}, which nobody says any more")
            if not entry["reason"].strip():
                wrong.append(f"judged.toml gives no reason for {judge} {entry['what']}")
    print(f"  {sum(used.values())} findings accepted for {len(used)} reasons")
    for line in wrong:
        print(f"  {line}")
    sys.exit(f"{len(wrong)} findings" if wrong else None)


if __name__ == "__main__":
    main()
