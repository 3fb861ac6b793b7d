"""Documents that must keep up with the product. Run by check.sh."""

import datetime
import json
import re
import subprocess
import sys
import tomllib
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def rows(document, heading=None):
    """The cells of a document's table rows; of one section, if named."""
    text = (ROOT / "docs" / document).read_text()
    if heading:
        text = text.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line.startswith("| ")]


class Runbook(unittest.TestCase):
    def test_every_event_with_an_alarm_has_its_first_steps(self):
        alarms = {row[0] for row in rows("events.md") if row[0].startswith("`") and row[-1]}
        answers = {row[0]: row[1:] for row in rows("runbook.md", "When an alarm fires") if row[0].startswith("`")}
        self.assertEqual(alarms, set(answers))
        for event, (look, then) in answers.items():
            self.assertTrue(look and then, event)

    def test_scripts_that_it_names_are_there(self):
        text = (ROOT / "docs/runbook.md").read_text()
        for script in re.findall(r"\b((?:infra|tests/infra)/[\w./-]+\.(?:sh|py|yaml))", text):
            self.assertTrue((ROOT / script).exists(), script)


class Bulletins(unittest.TestCase):
    NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.timezone.utc)

    def read(self, *items):
        sys.path.insert(0, str(ROOT / "infra"))
        from bulletins import of_late

        feed = "".join(
            f"<item><title>{title}</title><link>{link}</link><pubDate>{at}</pubDate></item>" for title, link, at in items
        )
        return of_late(f"<rss><channel>{feed}</channel></rss>", 8, self.NOW)

    def test_bulletins_of_the_week_are_listed_newest_first(self):
        link = "https://aws.amazon.com/security/security-bulletins/AWS-2026-0"
        lines = self.read(
            ("Issue with Lambda", link + "1/", "Tue, 24 Nov 2026 10:00:00 GMT"),
            ("Issue with KMS", link + "2/", "Fri, 27 Nov 2026 10:00:00 +0000"),
            ("Old", link + "3/", "Fri, 20 Nov 2026 10:00:00 GMT"),
        )
        self.assertEqual([f"- [ ] 2026-11-27 Issue with KMS: {link}2/", f"- [ ] 2026-11-24 Issue with Lambda: {link}1/"], lines)

    def test_a_feed_puts_no_markup_and_no_foreign_link_into_an_issue(self):
        at = "Fri, 27 Nov 2026 10:00:00 GMT"
        good = "https://aws.amazon.com/security/"
        [line] = self.read(
            ("@everyone [x](https://evil.example) &lt;img&gt; `c`\n# h", good + "a(b)[c]", at),
            ("elsewhere", "https://evil.example/x", at),
            ("elsewhere", "https://aws.amazon.com.evil.example/x", at),
            ("plain", "http://aws.amazon.com/x", at),
        )
        self.assertFalse(set(line[len("- [ ] "):]) & set("@[]<>`#\n"), line)
        with self.assertRaises(SystemExit):
            from bulletins import of_late

            of_late('<!DOCTYPE x [<!ENTITY a "b">]><rss/>', 8, self.NOW)
class Deploying(unittest.TestCase):
    def test_every_parameter_is_explained(self):
        declared = (ROOT / "template.yaml").read_text().split("\nParameters:\n")[1].split("\nMetadata:")[0]
        explained = [row[0].strip("`") for row in rows("deploy.md", "Building and deploying") if row[0].startswith("`")]
        self.assertEqual(re.findall(r"^  (\w+):", declared, re.M), explained)

    def test_the_dashboard_for_opensearch_holds_together(self):
        lines = (ROOT / "infra/opensearch-dashboard.ndjson").read_text().splitlines()
        objects = {(one["type"], one["id"]): one for one in map(json.loads, lines)}
        for one in objects.values():
            for wanted in one["references"]:
                self.assertIn((wanted["type"], wanted["id"]), objects)
        board, = [one for (kind, _), one in objects.items() if kind == "dashboard"]
        panels = {panel["panelRefName"] for panel in json.loads(board["attributes"]["panelsJSON"])}
        self.assertEqual(panels, {wanted["name"] for wanted in board["references"]})


class Workflows(unittest.TestCase):
    def test_an_action_of_others_is_named_by_its_commit_which_nobody_can_move(self):
        found = 0
        for workflow in (ROOT / ".github/workflows").glob("*.yml"):
            for action in re.findall(r"uses: (\S.*)", workflow.read_text()):
                if not action.startswith("./"):
                    self.assertRegex(action, r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", workflow.name)
                    found += 1
        self.assertGreater(found, 9)


class Costs(unittest.TestCase):
    def test_the_tables_are_what_the_figures_give(self):
        done = subprocess.run([sys.executable, ROOT / "infra/costs.py", "--check"], capture_output=True, text=True)
        self.assertEqual("", done.stderr)

    def test_what_is_measured_is_an_endpoint(self):
        figures = tomllib.loads((ROOT / "infra/costs.toml").read_text())
        endpoints = tomllib.loads((ROOT / "infra/functions.toml").read_text())["endpoint"]
        self.assertLessEqual(figures["measured"].keys(), endpoints.keys())
        self.assertLessEqual(figures["day"].keys(), figures["measured"].keys())


class Inventory(unittest.TestCase):
    def test_every_secret_and_table_is_in_the_data_inventory(self):
        text = (ROOT / "docs/data-protection.md").read_text()
        for table in ("catalog", "auth", "library", "audit"):
            self.assertIn(f"`screensort-{table}`", text)
        # Whoever adds a kind of items says what it holds and how long.
        for path in (ROOT / "shared/store/src").glob("*.rs"):
            for kind in re.findall(r'"([A-Z]{3,}[A-Z_]*)#', path.read_text().split("#[cfg(test)]")[0]):
                self.assertIn(f"`{kind}#", text, f"{path.name}: items {kind}#")


if __name__ == "__main__":
    unittest.main()
