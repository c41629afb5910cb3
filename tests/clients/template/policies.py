"""Checks every policy of the stack with parliament, and that each of its findings is one that is explained here.

Takes no input; run it from the repository's root, with the Python that has parliament.
"""

import json
import sys
import warnings
from collections.abc import Iterator

from stack import CASES, Stack

warnings.filterwarnings("ignore", "pkg_resources")
from parliament import analyze_policy_string  # noqa: E402

# What parliament objects to and stands, by a part of the finding, with the reason.
EXPLAINED = {
    "RESOURCE_MISMATCH [{'action': 'scheduler:ListSchedules', 'required_format': '*'}]": (
        "AWS compares it with `schedule/*/*`, whatever group is asked for: https://github.com/aws/aws-cdk/issues/38201"
    ),
    "PlaneSweepFunctionMinuteRole/PlaneSweepFunctionMinuteLambdaPolicy: NO_VERSION": (
        "SAM writes this policy, and without a version; it uses nothing that came later"
    ),
}


def policies(stack: Stack) -> Iterator[tuple[str, dict]]:
    """Every policy that is written out in the template, with the names of what it is about put in."""
    for name, role in stack.of_type("AWS::IAM::Role").items():
        for policy in role["Properties"].get("Policies", []):
            yield f"{name}/{policy['PolicyName']}", filled(stack, policy["PolicyDocument"])


def filled(stack: Stack, node):
    """The node with texts in place of CloudFormation's functions."""
    if isinstance(node, dict) and len(node) == 1 and next(iter(node)) in ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join"):
        return stack.text(node)
    if isinstance(node, dict):
        return {name: filled(stack, child) for name, child in node.items()}
    return [filled(stack, child) for child in node] if isinstance(node, list) else node


def main() -> int:
    unexplained, explained, count = [], set(), 0
    for values in CASES.values():
        for name, document in policies(Stack(values)):
            count += 1
            for finding in analyze_policy_string(json.dumps(document)).findings:
                about = f"{name}: {finding.issue} {finding.detail}"
                reason = next((one for one in EXPLAINED if one in about), None)
                explained.add(reason)
                if reason is None:
                    unexplained.append(about)
    stale = [f"explained, and not found any more: {one}" for one in EXPLAINED if one not in explained]
    print(f"{count} policies of {len(CASES)} stacks, {len(EXPLAINED)} explained findings")
    print(*dict.fromkeys(unexplained + stale), sep="\n")
    return bool(unexplained or stale)


if __name__ == "__main__":
    sys.exit(main())
