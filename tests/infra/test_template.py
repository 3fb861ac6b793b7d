"""The product's own rules for its template, checked on what CloudFormation would see. Run by check.sh."""

import json
import re
import sys
import tomllib
import unittest
import urllib.parse
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "infra"), str(Path(__file__).resolve().parent)]
sys.dont_write_bytecode = True

import expand  # noqa: E402
import generate  # noqa: E402
from samcli.yamlhelper import yaml_parse  # noqa: E402
from parts import roles, watch  # noqa: E402

STACKS = expand.stacks()
TEMPLATE = expand.flattened(STACKS)
RESOURCES = TEMPLATE["Resources"]
ROUTES = generate.routes()
ENDPOINTS, JOBS = generate.functions()
BODY = RESOURCES["Api"]["Properties"]["Body"]

# Every action that any role may have. A new one is added here by hand: that is the point.
ACTIONS = {
    "dynamodb:ConditionCheckItem",
    "logs:CreateLogStream", "logs:PutLogEvents",
    "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem",
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket",
    "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "kms:Decrypt", "kms:GenerateDataKey",
    "kms:GenerateMac", "ses:SendEmail", "sns:Publish", "sqs:SendMessage", "lambda:InvokeFunction",
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "wafv2:GetIPSet", "wafv2:UpdateIPSet",
    "dynamodb:DescribeTable", "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive",
    "kms:DescribeKey", "kms:GetKeyRotationStatus", "s3:GetEncryptionConfiguration", "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration",
    "firehose:PutRecord", "firehose:PutRecordBatch",
}
# The roles that belong to no function and to nothing that starts one: what they may is written out in their template.
PEOPLES = {"AdministratorRole", "DeployRole", "BackupRole", "DeliveryRole", "LogStreamRole", "NetworkLogRole"}
# What belongs to no resource that a policy could name.
EVERYWHERE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "sns:Publish"}
# The one managed policy, for API Gateway's own role: it demands just that one.
MANAGED = {"GatewayAccountRole"}
# Where a resource may end in a wildcard: objects under one prefix of one bucket.
WILDCARDS = {
    f"arn:${{AWS::Partition}}:s3:::${{{bucket}Bucket}}/{prefix}/*"
    for bucket, prefixes, _ in roles.OBJECTS.values() for prefix in prefixes
} | {"${LibraryTableArn}/index/*", "${LibraryTableArn}/stream/*", "${AuditTableArn}/stream/*", "arn:${AWS::Partition}:s3:::${ExportsBucket}/aws/lambda/*"} | {
    # The rest of a list's address is chosen by the firewall.
    "arn:${AWS::Partition}:wafv2:${AWS::Region}:${AWS::AccountId}:regional/ipset/screensort-${Environment}-ipv%d/*" % kind
    for kind in (4, 6)
}
# Uses of a key by the product itself, which no service stands between: for one purpose only.
PURPOSES = {"PeoplesKeys": {"kms:EncryptionContext:purpose": "person"}, "Pepper": {"kms:MacAlgorithm": "HMAC_SHA_256"}}


# Who carries a rule's event to its target.
EVENTS = {"Service": "events.amazonaws.com"}
# The two templates that stand by themselves.
ACCOUNT, PIPELINE = (yaml_parse((ROOT / f"infra/{name}.yaml").read_text())["Resources"] for name in ("account", "pipeline"))


def of(kind):
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


def as_list(value):
    return value if isinstance(value, list) else [value]


def statements(role, holds=True):
    """A role's statements; of what depends on a condition, what is there if it `holds`."""
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            # What is allowed only where a condition holds is judged as if it did.
            yield statement["Fn::If"][1 if holds else 2] if "Fn::If" in statement else statement


def of_table(value):
    """The stack's own table behind what may be a restored one."""
    condition, restored, own = value["Fn::If"]
    name = own["Fn::GetAtt"][0]
    assert condition == f"UsesRestored{name.removesuffix('Table')}" and f"Restored{name.removesuffix('Table')}" in text(restored)
    return name


def text(value):
    """What a value says, whatever intrinsic function it stands in."""
    return value if isinstance(value, str) else json.dumps(value)


class Functions(unittest.TestCase):
    def test_every_route_and_every_job_has_a_function_and_nothing_else_has(self):
        wanted = {generate.camel(function["name"]) + "Function" for function in ENDPOINTS + JOBS}
        self.assertEqual(wanted, set(of("AWS::Lambda::Function")))

    def test_every_function_is_a_binary_of_its_area(self):
        for function in ENDPOINTS + JOBS:
            package = ROOT / "functions" / function["area"].lower()
            manifest = tomllib.loads((package / "Cargo.toml").read_text())
            binaries = {binary["name"]: binary for binary in manifest.get("bin", [])}
            self.assertIn(function["name"], binaries, package)
            self.assertTrue((package / binaries[function["name"]]["path"]).exists())

    def test_every_binary_of_an_area_is_deployed(self):
        deployed = {function["name"] for function in ENDPOINTS + JOBS}
        for manifest in ROOT.glob("functions/*/Cargo.toml"):
            for binary in tomllib.loads(manifest.read_text()).get("bin", []):
                self.assertIn(binary["name"], deployed, manifest)

    def test_every_function_has_a_role_of_its_own_and_an_encrypted_log(self):
        roles = []
        for name, function in of("AWS::Lambda::Function").items():
            role = name.removesuffix("Function") + "Role"
            self.assertEqual({"Fn::GetAtt": [role, "Arn"]}, function["Role"])
            roles.append(role)
            group = RESOURCES[function["LoggingConfig"]["LogGroup"]["Ref"]]
            self.assertEqual("AWS::Logs::LogGroup", group["Type"])
        self.assertEqual(len(roles), len(set(roles)))

    def test_every_function_runs_a_custom_runtime_within_the_gateways_patience(self):
        jobs = {generate.camel(job["name"]) + "Function" for job in JOBS}
        for name, function in of("AWS::Lambda::Function").items():
            self.assertEqual("provided.al2023", function["Runtime"])
            self.assertLessEqual(function["Timeout"], 900 if name in jobs else 29, name)

    def test_the_environment_is_what_the_settings_read(self):
        source = (ROOT / "shared/runtime/src/config.rs").read_text().split("#[cfg(test)]")[0]
        known = set(re.findall(r'"((?:SCREENSORT|PASSWORD)_[A-Z_]+)"', source))
        traces = (ROOT / "shared/runtime/src/otlp.rs").read_text().split("#[cfg(test)]")[0]
        known |= set(re.findall(r'"(OTEL_[A-Z_]+)"', traces))
        # Only where another service verifies challenges.
        known_elsewhere = {"SCREENSORT_SECRET_CHALLENGE"}
        # The mirror of the blocklist is one job's alone.
        known |= {name for function in ENDPOINTS + JOBS for name in function.get("environment", {})}
        needed = set(re.findall(r'need\("(SCREENSORT_[A-Z_]+)"\)', source))
        # These have a default that is right on one machine only: the names differ between installations.
        named = {"SCREENSORT_SECURITY_CONTACT", "SCREENSORT_APP_URL", "SCREENSORT_ISSUER", "SCREENSORT_MAIL_FROM"}
        named |= {name for name in known - known_elsewhere if re.match("SCREENSORT_(TABLE|SECRET|KEY|BUCKET)_", name)}
        for name, function in of("AWS::Lambda::Function").items():
            given = set(function["Environment"]["Variables"])
            self.assertLessEqual(given, known, name)
            self.assertLessEqual(needed | named, given, name)

    def test_every_function_has_an_event_of_its_own(self):
        for route in {route["binary"]: route for route in reversed(ROUTES)}.values():
            event = json.loads((ROOT / "events" / f"{route['binary']}.json").read_text())
            here = [(r["method"], r["path"]) for r in ROUTES if r["binary"] == route["binary"]]
            self.assertIn((event["httpMethod"], event["resource"]), here)
            self.assertEqual(event["resource"], event["requestContext"]["resourcePath"])
            filled = event["resource"]
            for name, value in (event["pathParameters"] or {}).items():
                filled = filled.replace(f"{{{name}}}", value)
            # A value may be percent-encoded in the path; among the parameters the gateway has decoded it.
            self.assertEqual(filled, urllib.parse.unquote(event["path"]))
        for job in JOBS:
            self.assertIsInstance(json.loads((ROOT / "events" / f"{job['name']}.json").read_text()), dict)

    def test_every_event_is_json_and_belongs_to_a_function_or_is_hostile_or_came_by_a_name_of_our_own(self):
        names = {function["name"] for function in ENDPOINTS + JOBS}
        for event in (ROOT / "events").glob("*.json"):
            json.loads(event.read_text())
            self.assertTrue(event.stem.removeprefix("own-name-") in names or event.stem.startswith("hostile-"), event.name)


