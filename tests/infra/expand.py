"""Expands the templates as CloudFormation would, without an account: the includes, then SAM.

Two forms: each stack by itself, as CloudFormation gets it, and all of them flat, in one template in which the
parameters that stacks hand each other are what they stand for. The flat one is for judging what is deployed, whatever
stack it is in, and for emulators; it is larger than CloudFormation takes.
"""

import copy
import json
import logging
import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser  # noqa: F401: sets its module up for transform
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

ROOT = Path(__file__).resolve().parent.parent.parent
SERVERLESS = "AWS::Serverless-2016-10-31"
PSEUDO = {"AWS::Region": "eu-west-1", "AWS::Partition": "aws"}


class NoManagedPolicies(ManagedPolicyLoader):
    """No function names a managed policy: each has a role of its own."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def included(node, place):
    """The template with every AWS::Include replaced by its file."""
    if isinstance(node, list):
        return [included(item, place) for item in node]
    if not isinstance(node, dict):
        return node
    call = node.get("Fn::Transform")
    if call and call["Name"] == "AWS::Include":
        return included(yaml_parse((place / call["Parameters"]["Location"]).read_text()), place)
    return {key: included(value, place) for key, value in node.items()}


def placed(template):
    """The template as `sam package` leaves it: the code is in a bucket."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            name = resource["Properties"]["CodeUri"].strip("/").split("/")[-1]
            resource["Properties"]["CodeUri"] = {"Bucket": "deployment-bucket", "Key": f"{name}.zip"}
    return template


def read(path):
    template = included(yaml_parse(path.read_text()), path.parent)
    if template.pop("Transform", None) != SERVERLESS:
        return template
    # What depends on parameters stays as references: it is the template that is checked, not one deployment.
    mine = {name: {"Ref": name} for name in template.get("Parameters", {})}
    template["Transform"] = SERVERLESS
    expanded = transform(placed(template), {**PSEUDO, **mine}, NoManagedPolicies())
    expanded.pop("Transform", None)
    return expanded


def stacks(path=ROOT / "template.yaml"):
    """Every stack's expanded template, by its logical name; the root's name is empty."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    path = Path(path)
    root = read(path)
    return {"": root} | {
        name: read(path.parent / stack["Properties"]["TemplateURL"]) for name, stack in root["Resources"].items()
        if stack["Type"] == "AWS::CloudFormation::Stack"
    }


def flat(path=ROOT / "template.yaml"):
    """All stacks' resources in one template, under the root's parameters."""
    return flattened(stacks(path))


def flattened(given):
    root, *_ = [copy.deepcopy(given[""])]
    entries = {name: root["Resources"].pop(name) for name in given if name}
    told = {
        (name, output): value["Value"]
        for name in entries for output, value in given[name].get("Outputs", {}).items()
    }

    def meant(value, parameters):
        """A value with parameters of its stack as what the root gives for them, down to what is no output."""
        if isinstance(value, list):
            return [meant(item, parameters) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (call, of), = value.items()
            if call == "Ref" and of in parameters:
                return parameters[of]
            if call == "Fn::Sub":
                text, named = of if isinstance(of, list) else (of, {})
                named = {name: meant(one, parameters) for name, one in named.items()}
                for name in set(re.findall(r"\${(\w+)}", text)) - set(named):
                    if name in parameters:
                        text, named = put(text, name, parameters[name], named)
                return {call: [text, named]} if named else ({call: text} if "${" in text else text)
            if call == "Fn::GetAtt":
                stack, attribute = of if isinstance(of, list) else of.split(".", 1)
                if stack in entries:
                    return of_output(stack, attribute.removeprefix("Outputs."))
        return {key: meant(item, parameters) for key, item in value.items()}

    def put(text, name, value, named):
        if isinstance(value, str):
            return text.replace(f"${{{name}}}", value), named
        if isinstance(value, dict) and "Ref" in value:
            return text.replace(f"${{{name}}}", f"${{{value['Ref']}}}"), named
        if isinstance(value, dict) and "Fn::GetAtt" in value:
            return text.replace(f"${{{name}}}", f"${{{'.'.join(value['Fn::GetAtt'])}}}"), named
        return text, named | {name: value}

    def of_output(stack, output):
        return meant(told[stack, output], parameters_of(stack))

    def parameters_of(stack):
        if stack not in seen:
            asked = entries[stack]["Properties"].get("Parameters", {})
            seen[stack] = {name: meant(value, {}) for name, value in asked.items()}
        return seen[stack]

    seen = {}
    for name in entries:
        parameters = parameters_of(name)
        only_if = entries[name].get("Condition")
        for section in ("Conditions", "Resources", "Mappings"):
            for key, value in given[name].get(section, {}).items():
                value = meant(copy.deepcopy(value), parameters)
                if section == "Conditions":
                    value = decided(value)
                if section == "Resources" and only_if:
                    if own := value.get("Condition"):
                        both = {"Fn::And": [{"Condition": only_if}, {"Condition": own}]}
                        root["Conditions"][only_if + own] = both
                        value["Condition"] = only_if + own
                    value.setdefault("Condition", only_if)
                there = root.setdefault(section, {}).setdefault(key, value)
                if there != value:
                    raise SystemExit(f"two stacks have {key} among their {section}")
    for value in root["Outputs"].values():
        value["Value"] = meant(value["Value"], {})
    return root


def decided(condition):
    """A condition on whether another stack tells something, as the condition on which that stack exists."""
    if isinstance(condition, list):
        return [decided(item) for item in condition]
    if not isinstance(condition, dict):
        return condition
    match condition:
        case {"Fn::Equals": [{"Fn::If": [exists, _, ""]}, ""]}:
            return {"Fn::Not": [{"Condition": exists}]}
    return {key: decided(value) for key, value in condition.items()}


if __name__ == "__main__":
    source, target, place = sys.argv[1:]
    every = stacks(source)
    # As CloudFormation counts a template's size: without white space.
    short = {"separators": (",", ":")}
    Path(place).mkdir(parents=True, exist_ok=True)
    for old in Path(place).glob("*.json"):
        old.unlink()
    for name, template in every.items():
        # The root is as it stands already.
        if name:
            (Path(place) / f"{name.lower()}.json").write_text(json.dumps(template, **short))
    Path(target).write_text(json.dumps(flattened(every), **short))
