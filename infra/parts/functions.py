"""The stacks of functions, one an area: each function with its role, what starts it and what takes it back."""

import json

from . import data
from .read import camel, functions
from .roles import report_failure, role, statement, statements

# The version that is in use. Callers name it, never the newest: a version that fails its first minutes is taken back.
ALIAS = "live"
PREFIX = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:screensort-${Environment}"


def named(function):
    return function["name"].replace("_", "-")


def arn(function):
    """The address of a function's version in use, for `Fn::Sub`: names are ours, so that no stack waits for another."""
    return f"{PREFIX}-{named(function)}:{ALIAS}"


def function_resource(function):
    name, logical = function["name"], camel(function["name"])
    lines = [
        f"{logical}Function:", "  Type: AWS::Serverless::Function", "  Properties:",
        f"    FunctionName: !Sub screensort-${{Environment}}-{named(function)}",
        f"    Description: {json.dumps(function['about'], ensure_ascii=False)}",
        f"    CodeUri: ../../target/lambda/{name}/", f"    Role: !GetAtt {logical}Role.Arn",
    ]
    if "memory" in function:
        lines.append(f"    MemorySize: {function['memory']}")
    if timeout := function.get("timeout", 900 if function["area"] == "Jobs" else None):
        lines.append(f"    Timeout: {timeout}")
    if "concurrency" in function:
        lines.append(f"    ReservedConcurrentExecutions: {function['concurrency']}")
    if "reserve" in function:
        lines.append(f"    ReservedConcurrentExecutions: !If [Reserves, {function['reserve']}, !Ref AWS::NoValue]")
    if "environment" in function:
        lines += ["    Environment:", "      Variables:"]
        lines += [f"        {variable}: {value}" for variable, value in function["environment"].items()]
    lines.append(f"    VpcConfig: {network('Outside' if function['outside'] else 'Inside')}")
    lines += [
        # A change of settings is a new version too: else it would wait for the next change of code.
        "    AutoPublishAliasAllProperties: true", "    DeploymentPreference:", "      Type: !Ref Rollout", "      Role: !Ref DeployRoleArn",
        f"      Alarms: [!Ref {logical}Failures]",
    ]
    if function["area"] == "Jobs":
        lines += [
            "    EventInvokeConfig:", "      MaximumRetryAttempts: 1",
            f"      MaximumEventAgeInSeconds: {function['expires']}",
            "      DestinationConfig: {OnFailure: {Type: SQS, Destination: !Ref FailedJobsArn}}",
        ]
    return lines


def network(which):
    """Where a function's connections leave from, where the installation has a network of its own."""
    subnets = f"!Split [',', !Ref {which}Subnets]"
    return f"!If [InNetwork, {{SubnetIds: {subnets}, SecurityGroupIds: [!Ref {which}Group]}}, !Ref AWS::NoValue]"


def failures(function):
    """Takes a new version back, and wakes somebody: what broke off, and answers that should not have been."""
    logical = camel(function["name"])
    name = f"screensort-${{Environment}}-{named(function)}"
    crashes = [
        "      - Id: crashes", "        ReturnData: false", "        MetricStat:", "          Stat: Sum", "          Period: 60",
        "          Metric:", "            Namespace: AWS/Lambda", "            MetricName: Errors", "            Dimensions:",
        f"              - {{Name: FunctionName, Value: !Sub '{name}'}}",
        f"              - {{Name: Resource, Value: !Sub '{name}:{ALIAS}'}}",
    ]
    if function["area"] == "Jobs":
        told, metrics = "A run broke off", [*crashes[:1], "        ReturnData: true", *crashes[2:]]
        threshold = 1
    else:
        told, threshold = "It breaks off or answers 5xx", 3
        metrics = [
            "      - {Id: all, Label: failures, Expression: 'FILL(crashes, 0) + FILL(answers, 0)'}", *crashes,
            "      - Id: answers", "        ReturnData: false", "        MetricStat:", "          Stat: Sum",
            "          Period: 60", "          Metric:", "            Namespace: !Sub ScreenSort/${Environment}",
            "            MetricName: Errors", f"            Dimensions: [{{Name: endpoint, Value: {function['name']}}}]",
        ]
    return [
        f"{logical}Failures:", "  Type: AWS::CloudWatch::Alarm", "  Properties:", f"    AlarmName: !Sub {name}-failures",
        f"    AlarmDescription: {told}. A version that was just deployed is taken back.",
        "    AlarmActions: [!Ref AlarmTopicArn]", "    ComparisonOperator: GreaterThanOrEqualToThreshold",
        f"    Threshold: {threshold}", "    EvaluationPeriods: 3", "    DatapointsToAlarm: 1",
        "    TreatMissingData: notBreaching", "    Metrics:", *metrics,
    ]


