"""Least privilege, shown: compares what each function called in the tests with what its role allows.

The tests note every call of AWS that a function makes (SCREENSORT_RECORD_CALLS=FOLDER cargo test; see docs/privilege.md).
This reads the notes and infra/functions.toml, and fails if a function called what its role does not allow, or may do
what no test made it do, unless tests/infra/unexercised.toml says why.

    python3 tests/infra/privilege.py target/calls
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "infra"))

from parts.read import base, functions, routes  # noqa: E402
from parts.roles import OBJECTS, TABLES  # noqa: E402

PREFIX = "screensort-"
# Names that tests give to what is not there.
NOWHERE = ("planted", "screensort-nowhere")
# Names that the local stand-ins have in the place of a deployment's.
BUCKETS = {"Artifacts": "screensort-artifacts", "Audit": "screensort-audit", "Exports": "screensort-exports"}
OBJECT_WORDS = {"s3:GetObject": "read", "s3:PutObject": "write", "s3:DeleteObject": "write"}
KEYS = {
    ("kms:GenerateMac", "alias/screensort-pepper"): "pepper",
    ("kms:GenerateDataKey", "alias/screensort-auth"): "data:wrap",
    ("kms:Decrypt", "alias/screensort-auth"): "data:unwrap",
}
SECRET_WORDS = {"secretsmanager:GetSecretValue": "", "secretsmanager:PutSecretValue": ":write"}
# How keys and buckets are protected. IAM calls some of these otherwise than the service: infra/parts/roles.py.
OF_KEYS = {"kms:DescribeKey", "kms:GetKeyRotationStatus"}
OF_BUCKETS = {
    "s3:GetBucketEncryption", "s3:GetBucketVersioning", "s3:GetObjectLockConfiguration", "s3:GetPublicAccessBlock",
}
WALL = {"wafv2:GetIPSet", "wafv2:UpdateIPSet"}


def words(action, resource):
    """The words of infra/functions.toml any of which allows a call; none if no word does."""
    service = action.split(":")[0]
    if service == "dynamodb":
        table = resource.removeprefix(PREFIX)
        return [f"{table}:{action.removeprefix('dynamodb:')}"] if table in TABLES else []
    if action in OBJECT_WORDS:
        bucket, _, prefix = resource.partition("/")
        return [
            f"{word}:{OBJECT_WORDS[action]}" for word, (theirs, prefixes, _) in OBJECTS.items()
            if BUCKETS[theirs] == bucket and prefix in prefixes
        ]
    if action == "s3:ListBucket":
        return [f"{word}:see" for word, (theirs, _, _) in OBJECTS.items() if BUCKETS[theirs] == resource]
    if action in SECRET_WORDS:
        return [f"secret:{resource.removeprefix('screensort/')}{SECRET_WORDS[action]}"]
    if action in OF_KEYS:
        return ["keys:describe"]
    if action in OF_BUCKETS:
        return ["buckets:describe"]
    if service == "kms":
        return [KEYS[action, resource]] if (action, resource) in KEYS else []
    if action == "ses:SendEmail":
        return ["mail:send"]
    if action == "sns:Publish":
        return ["text:send"]
    return ["waf:mirror"] if action in WALL else []


def noted(folder):
    """Every call in the notes: (function, action, resource)."""
    files = sorted(Path(folder).glob("*.tsv"))
    if not files:
        sys.exit(f"{folder} holds no notes: run the tests with SCREENSORT_RECORD_CALLS={folder}")
    calls = {tuple(line.split("\t")) for file in files for line in file.read_text().splitlines()}
    # What tests point a function at to see it fail is nothing that a deployment has.
    return {call for call in calls if not call[2].startswith(NOWHERE)}


def judge(granted, common, calls, excused, beyond=()):
    """What is wrong. `granted`: words by function; `common`: those that its kind of route needs anyway."""
    faults, used = [], {name: set() for name in granted}
    known = {(one["function"], *one["call"].split(" ")) for one in beyond}
    for call in sorted(known - calls):
        faults.append(f"tests/infra/unexercised.toml knows of a call that is not made: {' '.join(call)}")
    for function, action, resource in sorted(calls - known):
        if function not in granted:
            faults.append(f"{function} makes calls and has no role")
            continue
        fitting = words(action, resource)
        held = [word for word in fitting if word in granted[function]]
        if not held:
            wanted = " or ".join(fitting) or "no word"
            faults.append(f"{function} called {action} on {resource} ({wanted}), which its role does not allow")
        used[function].update(held)
    everywhere = set().union(*used.values()) if used else set()
    for function, may in granted.items():
        for word in may:
            # What every function of a kind does is the same code: once for all of them is enough.
            if word in used[function] or (word in common[function] and word in everywhere):
                continue
            if not any(fits(rule, function, word) for rule in excused):
                faults.append(f"{function} may {word}, and no test made it do so")
    for rule in excused:
        if not any(fits(rule, function, word) and word not in used[function]
                   for function, may in granted.items() for word in may):
            faults.append(f"tests/infra/unexercised.toml excuses {rule['function']} {rule['may']}, which needs none")
    return faults


def fits(rule, function, word):
    return rule["function"] in (function, "*") and rule["may"] == word


def main(folder):
    endpoints, jobs = functions()
    table = routes()
    granted = {function["name"]: function["may"] for function in endpoints + jobs}
    common = {name: set(base(name, [route for route in table if route["binary"] == name])) for name in granted}
    for job in jobs:
        common[job["name"]] = set()
    said = tomllib.loads((ROOT / "tests/infra/unexercised.toml").read_text())
    excused, calls = said["excused"], noted(folder)
    faults = judge(granted, common, calls, excused, said["beyond"])
    for fault in faults:
        print(fault)
    told = f"{len(calls)} kinds of calls of {len({call[0] for call in calls})} functions, {len(excused)} excuses"
    if faults:
        sys.exit(f"{len(faults)} faults ({told})")
    print(f"Every role allows what was called and nothing else ({told}).")


if __name__ == "__main__":
    main(*sys.argv[1:])
