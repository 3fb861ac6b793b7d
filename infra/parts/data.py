"""What rests: keys, tables, buckets, key rings. What is the same for each of them but the name."""

# --- Keys ------------------------------------------------------------------------------------------------------------
# A first deployment that fails takes a key away again that nothing was sealed with yet; later ones never do.
# In each policy the first statement administers and cannot use the key; the others let those use it whose own policy
# says so too: through the named services only, or, for the two keys that the product itself uses, for one purpose only.

ADMINISTER = """kms:CancelKeyDeletion, kms:DescribeKey, kms:DisableKey, kms:EnableKey, kms:DisableKeyRotation,
kms:EnableKeyRotation, kms:GetKeyPolicy, kms:GetKeyRotationStatus, kms:ListGrants, kms:ListKeyPolicies,
kms:ListKeyRotations, kms:ListResourceTags, kms:PutKeyPolicy, kms:RevokeGrant, kms:RotateKeyOnDemand,
kms:ScheduleKeyDeletion, kms:TagResource, kms:UntagResource, kms:UpdateKeyDescription""".split("\n")
USE = """kms:Encrypt, kms:Decrypt, kms:ReEncryptFrom, kms:ReEncryptTo, kms:GenerateDataKey,
kms:GenerateDataKeyWithoutPlaintext, kms:DescribeKey""".split("\n")
ACCOUNT = "{AWS: !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root'}"
LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group"

KEYS = {
    "CatalogKey": {"about": "the catalogue, in its table and as artifacts", "through": ["dynamodb", "s3"]},
    "AuthKey": {"about": "credentials and sessions, in their table", "through": ["dynamodb"]},
    "LibraryKey": {"about": "what people do and say, in its table and as exports", "through": ["dynamodb", "s3"]},
    "AuditKey": {"about": "the record of events, in its table and as objects", "through": ["dynamodb", "s3"]},
    "SecretsKey": {"about": "secrets", "through": ["secretsmanager"]},
    "OperationsKey": {"about": "logs and the queue of failed jobs", "through": ["sqs", "firehose"], "logs": True, "events": True},
    "BackupKey": {"about": "backups of tables", "through": ["backup", "dynamodb"]},
    "AlarmsKey": {"about": "the topic of alarms", "through": ["sns"], "services": ["cloudwatch"], "events": True},
    "DataKey": {
        "about": "wraps the data key of each person", "use": "kms:GenerateDataKey, kms:Decrypt",
        "only": "{kms:EncryptionContext:purpose: person}",
    },
    "PepperKey": {
        "about": "peppers passwords", "use": "kms:GenerateMac", "only": "{kms:MacAlgorithm: HMAC_SHA_256}",
        "mac": True,
    },
}

TABLES = {
    "Catalog": {"about": "films, people, operators, lists, sync: it can be made again"},
    "Auth": {"about": "credentials, sessions, counters"},
    "Library": {
        "about": "what people do and say", "stream": "NEW_AND_OLD_IMAGES",
        "orders": ["thumb_order", "rating_order", "hidden_order", "watchlist_order", "own_order"],
        "across": [("film", "film_order"), ("queue", "queue_order")],
    },
    "Audit": {"about": "security and data events", "stream": "NEW_IMAGE", "put_only": True},
}


def statement(sid, principal, actions, condition):
    lines = [f"- Sid: {sid}", "  Effect: Allow", f"  Principal: {principal}"]
    if len(actions) == 1:
        lines.append(f"  Action: [{actions[0]}]")
    else:
        lines += ["  Action:", "    [", *(f"      {line.removesuffix(',')}," for line in actions), "    ]"]
    return lines + ["  Resource: '*'", *condition]


def through(services):
    named = [f"!Sub '{service}.${{AWS::Region}}.amazonaws.com'" for service in services]
    return ["  Condition:", f"    StringEquals: {{kms:ViaService: [{', '.join(named)}]}}"]