def schedule(job):
    logical = camel(job["name"])
    return [
        f"{logical}Schedule:", "  Type: AWS::Scheduler::Schedule", "  Properties:",
        f"    Name: !Sub screensort-${{Environment}}-{named(job)}",
        f"    Description: {json.dumps(job['about'], ensure_ascii=False)}",
        f"    ScheduleExpression: {job['schedule']}", "    ScheduleExpressionTimezone: UTC",
        "    FlexibleTimeWindow: {Mode: 'OFF'}", "    State: !Ref Schedules",
        "    Target:", f"      Arn: !Ref {logical}Function.Alias", "      RoleArn: !GetAtt SchedulerRole.Arn",
        "      Input: '{}'", f"      RetryPolicy: {{MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: {job['expires']}}}",
        "      DeadLetterConfig: {Arn: !Ref FailedJobsArn}",
    ]


def stream(job):
    """Starts a job with what changed in a table: in order per key. A bad record alone is put aside, whole: `screensort
    streams replay` gives it back."""
    logical = camel(job["name"])
    return [
        f"{logical}Stream:", "  Type: AWS::Lambda::EventSourceMapping", "  Properties:",
        f"    FunctionName: !Ref {logical}Function.Alias", f"    EventSourceArn: !Ref {job['stream'].capitalize()}StreamArn",
        "    StartingPosition: TRIM_HORIZON", "    BatchSize: 100", "    MaximumBatchingWindowInSeconds: 1",
        "    BisectBatchOnFunctionError: true", "    MaximumRetryAttempts: 5",
        "    MaximumRecordAgeInSeconds: 86400", "    FunctionResponseTypes: [ReportBatchItemFailures]",
        "    DestinationConfig: {OnFailure: {Destination: !Sub 'arn:${AWS::Partition}:s3:::${ExportsBucket}'}}",
    ]


def invoker(name, service, of, more=()):
    """A role that may call functions, and nothing else."""
    called = "\n".join(["", *(f"    - !Sub {arn(function)}" for function in of)])
    lines = statement("Invoke", ["lambda:InvokeFunction"], called) + list(more)
    return role(name, service, "invoke", "\n".join(lines).split("\n"))


def log(area):
    """The area's log, what is counted in it, and its copy for whoever collects logs."""
    return data.log_group(area, f"/screensort/${{Environment}}/{area.lower()}") + [
        "",
        "# One filter for all events: each counts under its own name. What there is: docs/events.md.",
        f"{area}Events:", "  Type: AWS::Logs::MetricFilter", "  Properties:", f"    LogGroupName: !Ref {area}Logs",
        "    FilterPattern: '{ $.target = \"security\" && $.fields.event = * }'", "    MetricTransformations:",
        "      - MetricNamespace: !Sub ScreenSort/${Environment}", "        MetricName: Events", "        MetricValue: '1'",
        "        Dimensions: [{Key: event, Value: $.fields.event}]",
        "",
        f"{area}Copy:", "  Type: AWS::Logs::SubscriptionFilter", "  Condition: Copies", "  Properties:",
        f"    LogGroupName: !Ref {area}Logs", "    FilterPattern: ''", "    DestinationArn: !Ref LogStreamArn",
        "    RoleArn: !Ref LogStreamRoleArn",
    ]


def resources(area):
    """The resources of an area's functions."""
    endpoints, jobs = functions()
    parts = [log(area)]
    for function in endpoints + jobs:
        if function["area"] == area:
            parts.append(function_resource(function))
            parts.append(role(f"{camel(function['name'])}Role", "lambda", function["name"], statements(function), True))
            parts.append(failures(function))
            if "schedule" in function:
                parts.append(schedule(function))
            if "stream" in function:
                parts.append(stream(function))
    if area == "Jobs":
        scheduler = invoker("SchedulerRole", "scheduler", [job for job in jobs if "schedule" in job], report_failure())
        # The scheduler serves every account: only this one may borrow the role.
        scheduler[3] = scheduler[3].replace(
            "Action: 'sts:AssumeRole'",
            "Action: 'sts:AssumeRole', Condition: {StringEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}")
        parts.append(scheduler)
    return parts


def gateway_roles():
    """The roles by which the gateway calls functions. One an area: IAM takes no longer policy than for a hundred."""
    endpoints, _ = functions()
    areas = dict.fromkeys(function["area"] for function in endpoints)
    return [invoker(f"{area}GatewayRole", "apigateway", [f for f in endpoints if f["area"] == area]) for area in areas]


def areas():
    endpoints, jobs = functions()
    return list(dict.fromkeys(function["area"] for function in endpoints + jobs))
