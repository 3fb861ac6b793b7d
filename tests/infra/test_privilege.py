"""The comparison itself."""

import unittest

from privilege import judge, words


class Privilege(unittest.TestCase):
    def test_a_call_is_allowed_by_the_word_that_means_it(self):
        for action, resource, meant in [
            ("dynamodb:Query", "screensort-auth", ["auth:Query"]),
            ("dynamodb:Query", "somebody-elses", []),
            ("s3:GetObject", "screensort-artifacts/catalog", ["artifacts:read"]),
            ("s3:PutObject", "screensort-artifacts/model", ["model:write"]),
            ("s3:GetObject", "screensort-artifacts/elsewhere", []),
            ("s3:ListBucket", "screensort-audit", ["shipped:see"]),
            ("secretsmanager:GetSecretValue", "screensort/mac", ["secret:mac"]),
            ("secretsmanager:PutSecretValue", "screensort/signing", ["secret:signing:write"]),
            ("kms:GenerateMac", "alias/screensort-pepper", ["pepper"]),
            ("kms:Decrypt", "alias/screensort-audit", []),
            ("ses:SendEmail", "-", ["mail:send"]),
            ("sns:Publish", "-", ["text:send"]),
            ("wafv2:UpdateIPSet", "screensort-blocked-v4", ["waf:mirror"]),
            ("wafv2:DeleteIPSet", "screensort-blocked-v4", []),
        ]:
            self.assertEqual(words(action, resource), meant, (action, resource))

    def test_too_little_and_too_much_are_both_faults(self):
        granted = {"a": ["auth:Query", "auth:PutItem"], "b": ["auth:Query", "secret:mac"]}
        common = {"a": {"auth:Query"}, "b": {"auth:Query"}}
        calls = {
            ("a", "dynamodb:Query", "screensort-auth"), ("a", "dynamodb:DeleteItem", "screensort-auth"),
            ("c", "ses:SendEmail", "-"),
        }
        excused = [{"function": "b", "may": "secret:mac", "why": "x"}, {"function": "a", "may": "auth:Query", "why": "x"}]
        faults = judge(granted, common, calls, excused)
        self.assertEqual(faults, [
            "a called dynamodb:DeleteItem on screensort-auth (auth:DeleteItem), which its role does not allow",
            "c makes calls and has no role",
            "a may auth:PutItem, and no test made it do so",
            "tests/infra/unexercised.toml excuses a auth:Query, which needs none",
        ])

    def test_a_call_that_only_other_settings_cause_is_named_and_has_to_happen(self):
        beyond = [{"function": "a", "call": "secretsmanager:GetSecretValue screensort/x", "why": "x"}]
        calls = {("a", "secretsmanager:GetSecretValue", "screensort/x")}
        self.assertEqual(judge({"a": []}, {"a": set()}, calls, [], beyond), [])
        self.assertEqual(len(judge({"a": []}, {"a": set()}, set(), [], beyond)), 1)


if __name__ == "__main__":
    unittest.main()