class Permissions(unittest.TestCase):
    def test_no_role_may_what_is_not_on_the_list(self):
        for name, role in of("AWS::IAM::Role").items():
            for statement in statements(role) if name not in PEOPLES else ():
                self.assertEqual("Allow", statement["Effect"])
                for action in as_list(statement["Action"]):
                    self.assertIn(action, ACTIONS, name)
                self.assertNotIn("NotAction", statement)
                self.assertNotIn("NotResource", statement)

    def test_no_role_reaches_every_resource(self):
        for name, role in of("AWS::IAM::Role").items():
            managed = role.get("ManagedPolicyArns")
            by_parameter = [
                {"Fn::If": [when, {"Ref": policy}, {"Ref": "AWS::NoValue"}]}
                for when, policy in (("InNetwork", "NetworkPolicy"), ("Insights", "InsightsPolicy"))
            ]
            self.assertTrue(name in MANAGED or managed in (None, by_parameter), name)
            for statement in statements(role) if name not in PEOPLES else ():
                if set(as_list(statement["Action"])) <= EVERYWHERE:
                    continue
                for resource in as_list(statement["Resource"]):
                    if isinstance(resource, dict) and as_list(resource.get("Fn::Sub"))[0] in WILDCARDS:
                        continue
                    self.assertNotIn("*", text(resource), f"{name} {statement['Sid']}")

    def test_who_has_no_business_with_credentials_reads_the_blocklist_alone(self):
        free = 0
        for function in ENDPOINTS:
            role = RESOURCES[generate.camel(function["name"]) + "Role"]["Properties"]
            here = {s["Sid"]: s for s in statements(role)}
            if "auth:Query" in function["partitions"]:
                led = here["AuthQuery"]["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
                self.assertEqual(["BLOCKLIST"], led, function["name"])
                self.assertNotIn("dynamodb:Query", here.get("Auth", {}).get("Action", []))
            if not any(sid == "Auth" for sid in here):
                free += 1
        self.assertGreater(free, 10)

    def test_the_chain_of_the_trail_is_laid_by_one_job_alone(self):
        for function in ENDPOINTS + JOBS:
            role = RESOURCES[generate.camel(function["name"]) + "Role"]["Properties"]
            for statement in statements(role):
                if statement["Sid"].startswith("Audit") and "dynamodb:PutItem" in statement["Action"] and function["name"] != "ship_audit":
                    led = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
                    self.assertEqual(roles.RECORDS, led, function["name"])

    def test_endpoints_only_read(self):
        # Counters, sessions in use and refusals are noted whatever is read; what somebody asks the directory is
        # kept for them if they want it.
        notes = {("Auth", "dynamodb:UpdateItem"), ("AuthUpdateItem", "dynamodb:UpdateItem"), ("AuditPutItem", "dynamodb:PutItem")}
        kept = {"operators": ("Library", "dynamodb:PutItem"), "operator": ("Library", "dynamodb:PutItem")}
        reads = re.compile(r"logs:|xray:|kms:Decrypt$|dynamodb:(GetItem|Query|BatchGetItem|Scan)$|s3:(GetObject|ListBucket)$|secretsmanager:GetSecretValue$")
        writers = {route["binary"] for route in ROUTES if route["method"] != "GET"}
        for function in ENDPOINTS:
            if function["name"] not in writers:
                for statement in statements(RESOURCES[generate.camel(function["name"]) + "Role"]["Properties"]):
                    for action in as_list(statement["Action"]):
                        if (statement["Sid"], action) not in {*notes, kept.get(function["name"])}:
                            self.assertRegex(action, reads, function["name"])

    def test_passwords_can_be_peppered_with_another_key_and_the_former_ones_still_verify(self):
        # What the runbook says about another pepper is parameters alone.
        for function in ENDPOINTS + JOBS:
            if "pepper" in function["may"]:
                name = generate.camel(function["name"])
                pepper, = [s for s in statements(RESOURCES[f"{name}Role"]["Properties"]) if s["Sid"] == "Pepper"]
                now, old = pepper["Resource"]["Fn::Split"][1]["Fn::Join"][1]
                self.assertEqual({"Fn::If": ["HasNewPepper", {"Ref": "NewPepper"}, {"Fn::GetAtt": ["PepperKey", "Arn"]}]}, now)
                self.assertEqual({"Fn::If": ["HasOldPeppers", {"Ref": "OldPepperKeys"}, {"Ref": "AWS::NoValue"}]}, old)
                given = RESOURCES[f"{name}Function"]["Properties"]["Environment"]["Variables"]
                self.assertEqual((now, {"Ref": "PepperId"}, {"Ref": "OldPeppers"}), (
                    given["SCREENSORT_KEY_PEPPER"], given["SCREENSORT_PEPPER_ID"], given["SCREENSORT_OLD_PEPPERS"]))

    def test_a_key_is_used_through_one_service_or_for_one_purpose_only(self):
        for name, role in of("AWS::IAM::Role").items():
            for statement in statements(role) if name not in PEOPLES else ():
                if statement["Sid"] == "DescribeKeys":
                    continue
                if any(action.startswith("kms:") for action in as_list(statement["Action"])):
                    condition = statement["Condition"]["StringEquals"]
                    if purpose := PURPOSES.get(statement["Sid"]):
                        self.assertEqual(purpose, condition, name)
                    else:
                        self.assertIn("kms:ViaService", condition, name)

    def test_who_administers_a_key_cannot_use_it(self):
        for name, key in of("AWS::KMS::Key").items():
            # KMS does not rotate MAC keys.
            self.assertTrue(key.get("EnableKeyRotation") or key.get("KeySpec") == "HMAC_256")
            administration, *uses = key["KeyPolicy"]["Statement"]
            for action in administration["Action"]:
                self.assertNotRegex(action, r"Encrypt|Decrypt|DataKey|Grant$(?<!RevokeGrant)|Sign|Mac|\*", name)
            for use in uses:
                # What EventBridge asks of a key names no account and no rule: a condition on either never holds.
                self.assertEqual(use["Principal"] != EVENTS, "Condition" in use, f"{name} {use['Sid']}")


class Deployed(unittest.TestCase):
    """What infra/pipeline.yaml lets CloudFormation make, against what there is to make."""

    FILLED = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "Environment": "staging"}
    HERE = "arn:aws:{}:eu-west-1:123456789012:"
    # What CloudFormation calls to make one, and under which name: a property's, or what AWS draws.
    ALARM, NETWORK = ("*", ["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"]), "*"
    MAKES = {
        "ApiGateway::Account": ("*", ["apigateway:PATCH"]), "ApiGateway::BasePathMapping": ("*", ["apigateway:POST"]),
        "ApiGateway::Deployment": ("*", ["apigateway:POST"]), "ApiGateway::DomainName": ("*", ["apigateway:POST"]),
        "ApiGateway::RestApi": ("*", ["apigateway:POST", "apigateway:PUT"]), "ApiGateway::Stage": ("*", ["apigateway:POST"]),
        "ApiGateway::UsagePlan": ("*", ["apigateway:POST"]),
        "Backup::BackupPlan": ("*", ["backup:CreateBackupPlan"]), "Backup::BackupSelection": ("*", ["backup:CreateBackupSelection"]),
        "Backup::BackupVault": ("*", ["backup:CreateBackupVault", "backup-storage:MountCapsule", "backup:PutBackupVaultLockConfiguration"]),
        "CertificateManager::Certificate": ("*", ["acm:RequestCertificate", "acm:DescribeCertificate", "acm:AddTagsToCertificate"]),
        "CloudFormation::Stack": (HERE.format("cloudformation") + "stack/screensort-staging-Data-1ABC/x", [
            "cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DescribeStacks"]),
        "CloudWatch::Alarm": ALARM, "CloudWatch::CompositeAlarm": ("*", ["cloudwatch:PutCompositeAlarm"]),
        "CloudWatch::Dashboard": ("*", ["cloudwatch:PutDashboard"]),
        "CodeDeploy::Application": ("*", ["codedeploy:CreateApplication"]),
        "CodeDeploy::DeploymentGroup": ("*", ["codedeploy:CreateDeploymentGroup"]),
        "DynamoDB::Table": (HERE.format("dynamodb") + "table/{TableName}", [
            "dynamodb:CreateTable", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups", "dynamodb:PutResourcePolicy"]),
        "EC2::EIP": (NETWORK, ["ec2:AllocateAddress", "ec2:ReleaseAddress"]), "EC2::FlowLog": (NETWORK, ["ec2:CreateFlowLogs"]),
        "EC2::InternetGateway": (NETWORK, ["ec2:CreateInternetGateway"]), "EC2::NatGateway": (NETWORK, ["ec2:CreateNatGateway"]),
        "EC2::Route": (NETWORK, ["ec2:CreateRoute", "ec2:ReplaceRoute"]), "EC2::RouteTable": (NETWORK, ["ec2:CreateRouteTable"]),
        "EC2::SecurityGroup": (NETWORK, ["ec2:CreateSecurityGroup", "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress"]),
        "EC2::Subnet": (NETWORK, ["ec2:CreateSubnet"]), "EC2::SubnetRouteTableAssociation": (NETWORK, ["ec2:AssociateRouteTable"]),
        "EC2::VPC": (NETWORK, ["ec2:CreateVpc", "ec2:ModifyVpcAttribute"]), "EC2::VPCEndpoint": (NETWORK, ["ec2:CreateVpcEndpoint"]),
        "EC2::VPCGatewayAttachment": (NETWORK, ["ec2:AttachInternetGateway"]),
        "Events::Rule": (HERE.format("events") + "rule/{Name}", ["events:PutRule", "events:PutTargets"]),
        "IAM::ManagedPolicy": ("arn:aws:iam::123456789012:policy{Path}x", ["iam:CreatePolicy", "iam:CreatePolicyVersion"]),
        "IAM::Role": ("arn:aws:iam::123456789012:role{Path}x", [
            "iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:PassRole", "iam:AttachRolePolicy"]),
        "KMS::Key": ("*", ["kms:CreateKey", "kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:TagResource"]),
        "KinesisFirehose::DeliveryStream": ("*", ["firehose:CreateDeliveryStream"]),
        "Lambda::Alias": None, "Lambda::EventInvokeConfig": None, "Lambda::Version": None,
        "Lambda::EventSourceMapping": ("*", ["lambda:CreateEventSourceMapping"]),
        "Lambda::Function": (HERE.format("lambda") + "function:{FunctionName}", [
            "lambda:CreateFunction", "lambda:PublishVersion", "lambda:CreateAlias", "lambda:PutFunctionEventInvokeConfig",
            "lambda:PutFunctionConcurrency"]),
        "Logs::LogGroup": (HERE.format("logs") + "log-group:{LogGroupName}:*", [
            "logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:AssociateKmsKey"]),
        "Logs::MetricFilter": None, "Logs::SubscriptionFilter": None, "Logs::QueryDefinition": ("*", ["logs:PutQueryDefinition"]),
        "Route53::RecordSet": ("*", ["route53:ChangeResourceRecordSets", "route53:GetChange"]),
        "S3::Bucket": ("arn:aws:s3:::screensort-staging-data-1abc-x", [
            "s3:CreateBucket", "s3:PutEncryptionConfiguration", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]),
        "S3::BucketPolicy": ("arn:aws:s3:::screensort-staging-data-1abc-x", ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]),
        "SNS::Subscription": (HERE.format("sns") + "screensort-staging-alarms", ["sns:Subscribe"]),
        "SNS::Topic": (HERE.format("sns") + "{TopicName}", ["sns:CreateTopic", "sns:SetTopicAttributes"]), "SNS::TopicPolicy": None,
        "SQS::Queue": (HERE.format("sqs") + "{QueueName}", ["sqs:CreateQueue", "sqs:SetQueueAttributes"]), "SQS::QueuePolicy": None,
        "Scheduler::Schedule": ("*", ["scheduler:CreateSchedule"]),
        "SecretsManager::Secret": (HERE.format("secretsmanager") + "secret:{Name}-AbCdEf", [
            "secretsmanager:CreateSecret", "secretsmanager:TagResource"]),
        "WAFv2::IPSet": ("*", ["wafv2:CreateIPSet"]), "WAFv2::LoggingConfiguration": ("*", ["wafv2:PutLoggingConfiguration", "logs:CreateLogDelivery"]),
        "WAFv2::RegexPatternSet": ("*", ["wafv2:CreateRegexPatternSet"]), "WAFv2::WebACL": ("*", ["wafv2:CreateWebACL"]),
        "WAFv2::WebACLAssociation": ("*", ["wafv2:AssociateWebACL", "apigateway:SetWebACL"]),
    }

    def filled(self, value):
        value = value["Fn::Sub"] if isinstance(value, dict) else value
        return re.sub(r"\${([\w:]+)}", lambda one: self.FILLED[one[1]], value)

    def granted(self):
        """(effect, actions, resources, condition) of CloudFormation's role once there is data."""
        for statement in statements(PIPELINE["ExecutionRole"]["Properties"], holds=False):
            resources = [self.filled(one) for one in as_list(statement["Resource"]) if "Fn::GetAtt" not in one and "CodeBucket" not in text(one)]
            yield statement["Effect"], as_list(statement["Action"]), resources, statement.get("Condition", {})

    def may(self, action, resource):
        fits = [(effect, condition) for effect, actions, resources, condition in self.granted()
                if any(fnmatchcase(action, one) for one in actions) and any(fnmatchcase(resource, one) for one in resources)]
        self.assertNotIn("Deny", [effect for effect, _ in fits], f"{action} {resource}")
        return [condition for _, condition in fits]

    def test_cloudformation_may_make_whatever_there_is_to_make(self):
        stacks = [resource for resource in STACKS[""]["Resources"].items() if resource[1]["Type"] == "AWS::CloudFormation::Stack"]
        for name, resource in [*RESOURCES.items(), *stacks]:
            kind = resource["Type"].removeprefix("AWS::")
            self.assertIn(kind, self.MAKES, f"{name}: say what CloudFormation calls to make one")
            if made := self.MAKES[kind]:
                pattern, actions = made
                names = {key: self.filled(resource["Properties"][key]) for key in re.findall(r"{(\w+)}", pattern)}
                for action in actions:
                    self.assertTrue(self.may(action, pattern.format(**names)), f"{action} for {name}, {pattern.format(**names)}")

    def test_no_role_is_made_without_a_boundary_and_each_is_where_cloudformation_may_make_it(self):
        for name, role in of("AWS::IAM::Role").items():
            functions = {"Fn::Sub": "/screensort/${Environment}/"}
            others = {"Fn::Sub": "/screensort-operations/${Environment}/"}
            of_operations = name in PEOPLES | MANAGED
            self.assertEqual(others if of_operations else functions, role["Path"], name)
            self.assertEqual({"Ref": "OperationsBoundary" if of_operations else "Boundary"}, role["PermissionsBoundary"], name)
            arn = f"arn:aws:iam::123456789012:role{self.filled(role['Path'])}x"
            for condition in self.may("iam:CreateRole", arn):
                bounds = condition["ArnLike"]["iam:PermissionsBoundary"]
                policy = of("AWS::IAM::ManagedPolicy")[role["PermissionsBoundary"]["Ref"]]
                self.assertTrue(fnmatchcase(f"arn:aws:iam::123456789012:policy{self.filled(policy['Path'])}x", self.filled(bounds)))

    def test_every_service_that_is_handed_a_role_may_be(self):
        handed = {s["Principal"]["Service"] for role in of("AWS::IAM::Role").values()
                  for s in role["AssumeRolePolicyDocument"]["Statement"] if "Service" in s["Principal"]}
        passed, = [c["StringEquals"]["iam:PassedToService"] for c in self.may("iam:PassRole", "arn:aws:iam::123456789012:role/screensort/staging/x")]
        self.assertEqual(handed, set(passed))

    def test_the_roles_of_operations_stay_within_their_boundary_and_it_is_no_wider(self):
        wanted = {action for name in PEOPLES for statement in statements(RESOURCES[name]["Properties"])
                  for action in as_list(statement["Action"])}
        # What the one managed policy has.
        wanted |= {f"logs:{call}" for call in ("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams",
                                               "PutLogEvents", "GetLogEvents", "FilterLogEvents")}
        allowed = {action for statement in RESOURCES["OperationsBoundary"]["Properties"]["PolicyDocument"]["Statement"]
                   if statement["Effect"] == "Allow" for action in statement["Action"]}
        self.assertEqual(wanted, allowed)

    def test_an_administrator_can_do_what_the_runbook_asks_and_reads_no_item_in_use(self):
        may = {action: statement["Resource"] for statement in statements(RESOURCES["AdministratorRole"]["Properties"])
               for action in as_list(statement["Action"])}
        for call in re.findall(r"dynamodb ([a-z][a-z-]+) ", (ROOT / "infra/restore.sh").read_text()):
            if call != "wait":
                self.assertIn("dynamodb:" + "".join(part.capitalize() for part in call.split("-")), may)
        for action in ("logs:GetQueryResults", "cloudwatch:DescribeAlarms", "kms:Decrypt", "kms:CreateGrant"):
            self.assertIn(action, may)
        for action in ("GetItem", "Query", "Scan", "BatchWriteItem", "PutItem"):
            self.assertTrue(may[f"dynamodb:{action}"]["Fn::Sub"].endswith("-restored-*"), action)
        self.assertNotIn("secretsmanager:GetSecretValue", may)

    def test_an_administrator_has_shown_a_second_factor_to_aws_or_to_the_provider(self):
        trust, = RESOURCES["AdministratorRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        nothing = {"Ref": "AWS::NoValue"}
        self.assertEqual(["ProvidersFactor", nothing, {"aws:MultiFactorAuthPresent": True}], trust["Condition"]["Bool"]["Fn::If"])
        provider, instead, otherwise = trust["Condition"]["ArnLike"]["Fn::If"]
        self.assertEqual(("ProvidersFactor", nothing), (provider, otherwise))
        self.assertIn("aws-reserved/sso.amazonaws.com", text(instead))


class Storage(unittest.TestCase):
    def test_what_holds_data_outlives_the_stack(self):
        kinds = ("DynamoDB::Table", "S3::Bucket", "KMS::Key", "SecretsManager::Secret", "Logs::LogGroup", "Backup::BackupVault")
        for name, resource in {**RESOURCES, **ACCOUNT, **PIPELINE}.items():
            if resource["Type"].removeprefix("AWS::") in kinds:
                # A first deployment that fails takes away what it made: else the second finds the names taken. A table
                # under deletion protection cannot be taken away, see docs/deploy.md.
                kept = "Retain" if resource["Type"] == "AWS::DynamoDB::Table" else "RetainExceptOnCreate"
                self.assertEqual(kept, resource.get("DeletionPolicy"), name)
                self.assertEqual("Retain", resource.get("UpdateReplacePolicy"), name)

    def test_everything_at_rest_is_encrypted_with_our_keys(self):
        for name, table in of("AWS::DynamoDB::Table").items():
            self.assertEqual("KMS", table["SSESpecification"]["SSEType"])
            self.assertIn("KMSMasterKeyId", table["SSESpecification"], name)
        for name, bucket in of("AWS::S3::Bucket").items():
            rule, = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            self.assertIn("KMSMasterKeyID", rule["ServerSideEncryptionByDefault"], name)
        for kind, field in (("Logs::LogGroup", "KmsKeyId"), ("SecretsManager::Secret", "KmsKeyId"), ("SQS::Queue", "KmsMasterKeyId")):
            for name, resource in of(f"AWS::{kind}").items():
                self.assertIn(field, resource, name)

    def test_tables_can_be_restored_and_not_deleted_and_have_the_shape_of_the_store(self):
        source = (ROOT / "shared/store/src/table.rs").read_text()
        names = {name: re.search(rf'const {name}: &str = "(\w+)"', source)[1] for name in ("PK", "SK", "TTL")}
        for table in of("AWS::DynamoDB::Table").values():
            self.assertTrue(table["DeletionProtectionEnabled"])
            self.assertTrue(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
            self.assertEqual([names["PK"], names["SK"]], [key["AttributeName"] for key in table["KeySchema"]])
        library = of("AWS::DynamoDB::Table")["LibraryTable"]
        orders = re.findall(r'"(\w+)"', re.search(r"const ORDERS: .*?=\s*\[(.*?)\];", source, re.S)[1].replace("\n", ""))
        across = re.findall(r'const BY_\w+: \(&str, &str\) = \("(\w+)", "(\w+)"\)', source)
        self.assertEqual(orders, [index["IndexName"] for index in library["LocalSecondaryIndexes"]])
        found = [tuple(key["AttributeName"] for key in index["KeySchema"]) for index in library["GlobalSecondaryIndexes"]]
        self.assertEqual(across, found)
        for table in of("AWS::DynamoDB::Table").values():
            self.assertEqual({"AttributeName": names["TTL"], "Enabled": True}, table["TimeToLiveSpecification"])

    def test_buckets_queues_and_tables_refuse_unencrypted_connections(self):
        policies = [*of("AWS::S3::BucketPolicy").values(), *of("AWS::SQS::QueuePolicy").values()]
        policies += [table["ResourcePolicy"] for table in of("AWS::DynamoDB::Table").values()]
        self.assertEqual(len(policies), sum(len(of(f"AWS::{kind}")) for kind in ("S3::Bucket", "SQS::Queue", "DynamoDB::Table")))
        for policy in policies:
            refusals = [s for s in policy["PolicyDocument"]["Statement"] if s.get("Sid") == "EncryptedConnectionsOnly"]
            self.assertEqual({"Bool": {"aws:SecureTransport": False}}, refusals[0]["Condition"])
            self.assertEqual("Deny", refusals[0]["Effect"])

    def test_a_restored_table_is_switched_to_by_parameters_alone(self):
        for name in ("Catalog", "Auth", "Library", "Audit"):
            named = {"Fn::If": [f"UsesRestored{name}", {"Ref": f"Restored{name}"}, {"Ref": f"{name}Table"}]}
            for function in of("AWS::Lambda::Function").values():
                self.assertEqual(named, function["Environment"]["Variables"][f"SCREENSORT_TABLE_{name.upper()}"])
            for role in of("AWS::IAM::Role").values():
                for statement in statements(role):
                    if statement.get("Sid") == f"{name}Key":
                        self.assertEqual(named, statement["Condition"]["StringEquals"]["kms:EncryptionContext:aws:dynamodb:tableName"])
            # Nothing else calls a table by the name that the stack's own has.
            for stack, template in STACKS.items():
                if stack != "Data":
                    self.assertNotRegex(text(template), rf"screensort-\${{Environment}}-{name.lower()}[\"']", stack)

    def test_tables_have_a_most_and_answer_to_this_account_alone(self):
        most = {"MaxReadRequestUnits": {"Ref": "MostReads"}, "MaxWriteRequestUnits": {"Ref": "MostWrites"}}
        for name, table in of("AWS::DynamoDB::Table").items():
            self.assertEqual(most, table["OnDemandThroughput"], name)
            for index in table.get("GlobalSecondaryIndexes", []):
                self.assertEqual(most, index["OnDemandThroughput"])
            refusals = table["ResourcePolicy"]["PolicyDocument"]["Statement"]
            for sid in ("ThisAccountOnly", "FromTheNetworkOnly"):
                self.assertIn(sid, text(refusals), name)
            # An index is a resource of its own: what names the table alone lets its indexes be queried.
            for refusal in refusals:
                refusal = refusal["Fn::If"][1] if "Fn::If" in refusal else refusal
                named = [one["Fn::Sub"] for one in refusal["Resource"]]
                self.assertEqual([named[0], named[0] + "/index/*"], named, f"{name} {refusal['Sid']}")
            within = next(one["Fn::If"][1] for one in refusals if "Fn::If" in one)
            for action in ("ConditionCheckItem", "PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete", "ExportTableToPointInTime"):
                self.assertIn(f"dynamodb:{action}", within["Action"])

    def test_what_is_in_the_trail_is_changed_in_no_language(self):
        stays = next(s for s in RESOURCES["AuditTable"]["Properties"]["ResourcePolicy"]["PolicyDocument"]["Statement"]
                     if s.get("Sid") == "WhatIsWrittenStays")
        for action in ("UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"):
            self.assertIn(f"dynamodb:{action}", stays["Action"])

    def test_what_cannot_be_made_again_is_backed_up_under_another_key(self):
        tables = [of_table(one) for one in of("AWS::Backup::BackupSelection")["Tables"]["BackupSelection"]["Resources"]]
        self.assertEqual({"AuthTable", "LibraryTable", "AuditTable"}, set(tables))
        vault = of("AWS::Backup::BackupVault")["Vault"]
        self.assertEqual({"Fn::GetAtt": ["BackupKey", "Arn"]}, vault["EncryptionKeyArn"])
        self.assertGreaterEqual(vault["LockConfiguration"]["MinRetentionDays"], 7)

    def test_the_topic_of_alarms_has_a_key_of_its_own(self):
        topic, = of("AWS::SNS::Topic").values()
        self.assertEqual({"Fn::GetAtt": ["AlarmsKey", "Arn"]}, topic["KmsMasterKeyId"])

    def test_nothing_comes_into_the_network_and_only_tls_leaves_it(self):
        for name, group in of("AWS::EC2::SecurityGroup").items():
            for rule in group["SecurityGroupEgress"] + group.get("SecurityGroupIngress", []):
                self.assertEqual((443, 443), (rule["FromPort"], rule["ToPort"]), name)
            for rule in group.get("SecurityGroupIngress", []):
                self.assertIn("SourceSecurityGroupId", rule, name)

    def test_no_bucket_is_public(self):
        for bucket in of("AWS::S3::Bucket").values():
            self.assertEqual([True] * 4, list(bucket["PublicAccessBlockConfiguration"].values()))


class Gateway(unittest.TestCase):
    def test_the_gateway_has_the_routes_of_the_table_and_no_others(self):
        routes = {(route["method"].lower(), route["path"], route["binary"]) for route in ROUTES}
        found = set()
        for path, methods in BODY["paths"].items():
            for method, operation in methods.items():
                if method != "x-amazon-apigateway-any-method":
                    integration = operation["x-amazon-apigateway-integration"]
                    self.assertEqual("aws_proxy", integration["type"])
                    target = re.search(r"function:screensort-\${Environment}-([\w-]+):live/", text(integration["uri"]))[1]
                    name, = [f["name"] for f in ENDPOINTS if f["name"] == target.replace("-", "_")]
                    found.add((method, path, name))
        self.assertEqual(routes, found)

    def test_every_path_answers_another_method_with_those_it_has(self):
        for path, methods in BODY["paths"].items():
            mock = methods["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
            answer = mock["responses"]["default"]
            allowed = {r["method"] for r in ROUTES if r["path"] == path}
            allow = answer["responseParameters"]["method.response.header.Allow"].strip("'")
            self.assertEqual(allowed, set(allow.split(", ")), path)
            self.assertEqual("405", answer["statusCode"])

    def answers(self):
        for kind, answer in BODY["x-amazon-apigateway-gateway-responses"].items():
            yield kind, int(answer["statusCode"]), answer, "gatewayresponse.header."
        for path, methods in BODY["paths"].items():
            answer = methods["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]["responses"]["default"]
            yield path, 405, answer | {"responseTemplates": {"application/json": Preflight().ask(path)[2]}}, "method.response.header."

    def test_every_answer_of_the_gateways_own_is_a_problem_document_that_exists(self):
        known = generate.problems()
        for name, status, answer, _ in self.answers():
            filled = answer["responseTemplates"]["application/json"].replace("$context.requestId", "an-id")
            problem = json.loads(filled)
            self.assertNotIn("$", filled, "only the request id is filled in: nothing else is escaped")
            self.assertEqual(status, problem["status"], name)
            self.assertEqual((status, problem["title"]), (known[problem["code"]]["status"], known[problem["code"]]["title"]))
            self.assertEqual(f"/v1/problems/{problem['code']}", problem["type"])
            self.assertEqual("an-id", problem["request_id"])
            self.assertTrue(problem["detail"] and problem["instance"])

    def test_every_answer_of_the_gateways_own_has_the_headers_of_the_functions(self):
        source = (ROOT / "shared/http/src/headers.rs").read_text()
        source = re.sub(r"\\\n\s+", "", source)
        policy = re.search(r'CONTENT_SECURITY_POLICY: &str =\s+"([^"]+)"', source)[1]
        table = re.search(r"const FIXED: .*?= \[(.*?)\n\];", source, re.S)[1]
        named = dict(re.findall(r'\(\s*(?:HeaderName::from_static\("([\w-]+)"\)|[A-Z_]+),\s*"([^"]+)"', table))
        plain = re.findall(r'\(\s*([A-Z_]+),\s*(?:"([^"]+)"|CONTENT_SECURITY_POLICY)', table)
        wanted = {name: value for name, value in named.items() if name}
        wanted |= {name.lower().replace("_", "-"): value or policy for name, value in plain}
        wanted["content-security-policy"] = wanted.pop("csp")
        self.assertEqual(int(re.search(r"const FIXED: \[.*; (\d+)\]", source)[1]), len(wanted))
        wanted["content-type"] = "application/problem+json"
        for name, status, answer, prefix in self.answers():
            found = {k.removeprefix(prefix).lower(): v for k, v in answer["responseParameters"].items()}
            self.assertEqual("context.requestId", found["x-request-id"])
            for header, value in wanted.items():
                self.assertEqual(f"'{value}'", found.get(header), f"{name}: {header}")
            self.assertTrue(status != 429 or "retry-after" in found, name)

    def test_every_kind_of_refusal_has_an_answer(self):
        kinds = """ACCESS_DENIED API_CONFIGURATION_ERROR AUTHORIZER_CONFIGURATION_ERROR AUTHORIZER_FAILURE
            BAD_REQUEST_BODY BAD_REQUEST_PARAMETERS DEFAULT_4XX DEFAULT_5XX EXPIRED_TOKEN INTEGRATION_FAILURE
            INTEGRATION_TIMEOUT INVALID_API_KEY INVALID_SIGNATURE MISSING_AUTHENTICATION_TOKEN QUOTA_EXCEEDED
            REQUEST_TOO_LARGE RESOURCE_NOT_FOUND THROTTLED UNAUTHORIZED UNSUPPORTED_MEDIA_TYPE WAF_FILTERED"""
        self.assertEqual(set(kinds.split()), set(BODY["x-amazon-apigateway-gateway-responses"]))

    def test_the_stage_is_throttled_logged_and_behind_the_firewall(self):
        stage, = of("AWS::ApiGateway::Stage").values()
        self.assertEqual("v1", stage["StageName"])
        paths = {"/" + setting["ResourcePath"].removeprefix("/").replace("~1", "/").lstrip("/") for setting in stage["MethodSettings"]}
        self.assertEqual({"/*"}, {path for path in paths if path not in BODY["paths"]})
        self.assertIn("/login", paths)
        for setting in stage["MethodSettings"]:
            self.assertTrue({"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= setting.keys())
            self.assertFalse(setting["DataTraceEnabled"])
        line = json.loads(stage["AccessLogSetting"]["Format"])
        self.assertLessEqual({"request_id", "source", "client_key", "route", "status", "tls", "cipher"}, line.keys())
        for secret in ("path\"", "querystring", "header.", "userAgent"):
            self.assertNotIn(secret, stage["AccessLogSetting"]["Format"].replace("resourcePath", ""))
        association, = of("AWS::WAFv2::WebACLAssociation").values()
        self.assertIn("/stages/${Apiv1Stage}", association["ResourceArn"]["Fn::Sub"])

    def test_the_firewall_looks_at_lists_first_then_at_rates_then_at_what_is_sent(self):
        firewall = of("AWS::WAFv2::WebACL")["Firewall"]
        rules = [rule["Fn::If"][1] if "Fn::If" in rule else rule for rule in firewall["Rules"]]
        self.assertEqual([rule["Priority"] for rule in rules], list(range(len(rules))))
        self.assertEqual(
            "shut-out known-bad-addresses account-routes one-address common known-bad-inputs sql-injection bodies bots"
            " account-takeover".split(), [rule["Name"] for rule in rules])
        for part in ("RateBasedStatement", "CommonRuleSet", "KnownBadInputsRuleSet", "SQLiRuleSet", "IpReputationList"):
            self.assertIn(part, text(rules))
        hidden = of("AWS::WAFv2::LoggingConfiguration")["FirewallLogging"]["RedactedFields"]
        for header in ("authorization", "cookie"):
            self.assertIn({"SingleHeader": {"Name": header}}, hidden)

    def test_what_hashes_mails_or_guesses_has_a_throttle_of_its_own_and_is_counted_by_address(self):
        asked = {function["name"] for function in ENDPOINTS if "pepper" in function["may"] or function.get("throttled")}
        routes = {(route["method"], route["path"]) for route in ROUTES if route["binary"] in asked and route["method"] != "GET"}
        self.assertGreater(len(routes), 9)
        settings = RESOURCES["Apiv1Stage"]["Properties"]["MethodSettings"]
        own = {(one["HttpMethod"], one["ResourcePath"].removeprefix("/").replace("~1", "/")) for one in settings
               if one["ThrottlingRateLimit"] == {"Ref": "AccountRate"}}
        self.assertEqual(routes, own)
        rule, = [rule for rule in of("AWS::WAFv2::WebACL")["Firewall"]["Rules"] if rule.get("Name") == "account-routes"]
        patterns = of("AWS::WAFv2::RegexPatternSet")["AccountRoutes"]["RegularExpressionList"]
        for method, path in routes - {("DELETE", "/profile")}:
            self.assertTrue(any(re.match(pattern, f"/v1{path}") for pattern in patterns), path)
        # That one path is read far more often than it is left by: only leaving counts.
        self.assertIn('"SearchString": "/v1/profile"', text(rule))
        self.assertIn('"SearchString": "DELETE"', text(rule))

    def test_the_firewall_counts_under_the_name_that_is_watched(self):
        counted = RESOURCES["Firewall"]["Properties"]["VisibilityConfig"]["MetricName"]
        unusual = of("AWS::CloudWatch::Alarm")["UnusualBlocked"]["Metrics"][1]["MetricStat"]["Metric"]["Dimensions"]
        self.assertEqual([counted], [one["Value"] for one in unusual if one["Name"] == "WebACL"])

    def test_an_installation_that_asks_for_it_refuses_bodies_that_are_no_json_at_the_gateway(self):
        reference, found = json.loads((ROOT / "functions/system/openapi.json").read_text()), 0
        for path, methods in reference["paths"].items():
            for method, operation in methods.items():
                here = BODY["paths"][path][method]
                if "requestBody" not in operation:
                    self.assertNotIn("requestBody", here)
                    continue
                self.assertEqual(["application/json"], list(operation["requestBody"]["content"]), path)
                condition, body, otherwise = here["requestBody"]["Fn::If"]
                self.assertEqual(("ChecksTypes", {"Ref": "AWS::NoValue"}), (condition, otherwise))
                models = {kind: model["schema"]["$ref"].rsplit("/")[-1] for kind, model in body["content"].items()}
                self.assertEqual({"application/json": "Anything", "$default": "Nothing"}, models)
                self.assertEqual("bodies", here["x-amazon-apigateway-request-validator"]["Fn::If"][1])
                found += 1
        self.assertGreater(found, 30)
        nothing = BODY["components"]["schemas"]["Nothing"]
        self.assertGreater(nothing["minLength"], nothing["maxLength"], "no text is both, and nothing else is a text")
        self.assertEqual("string", nothing["type"])
        refusal = json.loads(BODY["x-amazon-apigateway-gateway-responses"]["BAD_REQUEST_BODY"]["responseTemplates"]["application/json"])
        self.assertIn("application/json", refusal["detail"])

    def test_the_firewalls_patterns_are_routes(self):
        patterns = of("AWS::WAFv2::RegexPatternSet")
        for name in ("Texts", "AccountRoutes"):
            for pattern in patterns[name]["RegularExpressionList"]:
                self.assertTrue(any(re.match(pattern, f"/v1{route['path']}") for route in ROUTES), pattern)

    def test_the_domain_speaks_tls_of_today_and_stands_in_for_the_gateways_own(self):
        domain = of("AWS::ApiGateway::DomainName")["Domain"]
        self.assertEqual(({"Ref": "TlsPolicy"}, "STRICT"), (domain["SecurityPolicy"], domain["EndpointAccessMode"]))
        self.assertEqual({"Ref": "TlsPolicy"}, BODY["x-amazon-apigateway-security-policy"])
        for policy in TEMPLATE["Parameters"]["TlsPolicy"]["AllowedValues"]:
            self.assertRegex(policy, r"^SecurityPolicy_TLS13_1_(3|2_(FIPS_)?PFS)_")
        # At the root of a document of OpenAPI 3 the import takes no notice of it: there it belongs to the server.
        self.assertNotIn("x-amazon-apigateway-endpoint-configuration", BODY)
        server, = BODY["servers"]
        disabled = server["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"]
        self.assertEqual({"Fn::If": ["HasDomain", True, False]}, disabled)
        self.assertTrue(of("AWS::ApiGateway::UsagePlan")["Clients"]["Quota"])

    def test_what_the_reference_requires_in_the_query_is_required_at_the_gateway(self):
        reference, found = json.loads((ROOT / "functions/system/openapi.json").read_text()), 0
        for path, methods in reference["paths"].items():
            for method, operation in methods.items():
                needed = {p["name"] for p in operation.get("parameters", []) if p.get("required") and p.get("in") == "query"}
                here = BODY["paths"][path][method]
                required = {p["name"] for p in here.get("parameters", []) if p["in"] == "query" and p["required"]}
                self.assertEqual(needed, required, path)
                validator = here.get("x-amazon-apigateway-request-validator")
                if "requestBody" not in operation:
                    self.assertEqual("parameters" if needed else None, validator)
                found += len(needed)
        self.assertGreater(found, 0)


class Preflight(unittest.TestCase):
    """What the gateway answers to a browser that asks first, against shared/http/src/preflight.rs."""

    ORIGINS = "https://app.example,https://admin.example:8443"

    def ask(self, path="/login", http_method="OPTIONS", **headers):
        """Status, headers and body for a method without a function, as the gateway's template language gives them."""
        mock = BODY["paths"][path]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
        answer = mock["responses"]["default"]
        template = answer["responseTemplates"]["application/json"]["Fn::Sub"].replace("${CorsOrigins}", self.ORIGINS)
        # What the engine here cannot set by name is kept by a call instead.
        template = re.sub(r'#set\(\$context\.responseOverride\.(?:header\.)?([\w-]+) = ', r'#set($nothing = $kept.put("\1", ', template)
        template = re.sub(r'(\$kept\.put\([^()]*?)\)', r'\1))', template)
        kept = {}

        class Kept:
            def put(self, name, value):
                kept[name] = value
                return ""

        class Text(str):
            def contains(self, other):
                return other in self

        class Params:
            def header(self):
                return {name.replace("_", "-"): Text(value) for name, value in headers.items()}

        import airspeed
        # The engine's own texts know no `contains`: the list of origins is handed in as one that does.
        template = template.replace(f'",{self.ORIGINS},".contains', "$ours.contains")
        body = airspeed.Template(template).merge({
            "input": {"params": lambda: {"header": Getter(Params().header())}}, "kept": Kept(), "ours": Text(f",{self.ORIGINS},"),
            "context": {"requestId": "an-id", "httpMethod": http_method}})
        fixed = {k.removeprefix("method.response.header."): v.strip("'") for k, v in answer["responseParameters"].items()}
        return int(kept.pop("status", answer["statusCode"])), fixed | kept, body

    def test_a_page_of_ours_is_told_what_it_may(self):
        source = (ROOT / "shared/http/src/preflight.rs").read_text()
        headers = (ROOT / "shared/http/src/headers.rs").read_text()
        for names in (("origin", "access_control_request_method"), ("Origin", "Access_Control_Request_Method")):
            for origin in self.ORIGINS.split(","):
                status, given, body = self.ask("/movies/{id}/rating", **dict(zip(names, (origin, "PUT"))))
                self.assertEqual((204, ""), (status, body.strip()))
                self.assertEqual(origin, given["Access-Control-Allow-Origin"])
                self.assertEqual({"PUT", "DELETE"}, set(given["Access-Control-Allow-Methods"].split(", ")))
        self.assertEqual(re.search(r'ALLOWED_HEADERS: &str =\s+"([^"]+)"', source)[1], given["Access-Control-Allow-Headers"])
        self.assertEqual(re.search(r'MAX_AGE: &str = "(\d+)"', source)[1], given["Access-Control-Max-Age"])
        self.assertEqual(re.search(r'let readable = "([^"]+)"', headers)[1], given["Access-Control-Expose-Headers"])
        self.assertEqual(("true", "cross-origin"), (given["Access-Control-Allow-Credentials"], given["Cross-Origin-Resource-Policy"]))
        self.assertIn("Origin", given["Vary"])

    def test_a_page_of_a_stranger_is_refused(self):
        strangers = ["https://evil.example", "null", "https://app.example.evil.example", "app.example", "https://app.exampl",
                     "https://app.example,https://admin.example:8443", ",", "https://APP.example"]
        for origin in strangers:
            status, given, body = self.ask(origin=origin, access_control_request_method="POST")
            self.assertEqual((403, "origin_refused"), (status, json.loads(body)["code"]), origin)
            self.assertNotIn("Access-Control-Allow-Origin", given)
            self.assertEqual("application/problem+json", given["Content-Type"])

    def test_what_is_no_preflight_is_a_wrong_method(self):
        whole = {"origin": "https://app.example", "access_control_request_method": "POST"}
        asked = [{}, {"origin": "https://app.example"}, {"access_control_request_method": "POST"}, whole | {"http_method": "TRACE"}]
        for headers in asked:
            status, given, body = self.ask(**headers)
            self.assertEqual((405, "method_not_allowed", "POST"), (status, json.loads(body)["code"], given["Allow"]))


class Getter(dict):
    """As the gateway's map of headers: `get` answers nothing for what is not there."""


class Jobs(unittest.TestCase):
    def test_every_job_is_scheduled_and_its_failures_are_kept(self):
        schedules, fates = of("AWS::Scheduler::Schedule"), of("AWS::Lambda::EventInvokeConfig")
        dead = {"Fn::GetAtt": ["FailedJobs", "Arn"]}
        scheduled = [job for job in JOBS if "schedule" in job]
        self.assertEqual({generate.camel(job["name"]) + "Schedule" for job in scheduled}, set(schedules))
        for job in scheduled:
            target = schedules[generate.camel(job["name"]) + "Schedule"]["Target"]
            alias = {"Ref": generate.camel(job["name"]) + "FunctionAliaslive"}
            self.assertEqual(alias, target["Arn"])
            self.assertEqual({"Arn": dead}, target["DeadLetterConfig"])
            fate, = [f for f in fates.values() if text(f["FunctionName"]) == text({"Ref": generate.camel(job["name"]) + "Function"})]
            self.assertEqual(dead, fate["DestinationConfig"]["OnFailure"]["Destination"])

    def test_a_job_is_started_by_a_schedule_or_by_one_table(self):
        streams = of("AWS::Lambda::EventSourceMapping")
        for job in JOBS:
            self.assertTrue("schedule" in job or "stream" in job, job["name"])
            if "stream" in job:
                stream = streams[generate.camel(job["name"]) + "Stream"]
                self.assertEqual(f"{job['stream'].capitalize()}Table", of_table(stream["EventSourceArn"]))
                self.assertIn("OnFailure", stream["DestinationConfig"])
                self.assertIn(f"{job['stream']}:stream", job["may"])

    def test_no_tables_stream_has_more_than_two_readers(self):
        # DynamoDB means a shard for two: with more, reads are throttled.
        readers = {}
        for name, stream in of("AWS::Lambda::EventSourceMapping").items():
            readers.setdefault(text(stream["EventSourceArn"]), []).append(name)
        self.assertEqual(2, max(map(len, readers.values())), readers)

    def test_who_says_how_long_something_waits_has_an_alarm_on_it(self):
        alarms = of("AWS::CloudWatch::Alarm")
        late = {name for name, alarm in alarms.items() if alarm.get("MetricName") == "OldestSeconds"}
        self.assertEqual({generate.camel(job["name"]) + "Late" for job in JOBS if "late" in job}, late)
        for name in ("export_worker", "import_worker"):
            alarm = alarms[generate.camel(name) + "Late"]
            self.assertEqual(1800, alarm["Threshold"])
            self.assertEqual({"Fn::Sub": f"screensort-${{Environment}}-{name.replace('_', '-')}"}, alarm["Dimensions"][0]["Value"])

    def test_who_reads_a_stream_may_find_it(self):
        for job in JOBS:
            if "stream" in job:
                role = RESOURCES[generate.camel(job["name"]) + "Role"]["Properties"]
                listed, = [s for s in statements(role) if s["Action"] == ["dynamodb:ListStreams"]]
                self.assertTrue(listed["Resource"]["Fn::Sub"][0].endswith("/stream/*"), job["name"])

    def test_the_queue_of_films_has_one_reader(self):
        self.assertEqual(1, RESOURCES["SyncMoviesFunction"]["Properties"]["ReservedConcurrentExecutions"])


class Watched(unittest.TestCase):
    def alarms(self):
        return of("AWS::CloudWatch::Alarm") | of("AWS::CloudWatch::CompositeAlarm")

    def test_every_event_with_an_alarm_has_it_and_nothing_else_has(self):
        # The page is what `screensort events` prints; a test over there compares the two.
        wanted = {
            event["name"]: (event["alarm"][0], event["alarm"][1] * 60) for event in watch.events() if event["alarm"]
        }
        found = {
            alarm["Dimensions"][0]["Value"]: (alarm["Threshold"], alarm["Period"])
            for name, alarm in of("AWS::CloudWatch::Alarm").items()
            if alarm.get("MetricName") == "Events" and alarm["Namespace"] == {"Fn::Sub": "ScreenSort/${Environment}"}
        }
        self.assertGreater(len(wanted), 40)
        self.assertEqual(wanted, found)

    def test_each_installation_counts_in_a_place_of_its_own(self):
        space = {"Fn::Sub": "ScreenSort/${Environment}"}
        for name, function in of("AWS::Lambda::Function").items():
            self.assertEqual(space, function["Environment"]["Variables"]["SCREENSORT_METRICS"], name)
        for name, alarm in of("AWS::CloudWatch::Alarm").items():
            spaces = [alarm.get("Namespace"), *(m["MetricStat"]["Metric"]["Namespace"] for m in alarm.get("Metrics", []) if "MetricStat" in m)]
            self.assertNotIn("ScreenSort", spaces, name)
        self.assertNotIn("{ScreenSort,", as_list(of("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"])[0])

    def test_every_job_that_does_not_run_is_missed(self):
        for job in JOBS:
            if "schedule" in job:
                alarm = of("AWS::CloudWatch::Alarm")[f"{generate.camel(job['name'])}Silent"]
                period = alarm["Metrics"][1]["MetricStat"]["Period"]
                # CloudWatch looks back seven days at most, and more than one only at periods of an hour and longer.
                self.assertLessEqual(period * alarm["EvaluationPeriods"], 7 * 86400, job["name"])
                self.assertGreaterEqual(period, 3600)

    def test_every_log_that_may_say_that_the_key_is_refused_is_read_for_it(self):
        asking = {function["area"] for function in ENDPOINTS + JOBS if "secret:tmdb" in function["may"]}
        for metric in ("TmdbRequests", "TmdbKeyRejected"):
            read = {filter_["LogGroupName"]["Fn::Sub"].rsplit("/")[-1] for filter_ in of("AWS::Logs::MetricFilter").values()
                    if filter_["MetricTransformations"][0]["MetricName"] == metric}
            self.assertEqual({area.lower() for area in asking}, read, metric)

    def test_every_areas_log_is_counted_as_it_is_written(self):
        # One line of the log: shared/http/src/trail.rs writes it, tracing's JSON puts its fields under `fields`.
        line = (ROOT / "shared/http/src/trail.rs").read_text()
        self.assertRegex(line, r'target: "security",\s+event = name,')
        self.assertNotIn("flatten_event", (ROOT / "shared/runtime/src/serve.rs").read_text())
        counted = set()
        for filter_ in of("AWS::Logs::MetricFilter").values():
            to, = filter_["MetricTransformations"]
            if to["MetricName"] == "Events":
                self.assertEqual('{ $.target = "security" && $.fields.event = * }', filter_["FilterPattern"])
                self.assertEqual([{"Key": "event", "Value": "$.fields.event"}], to["Dimensions"])
                counted.add(filter_["LogGroupName"]["Ref"])
        self.assertEqual({f"{function['area']}Logs" for function in ENDPOINTS + JOBS}, counted)

    def test_what_the_requirements_name_has_an_alarm(self):
        names = text([alarm["AlarmName"] for alarm in self.alarms().values()])
        for name in """auth-login-failed auth-login-throttled auth-role-changed person-exported person-deleted
                threat-data-mass-changed tmdb-key-refused unusual-tmdbcalls unusual-loginfailures server-errors slow-answers
                throttles dead-letters sync-changes-silent publish-catalog-silent certificate-ends error-critical
                people-are-hurting fast-errors slow-errors fast-waits slow-waits count-films-late texts-are-dear""".split():
            self.assertIn(f"-{name}\"", names)
        rules = of("AWS::Events::Rule")
        backups = rules["BackupsInDanger"]["EventPattern"]
        self.assertIn("Backup Job State Change", backups["detail-type"])
        by_state, by_status = backups["detail"]["$or"]
        self.assertLessEqual({"FAILED", "ABORTED", "EXPIRED"}, set(by_state["state"]))
        self.assertIn("FAILED", by_status["status"])
        self.assertNotIn("Notifications", of("AWS::Backup::BackupVault")["Vault"], "its events are not sent any more")
        self.assertIn("ScheduleKeyDeletion", text(rules["KeysInDanger"]["EventPattern"]))
        self.assertIn("GetSecretValue", text(rules["SecretsReadByOthers"]["EventPattern"]))

    def test_every_alarm_tells_somebody_and_quietness_is_decided(self):
        for name, alarm in self.alarms().items():
            self.assertEqual([{"Ref": "Alarms"}], alarm["AlarmActions"], name)
            self.assertTrue(alarm["AlarmDescription"].strip(), name)
            if "AlarmRule" not in alarm:
                self.assertIn(alarm["TreatMissingData"], ("notBreaching", "breaching"), name)
        for rule in of("AWS::Events::Rule").values():
            self.assertEqual([{"Ref": "Alarms"}], [target["Arn"] for target in rule["Targets"]])

    def test_what_a_rule_sees_reaches_the_topic_through_its_key_or_lies_in_a_queue(self):
        account = {name: resource for name, resource in ACCOUNT.items()}
        for resources, key, queues in ((RESOURCES, "AlarmsKey", {"FailedJobs"}), (account, "AccountKey", {"Undelivered"})):
            # Neither the key nor the topic may ask EventBridge for an account or a rule: the message would be refused.
            topic, = [r["Properties"]["PolicyDocument"] for r in resources.values() if r["Type"] == "AWS::SNS::TopicPolicy"]
            for policy, action in ((resources[key]["Properties"]["KeyPolicy"], "kms:GenerateDataKey"), (topic, "sns:Publish")):
                carried = [s for s in policy["Statement"] if "events.amazonaws.com" in text(s["Principal"])]
                self.assertEqual([EVENTS], [s["Principal"] for s in carried], "in a statement of its own")
                self.assertNotIn("Condition", carried[0])
                self.assertIn(action, text(carried[0]["Action"]))
            rules = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Events::Rule"]
            self.assertGreater(len(rules), 3)
            for rule in rules:
                for target in rule["Targets"]:
                    self.assertIn(target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0], queues, rule["Description"])
            # The queue is sealed as well: whoever lays something into it must be able to use its key.
            queue, = queues
            of_queue = resources[queue]["Properties"]["KmsMasterKeyId"]["Fn::GetAtt"][0]
            uses = [s for s in resources[of_queue]["Properties"]["KeyPolicy"]["Statement"] if s["Principal"] == EVENTS]
            self.assertEqual(1, len(uses), of_queue)
            letters, = [r["Properties"]["PolicyDocument"] for r in resources.values() if r["Type"] == "AWS::SQS::QueuePolicy"]
            send, = [s for s in letters["Statement"] if s["Principal"] == EVENTS]
            self.assertIn(":rule/", text(send["Condition"]["ArnLike"]["aws:SourceArn"]))

    def test_every_log_is_copied_to_whoever_collects_them(self):
        copied = {filter_["LogGroupName"]["Ref"] for filter_ in of("AWS::Logs::SubscriptionFilter").values()}
        self.assertEqual(set(of("AWS::Logs::LogGroup")), copied)
        stream = RESOURCES["LogStream"]["Properties"]
        _, splunk, _ = stream["SplunkDestinationConfiguration"]["Fn::If"]
        self.assertEqual(["Decompression", "CloudWatchLogProcessing"], [one["Type"] for one in splunk["ProcessingConfiguration"]["Processors"]])
        self.assertEqual({"Ref": "AWS::NoValue"}, stream["HttpEndpointDestinationConfiguration"]["Fn::If"][1])

    def test_the_root_is_seen_in_every_region_and_what_aws_announces_is_told(self):
        self.assertEqual({"Ref": "TrailLogs"}, ACCOUNT["RootSeen"]["Properties"]["LogGroupName"])
        self.assertTrue(ACCOUNT["Trail"]["Properties"]["IsMultiRegionTrail"])
        self.assertEqual(["aws.health"], ACCOUNT["AwsHealth"]["Properties"]["EventPattern"]["source"])

    def test_configurations_are_written_where_nothing_is_locked(self):
        # AWS Config cannot write into a bucket whose objects are locked by default.
        bucket = ACCOUNT["Delivery"]["Properties"]["S3BucketName"]["Ref"]
        self.assertNotIn("ObjectLockConfiguration", ACCOUNT[bucket]["Properties"])
        self.assertIn("ObjectLockConfiguration", ACCOUNT["TrailBucket"]["Properties"])
        for name, resource in ACCOUNT.items():
            if resource["Type"] == "AWS::S3::BucketPolicy":
                own = resource["Properties"]["Bucket"]["Ref"]
                writers = [s["Principal"]["Service"] for s in resource["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
                self.assertEqual({"config.amazonaws.com" if own == bucket else "cloudtrail.amazonaws.com"}, set(writers), name)

    def test_the_products_roles_can_be_told_from_others(self):
        for name, role in of("AWS::IAM::Role").items():
            if name not in PEOPLES | MANAGED:
                self.assertEqual({"Fn::Sub": "/screensort/${Environment}/"}, role["Path"], name)

    def test_the_dashboard_is_json(self):
        body = as_list(of("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"])[0]
        self.assertGreater(len(json.loads(body)["widgets"]), 10)


class Versions(unittest.TestCase):
    def test_callers_name_the_version_in_use_and_a_new_one_is_taken_back_when_it_fails(self):
        groups, alarms = of("AWS::CodeDeploy::DeploymentGroup"), of("AWS::CloudWatch::Alarm")
        for name, alias in of("AWS::Lambda::Alias").items():
            function = name.removesuffix("Aliaslive")
            self.assertEqual("live", alias["Name"])
            group = groups[f"{function}DeploymentGroup"]
            self.assertTrue(group["AutoRollbackConfiguration"]["Enabled"])
            alarm = f"{function.removesuffix('Function')}Failures"
            self.assertEqual([{"Name": {"Ref": alarm}}], group["AlarmConfiguration"]["Alarms"])
            self.assertIn("crashes", text(alarms[alarm]["Metrics"]))
        self.assertEqual(len(ENDPOINTS + JOBS), len(of("AWS::Lambda::Alias")))

    def test_every_function_is_traced_and_bounded(self):
        boundary = {"Ref": "Boundary"}
        for name, function in of("AWS::Lambda::Function").items():
            self.assertEqual({"Mode": "Active"}, function["TracingConfig"], name)
            self.assertEqual("InNetwork", function["VpcConfig"]["Fn::If"][0], name)
        for name, role in of("AWS::IAM::Role").items():
            if name not in PEOPLES | MANAGED:
                self.assertEqual(boundary, role["PermissionsBoundary"], name)

    def test_the_boundary_allows_what_roles_may_and_no_more(self):
        allowed = set()
        for statement in of("AWS::IAM::ManagedPolicy")["Boundary"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny":
                # Texts go to telephones, which no policy can name: so what is none is named instead.
                self.assertEqual(["sns:Publish"], statement["Action"])
                self.assertEqual({"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}, statement["Resource"])
                continue
            allowed |= set(as_list(statement["Action"]))
        policies = of("AWS::IAM::ManagedPolicy")
        beside = {action for name in ("NetworkPolicy", "InsightsPolicy")
                  for action in policies[name]["PolicyDocument"]["Statement"][0]["Action"]}
        self.assertEqual(ACTIONS | beside, allowed)

    def test_insights_are_beside_every_function_by_parameter_and_write_their_own_log_alone(self):
        self.assertEqual("no", TEMPLATE["Parameters"]["EnableInsights"]["Default"])
        layer = {"Fn::If": ["Insights", [{"Ref": "InsightsLayerArn"}], {"Ref": "AWS::NoValue"}]}
        for name, function in of("AWS::Lambda::Function").items():
            self.assertEqual(layer, function["Layers"], name)
            self.assertIn("InsightsPolicy", text(RESOURCES[name.removesuffix("Function") + "Role"]["Properties"]["ManagedPolicyArns"]))
        policies = of("AWS::IAM::ManagedPolicy")
        may, = policies["InsightsPolicy"]["PolicyDocument"]["Statement"]
        self.assertEqual({"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, set(may["Action"]))
        for group in may["Resource"]:
            self.assertRegex(text(group), r"\$\{AWS::AccountId\}:log-group:/aws/lambda-insights(:\*)?\"\}$")
        bounded, = [s for s in policies["Boundary"]["PolicyDocument"]["Statement"] if s["Sid"] == "Insights"]
        self.assertEqual(may, bounded)
        # Whoever is inside has no other way to the log.
        self.assertEqual("HasNetworkInsights", RESOURCES["LogsEndpoint"]["Condition"])

    def test_the_extension_is_named_in_full_or_not_at_all(self):
        allowed = re.compile(TEMPLATE["Parameters"]["InsightsLayerArn"]["AllowedPattern"])
        layer = "arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension"
        for good in ("", f"{layer}:53", f"{layer}-Arm64:20", f"{layer}:1".replace("arn:aws:", "arn:aws-cn:")):
            self.assertTrue(allowed.fullmatch(good), good)
        for bad in (layer, f"{layer}:latest", f"{layer}-x86:1", "arn:aws:lambda:eu-west-1:580247275435:layer:Other:1", f"{layer}:53,{layer}:54"):
            self.assertFalse(allowed.fullmatch(bad), bad)

    def test_a_function_that_talks_to_others_has_a_way_out_and_no_other_has(self):
        for function in ENDPOINTS + JOBS:
            where = of("AWS::Lambda::Function")[generate.camel(function["name"]) + "Function"]["VpcConfig"]
            subnets = "Outside" if function["outside"] else "Inside"
            self.assertIn(f"{subnets}A", text(where))


class Size(unittest.TestCase):
    # CloudFormation takes 500; the rest is room for what comes.
    MOST = 450

    def test_every_stack_fits_into_cloudformation(self):
        print()
        for name, template in STACKS.items():
            resources = len(template["Resources"])
            print(f"  {resources:4} resources, {len(json.dumps(template, separators=(',', ':'))) >> 10:4} KiB  {name or 'template.yaml'}")
            self.assertLessEqual(resources, self.MOST, name)
            self.assertLess(len(json.dumps(template)), 1 << 20, name)
            for section in ("Parameters", "Outputs"):
                self.assertLessEqual(len(template.get(section, {})), 200, f"{name} {section}")
        print(f"  {len(RESOURCES):4} in all")

    def test_no_policy_gets_longer_than_iam_takes(self):
        def longest(node):
            """As long as what depends on parameters can get."""
            match node:
                case list():
                    return [longest(one) for one in node]
                case {"Fn::If": [_, one, other]}:
                    return max(longest(one), longest(other), key=lambda branch: len(json.dumps(branch)))
                case {"Fn::Sub": [text_, named]}:
                    return {"Fn::Sub": text_ + "x" * 40 * len(named)}
                case {"Fn::Split": [_, {"Fn::Join": [_, parts]}]}:
                    return ["x" * 120] * len(parts)
                case dict():
                    return {key: longest(value) for key, value in node.items()}
            return node

        roles_ = of("AWS::IAM::Role") | {name: one["Properties"] for name, one in PIPELINE.items() if one["Type"] == "AWS::IAM::Role"}
        for name, role in roles_.items():
            policies = json.dumps(longest([policy["PolicyDocument"] for policy in role.get("Policies", [])]), separators=(",", ":"))
            # As long as names can get once they are filled in.
            written = re.sub(r'{"(Ref|Fn::GetAtt)":[^}]*}', "x" * 120, policies)
            written = re.sub(r"\${[^}]*}", lambda one: "x" * (20 if "::" in one[0] or one[0] == "${Environment}" else 120), written)
            self.assertLess(len(written), 10240, f"{name}: its policies may get longer than IAM takes")


if __name__ == "__main__":
    unittest.main()
