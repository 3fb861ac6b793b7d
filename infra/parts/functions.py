"""Functions: each with its role, and what starts it."""

import json

from .read import camel, functions
from .roles import report_failure, role, statement, statements


def function_resource(function):
    name, logical = function["name"], camel(function["name"])
    lines = [
        f"{logical}Function:", "  Type: AWS::Serverless::Function", "  Properties:",
        f"    FunctionName: !Sub screensort-${{Environment}}-{name.replace('_', '-')}",
        f"    Description: {json.dumps(function['about'], ensure_ascii=False)}",
        f"    CodeUri: target/lambda/{name}/", f"    Role: !GetAtt {logical}Role.Arn",
        f"    LoggingConfig: {{LogFormat: JSON, LogGroup: !Ref {function['area']}Logs}}",
    ]
    if "memory" in function:
        lines.append(f"    MemorySize: {function['memory']}")
    if timeout := function.get("timeout", 900 if function["area"] == "Jobs" else None):
        lines.append(f"    Timeout: {timeout}")
    if "concurrency" in function:
        lines.append(f"    ReservedConcurrentExecutions: {function['concurrency']}")
    if function["area"] == "Jobs":
        lines += [
            "    EventInvokeConfig:", "      MaximumRetryAttempts: 1",
            f"      MaximumEventAgeInSeconds: {function['expires']}",
            "      DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt FailedJobs.Arn}}",
        ]
    return lines


def schedule(job):
    logical = camel(job["name"])
    return [
        f"{logical}Schedule:", "  Type: AWS::Scheduler::Schedule", "  Properties:",
        f"    Name: !Sub screensort-${{Environment}}-{job['name'].replace('_', '-')}",
        f"    Description: {json.dumps(job['about'], ensure_ascii=False)}",
        f"    ScheduleExpression: {job['schedule']}", "    ScheduleExpressionTimezone: UTC",
        "    FlexibleTimeWindow: {Mode: 'OFF'}", "    State: !Ref Schedules",
        "    Target:", f"      Arn: !GetAtt {logical}Function.Arn", "      RoleArn: !GetAtt SchedulerRole.Arn",
        "      Input: '{}'", f"      RetryPolicy: {{MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: {job['expires']}}}",
        "      DeadLetterConfig: {Arn: !GetAtt FailedJobs.Arn}",
    ]


def stream(job):
    """Starts a job with what changed in a table: in order per key, a bad record alone ends up with the failed jobs."""
    logical = camel(job["name"])
    lines = [
        f"{logical}Stream:", "  Type: AWS::Lambda::EventSourceMapping", "  Properties:",
        f"    FunctionName: !Ref {logical}Function", f"    EventSourceArn: !GetAtt {job['stream'].capitalize()}Table.StreamArn",
        "    StartingPosition: TRIM_HORIZON", f"    BatchSize: {job.get('batch', 100)}", "    MaximumBatchingWindowInSeconds: 1",
        "    BisectBatchOnFunctionError: true", "    MaximumRetryAttempts: 5",
        "    MaximumRecordAgeInSeconds: 86400", "    FunctionResponseTypes: [ReportBatchItemFailures]",
        "    DestinationConfig: {OnFailure: {Destination: !GetAtt FailedJobs.Arn}}",
    ]
    if "keys" in job:
        # Whatever else changes there is not this job's, and costs no call.
        new = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": job["keys"]}]}}}}
        lines.append(f"    FilterCriteria: {{Filters: [{{Pattern: '{json.dumps(new)}'}}]}}")
    if "parallel" in job:
        lines.append(f"    ParallelizationFactor: {job['parallel']}")
    return lines


def arns(of):
    return "\n".join(["", *(f"    - !GetAtt {camel(function['name'])}Function.Arn" for function in of)])


def block():
    """The resources of all functions, and the two roles that start them."""
    endpoints, jobs = functions()
    parts = []
    for area in dict.fromkeys(function["area"] for function in endpoints + jobs):
        parts.append([f"# --- Functions: {area.lower()} ".ljust(118, "-")])
        for function in endpoints + jobs:
            if function["area"] == area:
                parts.append(function_resource(function))
                parts.append(role(f"{camel(function['name'])}Role", "lambda", function["name"], statements(function)))
                if "schedule" in function:
                    parts.append(schedule(function))
                if "stream" in function:
                    parts.append(stream(function))
    parts.append(["# --- Who starts the functions ".ljust(118, "-")])
    # One role an area: IAM takes no longer policy than for a hundred functions.
    for area in dict.fromkeys(function["area"] for function in endpoints):
        invoke = statement("Invoke", ["lambda:InvokeFunction"], arns([f for f in endpoints if f["area"] == area]))
        parts.append(role(f"{area}GatewayRole", "apigateway", "invoke", "\n".join(invoke).split("\n")))
    invoke = statement("Invoke", ["lambda:InvokeFunction"], arns([job for job in jobs if "schedule" in job]))
    scheduler = role("SchedulerRole", "scheduler", "invoke", "\n".join(invoke + report_failure()).split("\n"))
    # The scheduler serves every account: only this one may borrow the role.
    scheduler[3] = scheduler[3].replace(
        "Action: 'sts:AssumeRole'",
        "Action: 'sts:AssumeRole', Condition: {StringEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}")
    parts.append(scheduler)
    return parts