def key(name, asked):
    policy = statement("Administration", ACCOUNT, ADMINISTER, [])
    if "only" in asked:
        # In a network of its own the product reaches keys through its endpoint, and nobody reaches them otherwise.
        within = "aws:SourceVpce: !If [InNetwork, !Ref KeysEndpoint, !Ref AWS::NoValue]"
        only = f"{{{asked['only'].strip('{}')}, {within}}}"
        policy += statement("UseForOnePurpose", ACCOUNT, [asked["use"]], ["  Condition:", f"    StringEquals: {only}"])
    else:
        policy += statement("UseThroughServices", ACCOUNT, USE, through(asked["through"]))
    if granting := [service for service in asked.get("through", []) if service in ("dynamodb", "backup", "firehose")]:
        grants = through(granting) + ["    Bool: {kms:GrantIsForAWSResource: true}"]
        policy += statement("GrantToTheService", ACCOUNT, ["kms:CreateGrant"], grants)
    if "services" in asked:
        named = ", ".join(f"{service}.amazonaws.com" for service in asked["services"])
        policy += statement("Alarms", f"{{Service: [{named}]}}", ["kms:Decrypt, kms:GenerateDataKey"], [
            "  Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}"])
    if asked.get("events"):
        # EventBridge says to KMS neither which account nor which rule it calls for: a condition on either would never
        # hold, and what a rule saw would be lost in silence. Which rules reach a queue is asked by the queue's policy.
        policy += statement("Rules", "{Service: events.amazonaws.com}", ["kms:Decrypt, kms:GenerateDataKey"], [])
    if asked.get("logs"):
        groups = [f"!Sub {LOGS}:/screensort/${{Environment}}/*", f"!Sub {LOGS}:aws-waf-logs-screensort-${{Environment}}"]
        policy += statement("Logs", "{Service: !Sub 'logs.${AWS::Region}.amazonaws.com'}", USE, [
            "  Condition:", "    ArnLike:", "      kms:EncryptionContext:aws:logs:arn:",
            *(f"        - {group}" for group in groups)])
    # KMS does not rotate MAC keys: a new pepper is a new key, named by SCREENSORT_PEPPER_ID.
    kind = ["    KeySpec: HMAC_256", "    KeyUsage: GENERATE_VERIFY_MAC"] if asked.get("mac") else ["    EnableKeyRotation: true"]
    return [
        f"{name}:", "  Type: AWS::KMS::Key", "  DeletionPolicy: RetainExceptOnCreate", "  UpdateReplacePolicy: Retain", "  Properties:",
        f"    Description: !Sub 'ScreenSort ${{Environment}}: {asked['about']}.'", *kind, "    PendingWindowInDays: 30",
        "    KeyPolicy:", "      Version: '2012-10-17'", "      Statement:", *("        " + line for line in policy),
    ]


# --- Tables ----------------------------------------------------------------------------------------------------------
# Their shape is that of shared/store/src/table.rs. Data outlives the stack.

# What is done with items, in either language, and how they are taken away all at once; how tables are is administered
# from elsewhere.
ITEMS = ", ".join(f"dynamodb:{call}" for call in (
    "GetItem", "BatchGetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem",
    "ConditionCheckItem", "PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete", "ExportTableToPointInTime"))
# The most that a table is ever charged for in a second. Beyond it, calls are refused: a flood has a price.
MOST = "{MaxReadRequestUnits: !Ref MostReads, MaxWriteRequestUnits: !Ref MostWrites}"


