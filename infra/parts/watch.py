"""What is watched: an alarm for every event that the list of events gives one, and what is drawn of all functions."""

import json
import re

from .functions import named
from .read import ROOT, camel, functions


def events():
    """The list of events, from its page: name, meaning, level, and the alarm's count and minutes, if it has one."""
    page = (ROOT / "docs/events.md").read_text()
    row = re.compile(r"^\| `(?P<name>[\w.]+)` \| (?P<meaning>[^|]+) \| (?P<level>\w+) \|.*\| `(?P<metric>\w+)` \| (?P<alarm>[^|]*) \|$", re.M)
    found = [match.groupdict() for match in row.finditer(page)]
    for event in found:
        alarm = re.fullmatch(r"(\d+) in (\d+) min", event["alarm"].strip())
        event["alarm"] = (int(alarm[1]), int(alarm[2])) if alarm else None
    if not found or len(found) != page.count("\n| `"):
        raise SystemExit("docs/events.md: some events could not be read")
    return found


def event_alarm(event):
    count, minutes = event["alarm"]
    # Quietness is good news, and somebody is told once more only when it starts again.
    return [
        f"{event['metric']}Alarm:", "  Type: AWS::CloudWatch::Alarm", "  Properties:",
        f"    AlarmName: !Sub screensort-${{Environment}}-{event['name'].replace('.', '-').replace('_', '-')}",
        f"    AlarmDescription: {json.dumps(event['meaning'], ensure_ascii=False)}",
        "    AlarmActions: [!Ref AlarmTopicArn]", "    Namespace: !Sub ScreenSort/${Environment}", "    MetricName: Events",
        f"    Dimensions: [{{Name: event, Value: {event['name']}}}]", "    Statistic: Sum", f"    Period: {minutes * 60}",
        f"    Threshold: {count}", "    ComparisonOperator: GreaterThanOrEqualToThreshold", "    EvaluationPeriods: 1",
        "    TreatMissingData: notBreaching",
    ]


# Where no level can be named: what is far from what is usual at this time of the day and week.
UNUSUAL = {
    "Requests": ("far more or fewer requests than usual", "AWS/ApiGateway", "Count", "ApiName: !Ref ApiName", "LessThanLowerOrGreaterThanUpperThreshold"),
    "Refusals": ("far more refusals than usual", "AWS/ApiGateway", "4XXError", "ApiName: !Ref ApiName", "GreaterThanUpperThreshold"),
    "Blocked": ("the firewall blocks far more than usual", "AWS/WAFV2", "BlockedRequests",
                "WebACL: !Sub 'screensort-${Environment}', Region: !Ref AWS::Region, Rule: ALL", "GreaterThanUpperThreshold"),
    "TmdbCalls": ("TMDb is asked far more often than usual", "!Sub ScreenSort/${Environment}", "TmdbRequests", "", "GreaterThanUpperThreshold"),
    "LoginFailures": ("far more failed logins than usual", "!Sub ScreenSort/${Environment}", "Events", "event: auth.login.failed", "GreaterThanUpperThreshold"),
    "Changes": ("people's data changes far more than usual", "!Sub ScreenSort/${Environment}", "Events", "event: library.film.noted", "GreaterThanUpperThreshold"),
    "Executions": ("far more functions run at once than usual", "AWS/Lambda", "ConcurrentExecutions", "", "GreaterThanUpperThreshold"),
    "Reads": ("the credentials' table is read far more than usual", "AWS/DynamoDB", "ConsumedReadCapacityUnits",
              "TableName: !Ref AuthTableName", "GreaterThanUpperThreshold"),
}


def unusual(name, about):
    meaning, namespace, metric, dimensions, comparison = about
    named_ = [part.split(": ", 1) for part in dimensions.split(", ")] if dimensions else []
    listed = ", ".join(f"{{Name: {key}, Value: {value}}}" for key, value in named_)
    statistic = "Maximum" if name == "Executions" else "Sum"
    return [
        f"Unusual{name}:", "  Type: AWS::CloudWatch::Alarm", "  Properties:",
        f"    AlarmName: !Sub screensort-${{Environment}}-unusual-{name.lower()}",
        f"    AlarmDescription: {json.dumps(meaning[0].upper() + meaning[1:] + '.')}",
        "    AlarmActions: [!Ref AlarmTopicArn]", f"    ComparisonOperator: {comparison}", "    EvaluationPeriods: 3",
        "    DatapointsToAlarm: 3", "    ThresholdMetricId: usual", "    TreatMissingData: notBreaching", "    Metrics:",
        "      - {Id: usual, Expression: 'ANOMALY_DETECTION_BAND(now, 4)'}", "      - Id: now", "        MetricStat:",
        f"          Stat: {statistic}", "          Period: 300", "          Metric:", f"            Namespace: {namespace}",
        f"            MetricName: {metric}", *([f"            Dimensions: [{listed}]"] if listed else []),
    ]


