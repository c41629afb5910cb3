"""Checks what CloudFormation gets: no null, nothing that refers to what is not there, nothing that cfn-lint finds, whatever the
parameters say.

Takes no input; run it from the repository's root, with the Python that has aws-sam-translator and cfn-lint.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from stack import CASES, Stack, expanded, nodes

# CloudFormation takes a template of at most this many bytes, and resources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LARGEST = 1_000_000
MOST_RESOURCES = 500
# Of a template without conditions: parameters and rows of a mapping that only an unused branch names.
UNUSED = ("W2001", "W7001")
# Values that no deploy may have, and what the template's rules say to them.
REFUSED = {
    "a domain without a certificate": {"DomainName": "plane.example.com"},
    "a budget that writes to no one": {"MonthlyBudget": "20"},
}
CFN_LINT = Path(sys.executable).with_name("cfn-lint")


def linted(templates: dict[str, dict], *options: str) -> dict[str, list[str]]:
    """What cfn-lint finds in each template. One process for all: it reads its schemas for seconds."""
    with tempfile.TemporaryDirectory() as folder:
        files = {str(Path(folder, f"{number}.json")): name for number, name in enumerate(templates)}
        for file, name in files.items():
            Path(file).write_text(json.dumps(templates[name]))
        command = [CFN_LINT, "--format", "json", *options, "--", *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = {name: [] for name in templates}
    for one in json.loads(done.stdout or "[]"):
        where = "/".join(map(str, one["Location"]["Path"] or []))
        found[files[one["Filename"]]].append(f"{one['Rule']['Id']} {where}: {one['Message']}")
    if done.returncode and not any(found.values()):
        raise RuntimeError(done.stderr)
    return found


def unbounded_roles(stack: Stack) -> list[str]:
    return [name for name, role in stack.of_type("AWS::IAM::Role").items() if "PermissionsBoundary" not in role["Properties"]]


def wrong_with_all() -> list[str]:
    template = expanded()
    size, count = len(json.dumps(template, separators=(",", ":"))), len(template["Resources"])
    print(f"expanded: {size:,} bytes of {LARGEST:,}, {count} resources of {MOST_RESOURCES}")
    return [
        *(f"null at {path}" for path, node in nodes(template) if node is None),
        *linted({"": template})[""],
        *([f"{size} bytes"] if size > LARGEST else []),
        *([f"{count} resources"] if count > MOST_RESOURCES else []),
        *(f"no rule refuses {what}" for what, values in REFUSED.items() if not Stack(values).broken_rules()),
    ]


def wrong_with(values: dict[str, str]) -> list[str]:
    stack = Stack(values)
    return [
        *(f"{name} is no parameter" for name in values if name not in expanded()["Parameters"]),
        *(f"refers to what is not there: {one}" for one in stack.broken_references()),
        *stack.broken_rules(),
        *(f"{name} has no boundary" for name in unbounded_roles(stack) if values.get("PermissionsBoundaryArn")),
    ]


def both_sides() -> list[str]:
    """Conditions of which the cases know one side alone."""
    stacks = [Stack(values) for values in CASES.values()]
    conditions = expanded()["Conditions"]
    return [f"{name} is never {side}" for name in conditions for side in (True, False) if all(one.holds(name) != side for one in stacks)]


def main() -> int:
    found = {"the template": wrong_with_all() + both_sides()}
    clean = linted({case: Stack(values).rendered() for case, values in CASES.items()}, "--ignore-checks", *UNUSED)
    for case, values in CASES.items():
        found[case] = wrong_with(values) + clean[case]
    for case, wrong in found.items():
        print(f"{case}: {'ok' if not wrong else ''}", *wrong, sep="\n  " if wrong else "")
    return any(found.values())


if __name__ == "__main__":
    sys.exit(main())