def table(name, asked):
    own = f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/screensort-${{Environment}}-{name.lower()}"
    # An index is a resource of its own: whoever queries it does not name the table.
    arn = f"[!Sub '{own}', !Sub '{own}/index/*']"
    refusals = [
        "- Sid: EncryptedConnectionsOnly", "  Effect: Deny", "  Principal: '*'", "  Action: dynamodb:*",
        f"  Resource: {arn}", "  Condition: {Bool: {aws:SecureTransport: false}}",
        "- Sid: ThisAccountOnly", "  Effect: Deny", "  Principal: '*'", "  Action: dynamodb:*", f"  Resource: {arn}",
        "  Condition:", "    StringNotEquals: {aws:PrincipalAccount: !Ref AWS::AccountId}",
        "    Bool: {aws:PrincipalIsAWSService: false}",
        "- !If", "  - InNetwork", "  - Sid: FromTheNetworkOnly", "    Effect: Deny", "    Principal: '*'",
        f"    Action: [{ITEMS}]", f"    Resource: {arn}",
        "    Condition:", "      StringNotEquals: {aws:SourceVpce: !Ref TablesEndpoint}",
        "      Bool: {aws:ViaAWSService: false, aws:PrincipalIsAWSService: false}", "  - !Ref AWS::NoValue",
    ]
    if asked.get("put_only"):
        refusals += [
            "- Sid: WhatIsWrittenStays", "  Effect: Deny", "  Principal: '*'",
            "  Action: [dynamodb:UpdateItem, dynamodb:DeleteItem, dynamodb:BatchWriteItem, dynamodb:PartiQLUpdate, dynamodb:PartiQLDelete]", f"  Resource: {arn}",
        ]
    orders, across = asked.get("orders", []), asked.get("across", [])
    attributes = ["pk", "sk", *orders, *(attribute for pair in across for attribute in pair)]
    lines = [
        f"{name}Table:", "  Type: AWS::DynamoDB::Table", "  DeletionPolicy: Retain", "  UpdateReplacePolicy: Retain",
        "  Properties:", f"    TableName: !Sub screensort-${{Environment}}-{name.lower()}", "    BillingMode: PAY_PER_REQUEST",
        f"    OnDemandThroughput: {MOST}",
        "    AttributeDefinitions:", *(f"      - {{AttributeName: {attribute}, AttributeType: S}}" for attribute in attributes),
        "    KeySchema:", "      - {AttributeName: pk, KeyType: HASH}", "      - {AttributeName: sk, KeyType: RANGE}",
    ]
    for section, indexes in (("Local", [("pk", order) for order in orders]), ("Global", across)):
        if indexes:
            lines.append(f"    {section}SecondaryIndexes:")
        for partition, order in indexes:
            keys = f"[{{AttributeName: {partition}, KeyType: HASH}}, {{AttributeName: {order}, KeyType: RANGE}}]"
            lines += [f"      - IndexName: {order}", f"        KeySchema: {keys}", "        Projection: {ProjectionType: ALL}"]
            lines += [f"        OnDemandThroughput: {MOST}"] if section == "Global" else []
    if stream := asked.get("stream"):
        lines.append(f"    StreamSpecification: {{StreamViewType: {stream}}}")
    return lines + [
        "    TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}",
        "    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}",
        f"    SSESpecification: {{SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !GetAtt {name}Key.Arn}}",
        "    DeletionProtectionEnabled: true", "    ResourcePolicy:", "      PolicyDocument:",
        "        Version: '2012-10-17'", "        Statement:", *("          " + line for line in refusals),
        "    Tags: [{Key: product, Value: screensort}]",
    ]


# --- Buckets ---------------------------------------------------------------------------------------------------------

BUCKETS = {
    "Artifacts": {"key": "Catalog"},
    # What people export and import: gone after a week.
    "Exports": {"key": "Library", "days": 7},
    # The trail as it is shipped: nobody can change or delete it before its time, whatever their rights.
    "Audit": {"key": "Audit", "locked": True},
}


def bucket(name, asked):
    lines = [
        f"{name}Bucket:", "  Type: AWS::S3::Bucket", "  DeletionPolicy: RetainExceptOnCreate", "  UpdateReplacePolicy: Retain",
        "  Properties:", "    BucketEncryption:", "      ServerSideEncryptionConfiguration:",
        "        - BucketKeyEnabled: true",
        f"          ServerSideEncryptionByDefault: {{SSEAlgorithm: aws:kms, KMSMasterKeyID: !GetAtt {asked['key']}Key.Arn}}",
        "    VersioningConfiguration: {Status: Enabled}", "    OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}",
        "    PublicAccessBlockConfiguration:", "      BlockPublicAcls: true", "      BlockPublicPolicy: true",
        "      IgnorePublicAcls: true", "      RestrictPublicBuckets: true",
    ]
    if asked.get("locked"):
        lines += [
            "    ObjectLockEnabled: true", "    ObjectLockConfiguration:", "      ObjectLockEnabled: Enabled",
            "      Rule: {DefaultRetention: {Mode: COMPLIANCE, Days: !Ref AuditRetentionDays}}",
        ]
    expiry = [f"          ExpirationInDays: {asked['days']}"] if "days" in asked else []
    old = 1 if "days" in asked else 30
    return lines + [
        "    LifecycleConfiguration:", "      Rules:", "        - Id: Old", "          Status: Enabled", *expiry,
        f"          NoncurrentVersionExpiration: {{NoncurrentDays: {old}}}",
        "          AbortIncompleteMultipartUpload: {DaysAfterInitiation: 1}",
        "    Tags: [{Key: product, Value: screensort}]",
    ]


