"""Puts the templates and the code where `sam deploy` finds them: target/infra/deployment. Run by deploy.sh.

The copy differs from the template where the emulator differs from AWS: what it has no resource for is left out, and said;
connections are plain; keys know no conditions, letters no sender; a secret is referred to by its ARN in so many words. Functions that were
not built get a program that fails.

usage: prepare.py BUILT KNOWN   the folder with built functions; a file with the resource types the emulator has
"""

import json
import os
import shutil
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_dump

import templates

PLACE = templates.ROOT / "target/infra/deployment"
# Left out at need, with whatever mentions only them. A deployment without one of the others proves nothing.
NEEDED = ("AWS::Lambda::", "AWS::Serverless::", "AWS::DynamoDB::", "AWS::ApiGateway::", "AWS::IAM::", "AWS::KMS::",
          "AWS::S3::", "AWS::SecretsManager::", "AWS::SQS::", "AWS::Scheduler::")


def mentions(node, names):
    """The names among `names` that something refers to."""
    if isinstance(node, list):
        return set().union(*(mentions(item, names) for item in node)) if node else set()
    if isinstance(node, str):
        return set()
    if not isinstance(node, dict):
        return set()
    found = set()
    for key, value in node.items():
        if key == "Ref":
            found |= {value} & names
        elif key == "Fn::GetAtt":
            found |= {value.split(".")[0] if isinstance(value, str) else value[0]} & names
        elif key == "Fn::Sub":
            text = value if isinstance(value, str) else value[0]
            found |= {name for name in names if f"${{{name}}}" in text or f"${{{name}." in text}
            found |= mentions(value, names) if not isinstance(value, str) else set()
        else:
            found |= mentions(value, names)
    return found


def with_secrets_arns(node, secrets):
    """The template with the ARN wherever it refers to a secret: AWS gives that for Ref, the emulator the name."""
    if isinstance(node, list):
        return [with_secrets_arns(item, secrets) for item in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"Ref"} and node["Ref"] in secrets:
        return {"Fn::GetAtt": [node["Ref"], "Id"]}
    return {key: with_secrets_arns(value, secrets) for key, value in node.items()}


def without_encrypted_connections(node):
    """The template without the refusals of plain connections: functions trust Amazon's certificates only, so that they
    speak to the emulator in plain, which obeys those refusals."""
    if isinstance(node, list):
        return [without_encrypted_connections(item) for item in node if not refuses_plain(item)]
    if not isinstance(node, dict):
        return node
    return {key: without_encrypted_connections(value) for key, value in node.items()}


def refuses_plain(statement):
    if not isinstance(statement, dict) or statement.get("Effect") != "Deny":
        return False
    return any(key in json.dumps(statement.get("Condition", {})) for key in ("aws:SecureTransport", "s3:TlsVersion"))


