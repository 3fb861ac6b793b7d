"""The templates that are deployed: template.yaml, those it nests, and the two of infra/ that stand by themselves."""

import json
import logging
import os
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser  # noqa: F401: sets its module up for transform
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

ROOT = Path(__file__).resolve().parent.parent.parent
NESTED = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}


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


def read(path):
    """A template as it stands, included files in their places; `path` is relative to the repository."""
    return included(yaml_parse((ROOT / path).read_text()), (ROOT / path).parent)


def nested(template, path):
    """The templates beside this one that it makes stacks of, by the resource's name."""
    for name, resource in template["Resources"].items():
        where = resource.get("Properties", {}).get(NESTED.get(resource["Type"]))
        if isinstance(where, str) and "://" not in where:
            yield name, Path(os.path.normpath(Path(path).parent / where))


def deployed(path=Path("template.yaml")):
    """Every template of the product's stack, the root first: (path, template)."""
    template = read(path)
    found = {path: template}
    for _, below in nested(template, path):
        found |= deployed(below)
    return found


class NoManagedPolicies(ManagedPolicyLoader):
    """No function names a managed policy: each has a role of its own."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def expanded(template, judged=True):
    """A template as SAM leaves it for CloudFormation. To be judged its parameters have their defaults or names where SAM
    asks for them; to be deployed they stay references everywhere."""
    if not template.pop("Transform", None):
        return template
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function" and isinstance(resource["Properties"].get("CodeUri"), str):
            name = resource["Properties"]["CodeUri"].strip("/").split("/")[-1]
            resource["Properties"]["CodeUri"] = {"Bucket": "deployment-bucket", "Key": f"{name}.zip"}
    template["Transform"] = "AWS::Serverless-2016-10-31"
    values = {} if not judged else {
        name: given.get("Default", name) for name, given in template.get("Parameters", {}).items()
    }
    done = transform(template, {"AWS::Region": "eu-west-1", "AWS::Partition": "aws", **values}, NoManagedPolicies())
    done.pop("Transform", None)
    return done


def main():
    """Writes every expanded template into a folder: templates.py FOLDER."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    alone = {Path("infra/account.yaml"), Path("infra/pipeline.yaml")}
    for path, template in (deployed() | {path: read(path) for path in alone}).items():
        (folder / f"{path.stem}.json").write_text(json.dumps(expanded(template), indent=1))


if __name__ == "__main__":
    main()