def bucket_policy(name):
    all_of_it = f"[!GetAtt {name}Bucket.Arn, !Sub '${{{name}Bucket.Arn}}/*']"
    refusal = lambda sid, condition: [  # noqa: E731
        f"        - Sid: {sid}", "          Effect: Deny", "          Principal: '*'", "          Action: s3:*",
        f"          Resource: {all_of_it}", f"          Condition: {condition}",
    ]
    return [
        f"{name}BucketPolicy:", "  Type: AWS::S3::BucketPolicy", "  Properties:", f"    Bucket: !Ref {name}Bucket",
        "    PolicyDocument:", "      Version: '2012-10-17'", "      Statement:",
        *refusal("EncryptedConnectionsOnly", "{Bool: {aws:SecureTransport: false}}"),
        *refusal("NoOldTls", "{NumericLessThan: {s3:TlsVersion: 1.2}}"),
        *refusal("ThisAccountOnly", "{StringNotEquals: {aws:PrincipalAccount: !Ref AWS::AccountId}, Bool: {aws:PrincipalIsAWSService: false}}"),
    ]


# --- Secrets and logs ------------------------------------------------------------------------------------------------

# What the product makes itself at the first deployment, and where it is written: see docs/deploy.md.
RINGS = {
    "Index": "The keys of the blind index over addresses",
    "Mac": "The keys of cookies, refresh tokens, challenges and codes",
    "Lasting": "The keys of recovery codes and of the trail's proofs",
    "Signing": "The keys that sign access tokens",
    "Jwks": "The public halves of the keys that sign access tokens",
}


def ring(name, about):
    return [
        f"{name}Secret:", "  Type: AWS::SecretsManager::Secret", "  DeletionPolicy: RetainExceptOnCreate", "  UpdateReplacePolicy: Retain",
        "  Properties:", f"    Name: !Sub screensort/${{Environment}}/{name.lower()}",
        f"    Description: {about}; written by `screensort first-keys` once, see docs/deploy.md.",
        "    KmsKeyId: !GetAtt SecretsKey.Arn",
    ]


def log_group(name, group):
    return [
        f"{name}Logs:", "  Type: AWS::Logs::LogGroup", "  DeletionPolicy: RetainExceptOnCreate", "  UpdateReplacePolicy: Retain",
        "  Properties:", f"    LogGroupName: !Sub {group}", "    RetentionInDays: !Ref LogRetentionDays",
        "    KmsKeyId: !Ref OperationsKeyArn",
    ]


def blocks():
    """The resources of this file."""
    parts = [["# --- Keys ".ljust(118, "-")]]
    parts += [key(name, asked) for name, asked in KEYS.items()]
    parts.append(["# --- Tables ".ljust(118, "-")])
    parts += [table(name, asked) for name, asked in TABLES.items()]
    parts.append(["# --- Buckets ".ljust(118, "-")])
    for name, asked in BUCKETS.items():
        parts += [bucket(name, asked), bucket_policy(name)]
    parts.append(["# --- Key rings ".ljust(118, "-")])
    parts += [ring(name, about) for name, about in RINGS.items()]
    return parts


def outputs():
    """What other stacks are told: where things are, by name."""
    told = {f"{name}Arn": f"!GetAtt {name}.Arn" for name in KEYS}
    # A new pepper is a new key. The one before verifies what was hashed with it until its owner comes by.
    told["PepperKeyArn"] = "!If [HasNewPepper, !Ref NewPepper, !GetAtt PepperKey.Arn]"
    told["PepperKeyArns"] = (
        "!Join [',', [!If [HasNewPepper, !Ref NewPepper, !GetAtt PepperKey.Arn],"
        " !If [HasOldPeppers, !Ref OldPepperKeys, !Ref AWS::NoValue]]]")
    for name, asked in TABLES.items():
        # The table in use is the stack's own, or one that was restored beside it: everybody is told which.
        restored = f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/${{Restored{name}}}"
        told[f"{name}TableName"] = f"!If [UsesRestored{name}, !Ref Restored{name}, !Ref {name}Table]"
        told[f"{name}TableArn"] = f"!If [UsesRestored{name}, !Sub '{restored}', !GetAtt {name}Table.Arn]"
        if "stream" in asked:
            told[f"{name}StreamArn"] = f"!If [UsesRestored{name}, !Ref Restored{name}Stream, !GetAtt {name}Table.StreamArn]"
    told |= {f"{name}Bucket": f"!Ref {name}Bucket" for name in BUCKETS}
    told |= {f"{name}SecretArn": f"!Ref {name}Secret" for name in [*RINGS, "Cursor", "Tmdb"]}
    return [f"{name}: {{Value: {value}}}" for name, value in told.items()]
