"""Checks which policies SAM attaches to the functions' roles beside those that the template writes out.

Takes no input; run it from the repository's root, with the Python that has aws-sam-translator.
"""

import sys
from collections import defaultdict

from stack import Stack

# What docs/aws.md says: writing logs, and traces; and for API Gateway's own role, its logs.
EXPECTED = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AmazonAPIGatewayPushToCloudWatchLogs"}


def attached() -> dict[str, list[str]]:
    """The roles that each managed policy is attached to."""
    stack, roles = Stack({"Tracing": "Active"}), defaultdict(list)
    for name, role in stack.of_type("AWS::IAM::Role").items():
        for policy in role["Properties"].get("ManagedPolicyArns") or []:
            roles[stack.text(policy).rsplit("/", 1)[-1]].append(name)
    return roles


if __name__ == "__main__":
    found = attached()
    for policy, roles in sorted(found.items()):
        print(f"{policy}: {len(roles)} roles, {roles[0]} among them")
    sys.exit(set(found) != EXPECTED)
