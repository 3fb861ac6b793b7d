#!/usr/bin/env python3
"""Works out what requests and people cost, and writes it into docs/costs.md between its marks.

    infra/costs.py               writes the tables from infra/costs.toml
    infra/costs.py --check       says whether they are what it would write
    infra/costs.py --measure STACK
                                 prints what each endpoint took of the store, read from a deployment's log (AWS's, or the
                                 emulator's that tests/infra/deploy.sh leaves running with KEEP=yes); needs boto3

Memory comes from infra/functions.toml, prices, assumptions and measurements from infra/costs.toml.
"""

import json
import statistics
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "costs.md"
BEGIN, END = "<!-- written by infra/costs.py -->\n", "<!-- until here -->\n"
MILLION = 1_000_000


def measure(stack):
    """The median of store requests, units and answer sizes by endpoint, from the functions' own log lines."""
    import boto3

    logs, found = boto3.client("logs"), {}
    prefix = "/screensort/" + stack.removeprefix("screensort-")
    for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
        name = group["logGroupName"]
        for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]:
            told = logs.get_log_events(logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True)
            for event in told["events"]:
                try:
                    line = json.loads(event["message"])
                except ValueError:
                    continue
                if line.get("event") == "request.answered" and line["status"] < 400:
                    key = line["endpoint"]
                    found.setdefault(key, set()).add(
                        (event["timestamp"], line["StoreRequests"], line["StoreUnits"], line["store_steps"], line["bytes"]))
    for endpoint, lines in sorted(found.items()):
        requests, units, steps, size = (statistics.median(line[at] for line in lines) for at in (1, 2, 3, 4))
        print(f"{endpoint} = {{requests = {requests:g}, units = {units:g}, steps = {steps:g}, bytes = {size:g}}}")


def cost(endpoint, facts, prices, guess, memory):
    """Dollars for a million requests, by what they are for."""
    ms = guess["own_ms"].get(endpoint, guess["own_ms"]["other"]) + facts["steps"] * guess["store_ms"]
    writes = facts["units"] if endpoint in guess["writers"] else 0
    parts = {
        "gateway": prices["gateway_million"],
        "firewall": prices["firewall_million"],
        "function": prices["invocation_million"] + MILLION * ms / 1000 * memory / 1024 * prices["gb_second"],
        "store": writes * prices["write_units_million"] + (facts["units"] - writes) * prices["read_units_million"],
        "keys": guess["key_calls"].get(endpoint, 0) * prices["key_calls_million"],
        "logs": MILLION * guess["log_bytes"] / 1e9 * prices["log_gb"],
        "transfer": MILLION * facts["bytes"] / 1e9 * prices["transfer_gb"],
    }
    return ms, parts


def tables():
    asked = tomllib.loads((ROOT / "infra/costs.toml").read_text())
    functions = tomllib.loads((ROOT / "infra/functions.toml").read_text())["endpoint"]
    prices, guess, measured = asked["prices"], asked["assumptions"], asked["measured"]
    lines = ["| endpoint | memory, MiB | ms | store requests | units | gateway | firewall | function | store | keys | logs | transfer | a million |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    totals = {}
    for endpoint, facts in measured.items():
        memory = functions[endpoint].get("memory", 256)
        ms, parts = cost(endpoint, facts, prices, guess, memory)
        totals[endpoint] = sum(parts.values())
        each = " | ".join(f"{part:.2f}" for part in parts.values())
        lines.append(f"| `{endpoint}` | {memory} | {ms:g} | {facts['requests']:g} | {facts['units']:g} | {each} | **{totals[endpoint]:.2f}** |")
    lines += ["", "| a person's day | requests | dollars a month for a thousand such people |", "|---|---|---|"]
    whole = 0
    for endpoint, times in asked["day"].items():
        dollars = times * 1000 * 30 * totals[endpoint] / MILLION
        whole += dollars
        lines.append(f"| `{endpoint}` | {times:g} | {dollars:.3f} |")
    lines.append(f"| **together** | {sum(asked['day'].values()):g} | **{whole:.2f}** |")
    lines += ["", "| whether or not anybody comes | how many | dollars a month |", "|---|---|---|"]
    fixed = 0
    for name, (count, price) in asked["standing"].items():
        fixed += count * price
        lines.append(f"| {name} | {count:g} | {count * price:.2f} |")
    lines.append(f"| **together** | | **{fixed:.2f}** |")
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:2] == ["--measure"] and len(sys.argv) == 3:
        return measure(sys.argv[2])
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    new = before + BEGIN + "\n" + tables() + "\n" + END + rest.split(END)[1]
    if sys.argv[1:] == ["--check"]:
        return sys.exit("docs/costs.md is not what infra/costs.py writes: run it" if new != text else None)
    DOCUMENT.write_text(new)


if __name__ == "__main__":
    main()