def without_conditions_on_keys(node):
    """The template without conditions that KMS fills in (purpose, algorithm, service): the emulator leaves them empty,
    which would refuse everything."""
    if isinstance(node, list):
        return [without_conditions_on_keys(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: without_conditions_on_keys(value) for key, value in node.items()}
    if node.get("Effect") == "Allow" and "kms:" in json.dumps(node.get("Condition", {})):
        del node["Condition"]
    # Nor does it say of which address a letter is.
    if node.get("Effect") == "Allow" and "ses:SendEmail" in json.dumps(node.get("Action", "")):
        node["Resource"] = "*"
    return node


def without_unknown(template, known, left_out):
    """Leaves out what the emulator does not have, and what mentions it."""
    resources, gone = template["Resources"], {}
    for name, resource in resources.items():
        kind = resource["Type"]
        # Alarms on a formula of several metrics are none that it knows.
        formula = kind == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
        if formula or not kind.startswith("AWS::Serverless::") and kind not in known:
            gone[name] = kind
    while True:
        more = {
            name: resource["Type"] for name, resource in resources.items()
            if name not in gone and mentions({k: v for k, v in resource.items() if k != "DependsOn"}, set(gone))
        }
        if not more:
            break
        gone |= more
    for name, kind in gone.items():
        if kind.startswith(NEEDED) and kind not in left_out:
            sys.exit(f"the emulator has no {kind}, or what {name} needs")
        left_out.setdefault(kind, []).append(name)
        del resources[name]
    for resource in resources.values():
        waits = resource.get("DependsOn", [])
        waits = [name for name in ([waits] if isinstance(waits, str) else waits) if name not in gone]
        resource.pop("DependsOn", None)
        if waits:
            resource["DependsOn"] = waits
    # Another stack may ask for it.
    for output in template.get("Outputs", {}).values():
        if mentions(output, set(gone)):
            output["Value"] = "arn:aws:none:::not-deployed"


def says_nothing(resource):
    """Whether a policy of a bucket, queue or topic has no statement left."""
    return resource.get("Properties", {}).get("PolicyDocument", {}).get("Statement") == []


def transformed(template):
    """A nested template as SAM leaves it, its code still local: the emulator transforms the outermost template only."""
    code = {name: resource["Properties"].get("CodeUri") for name, resource in template["Resources"].items()
            if resource["Type"] == "AWS::Serverless::Function"}
    template = templates.expanded(template, judged=False)
    for name, uri in code.items():
        template["Resources"][name]["Properties"]["Code"] = uri
    return template


def code_of(template, folder, built, stubs):
    """Puts each function's code beside the template."""
    for resource in template["Resources"].values():
        uri = resource.get("Properties", {}).get({"AWS::Lambda::Function": "Code"}.get(resource["Type"], "CodeUri"))
        if not resource["Type"].endswith("::Function") or not isinstance(uri, str):
            continue
        place = (PLACE / folder / uri).resolve()
        name = place.name
        place.mkdir(parents=True, exist_ok=True)
        program = place / "bootstrap"
        program.unlink(missing_ok=True)
        if (built / name / "bootstrap").exists():
            os.link(built / name / "bootstrap", program)
        else:
            program.write_text("#!/bin/sh\n# Not built for this deployment.\nexit 1\n")
            program.chmod(0o755)
            stubs.append(name)


def prepare(path, built, known, left_out, stubs):
    """A template and those it nests. Returns how many resources it has before SAM adds its own."""
    template = templates.read(path)
    # Traffic is shifted by CodeDeploy, which the emulator does not have.
    shifted = template.get("Globals", {}).get("Function", {}).pop("DeploymentPreference", None)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            shifted = resource["Properties"].pop("DeploymentPreference", None) or shifted
    if shifted:
        left_out.setdefault("AWS::CodeDeploy::DeploymentGroup", [])
    if path != Path("template.yaml"):
        template = transformed(template)
    without_unknown(template, known, left_out)
    secrets = {name for name, r in template["Resources"].items() if r["Type"] == "AWS::SecretsManager::Secret"}
    template = without_conditions_on_keys(without_encrypted_connections(with_secrets_arns(template, secrets)))
    for resource in [r for r in template["Resources"].values() if r["Type"] == "AWS::DynamoDB::Table"]:
        if not resource["Properties"].get("ResourcePolicy", {}).get("PolicyDocument", {}).get("Statement", True):
            del resource["Properties"]["ResourcePolicy"]
    for name in [n for n, r in template["Resources"].items() if says_nothing(r)]:
        del template["Resources"][name]
    code_of(template, path.parent, built, stubs)
    counted = len(template["Resources"])
    for _, below in templates.nested(template, path):
        counted += prepare(below, built, known, left_out, stubs)
    target = PLACE / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml_dump(template))
    return counted


def main():
    built, known = Path(sys.argv[1]).resolve(), set(Path(sys.argv[2]).read_text().split())
    shutil.rmtree(PLACE, ignore_errors=True)
    left_out, stubs = {}, []
    counted = prepare(Path("template.yaml"), built, known, left_out, stubs)
    print(f"  {counted} resources, {len(stubs)} functions not built")
    for kind, names in sorted(left_out.items()):
        print(f"  not deployed, for want of it or of what it names: {kind}: {', '.join(names) or 'made by SAM'}")


if __name__ == "__main__":
    main()