def stale(job):
    """A stream that is read too late: what changed waits."""
    return [
        f"{camel(job['name'])}Late:", "  Type: AWS::CloudWatch::Alarm", "  Properties:",
        f"    AlarmName: !Sub screensort-${{Environment}}-{named(job)}-late",
        f"    AlarmDescription: {job['name']} is more than a quarter of an hour behind.",
        "    AlarmActions: [!Ref AlarmTopicArn]", "    Namespace: AWS/Lambda", "    MetricName: IteratorAge",
        f"    Dimensions: [{{Name: FunctionName, Value: !Sub 'screensort-${{Environment}}-{named(job)}'}}]",
        "    Statistic: Maximum", "    Period: 300", "    EvaluationPeriods: 3", "    Threshold: 900000",
        "    ComparisonOperator: GreaterThanThreshold", "    TreatMissingData: notBreaching",
    ]


def waiting(job):
    """A job that runs and does not keep up: the oldest that waits for it, as its runs say."""
    minutes = job["late"] // 60
    return [
        f"{camel(job['name'])}Late:", "  Type: AWS::CloudWatch::Alarm", "  Properties:",
        f"    AlarmName: !Sub screensort-${{Environment}}-{named(job)}-late",
        f"    AlarmDescription: What {job['name']} is to do has waited for more than {minutes} minutes.",
        "    AlarmActions: [!Ref AlarmTopicArn]", "    Namespace: !Sub ScreenSort/${Environment}", "    MetricName: OldestSeconds",
        f"    Dimensions: [{{Name: job, Value: !Sub 'screensort-${{Environment}}-{named(job)}'}}]",
        "    Statistic: Maximum", "    Period: 300", "    EvaluationPeriods: 2", f"    Threshold: {job['late']}",
        # A run that breaks off says nothing of it: another alarm tells of that.
        "    ComparisonOperator: GreaterThanThreshold", "    TreatMissingData: notBreaching",
    ]


def interval(schedule):
    """Seconds between two runs of a job."""
    if every := re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", schedule):
        return int(every[1]) * (60 if every[2] == "minute" else 3600)
    _, _, day_of_month, month, day_of_week, year = re.fullmatch(r"cron\((.*)\)", schedule)[1].split()
    if (month, year) != ("*", "*") or "?" not in (day_of_month, day_of_week) or day_of_month not in ("*", "?"):
        raise SystemExit(f"infra/parts/watch.py: {schedule}: when is a job that runs so seldom missed?")
    return 86400 if day_of_month == "*" else 7 * 86400


def away(schedule):
    """How long a job may be away before somebody is told: (a period in seconds, how many of them). Twice its interval and
    a bit; of what runs by the day, two days, and of what runs by the week the seven that CloudWatch looks back."""
    every = interval(schedule)
    if every < 86400:
        return 3600, 1 if every < 3600 else 2 * (every // 3600) + 1
    return 86400, 2 if every == 86400 else 7


def silent(job):
    """A schedule that does not run: nothing breaks off, and nothing is done."""
    (period, periods), name = away(job["schedule"]), job["name"]
    told = f"{periods} h" if period == 3600 else f"{periods} days"
    return [
        f"{camel(name)}Silent:", "  Type: AWS::CloudWatch::Alarm", "  Condition: Runs", "  Properties:",
        f"    AlarmName: !Sub screensort-${{Environment}}-{named(job)}-silent",
        f"    AlarmDescription: {name} has not run to its end for {told}.",
        "    AlarmActions: [!Ref AlarmTopicArn]", f"    EvaluationPeriods: {periods}", f"    DatapointsToAlarm: {periods}",
        "    Threshold: 1", "    ComparisonOperator: LessThanThreshold", "    TreatMissingData: breaching", "    Metrics:",
        "      - {Id: done, Expression: 'FILL(runs, 0) - FILL(broken, 0)'}",
        *(line for id_, metric in (("runs", "Invocations"), ("broken", "Errors")) for line in (
            f"      - Id: {id_}", "        ReturnData: false", "        MetricStat:", "          Stat: Sum",
            f"          Period: {period}", "          Metric:", "            Namespace: AWS/Lambda",
            f"            MetricName: {metric}",
            f"            Dimensions: [{{Name: FunctionName, Value: !Sub 'screensort-${{Environment}}-{named(job)}'}}]")),
    ]


def blocks():
    _, jobs = functions()
    parts = [["# --- Events: docs/events.md ".ljust(118, "-")]]
    parts += [event_alarm(event) for event in events() if event["alarm"]]
    parts.append(["# --- Far from what is usual ".ljust(118, "-")])
    parts += [unusual(name, about) for name, about in UNUSUAL.items()]
    parts.append(["# --- Jobs that are late or silent ".ljust(118, "-")])
    parts += [stale(job) for job in jobs if "stream" in job]
    parts += [waiting(job) for job in jobs if "late" in job]
    parts += [silent(job) for job in jobs if "schedule" in job]
    return parts
