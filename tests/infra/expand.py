"""Expands template.yaml as CloudFormation would, without an account: the includes, then SAM."""

import json
import logging
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

ROOT = Path(__file__).resolve().parent.parent.parent


class NoManagedPolicies(ManagedPolicyLoader):
    """No function names a managed policy: each has a role of its own."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def included(node):
    """The template with every AWS::Include replaced by its file."""
    if isinstance(node, list):
        return [included(item) for item in node]
    if not isinstance(node, dict):
        return node
    call = node.get("Fn::Transform")
    if call and call["Name"] == "AWS::Include":
        return included(yaml_parse((ROOT / call["Parameters"]["Location"]).read_text()))
    return {key: included(value) for key, value in node.items()}


def placed(template):
    """The template as `sam package` leaves it: the code is in a bucket."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            name = resource["Properties"]["CodeUri"].strip("/").split("/")[-1]
            resource["Properties"]["CodeUri"] = {"Bucket": "deployment-bucket", "Key": f"{name}.zip"}
    return template


def expanded(path=ROOT / "template.yaml"):
    """The expanded template."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    template = placed(included(yaml_parse(Path(path).read_text())))
    parameters = {name: given.get("Default", "mailto:a@example.org") for name, given in template["Parameters"].items()}
    # What depends on parameters stays as references: it is the template that is checked, not one deployment.
    return transform(template, {"AWS::Region": "eu-west-1", "AWS::Partition": "aws", **parameters}, NoManagedPolicies())


if __name__ == "__main__":
    source, target = sys.argv[1:]
    # As CloudFormation counts its size: without white space.
    Path(target).write_text(json.dumps(expanded(source), separators=(",", ":")))
