"""The templates that are deployed: template.yaml, those it nests, and the two of infra/ that stand by themselves."""

import json
import logging
import os
import sys
from pathlib import Path

from expand import PSEUDO, SERVERLESS, NoManagedPolicies, included, placed
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

ROOT = Path(__file__).resolve().parent.parent.parent
NESTED = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}


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


def expanded(template, judged=True):
    """A template as SAM leaves it for CloudFormation. To be judged its parameters have their defaults or names where SAM
    asks for them; to be deployed they stay references everywhere."""
    if not template.pop("Transform", None):
        return template
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    template["Transform"] = SERVERLESS
    values = {} if not judged else {
        name: given.get("Default", name) for name, given in template.get("Parameters", {}).items()
    }
    done = transform(placed(template), {**PSEUDO, **values}, NoManagedPolicies())
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
