"""Checks which policies SAM attaches to the functions' roles beside those that the template writes out.

Takes no input; run it from the repository's root, with the Python that has aws-sam-cli.
"""

import sys
from collections import defaultdict
from pathlib import Path

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

# What docs/aws.md says that SAM adds: writing logs, and traces.
EXPECTED = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}


def attached() -> dict[str, list[str]]:
    """The roles that each managed policy is attached to."""
    template = yaml_parse(Path("template.yaml").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # Where `sam package` would have put the code.
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    roles = defaultdict(list)
    for name, resource in Translator({}, Parser()).translate(template, {})["Resources"].items():
        for policy in resource.get("Properties", {}).get("ManagedPolicyArns") or []:
            roles[policy.rsplit("/", 1)[-1]].append(name)
    return roles


if __name__ == "__main__":
    found = attached()
    for policy, roles in sorted(found.items()):
        print(f"{policy}: {len(roles)} roles, {roles[0]} among them")
    sys.exit(set(found) != EXPECTED)
