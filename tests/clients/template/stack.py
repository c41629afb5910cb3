"""The template as CloudFormation gets it: with what it includes, as SAM expands it, and for the values of its parameters.

Run from the repository's root. Knows CloudFormation's functions as far as the template uses them, and refuses others.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

# The values of parameters that lead to every condition's other side, by what an operator wants with them.
CASES = {
    "as it is": {},
    "a new account": {"AccountSize": "small"},
    "own limits": {
        "TicksAtOnce": "7",
        "RunsAtOnce": "7",
        "RolloutsAtOnce": "7",
        "ReservedForHooks": "10",
        "ReservedForTasks": "10",
        "ReservedForFollowers": "10",
        "ReservedForWaiters": "10",
    },
    "mail": {"AlarmEmail": "ops@example.com", "MonthlyBudget": "20"},
    "a topic": {"AlarmTopicArn": "arn:aws:sns:eu-central-1:111122223333:ops", "MonthlyBudget": "20"},
    "a dashboard": {"Dashboard": "true"},
    "a boundary": {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/boundary"},
    "a web ACL": {"WebAclArn": "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/acl/01234567-0123-0123-0123-0123456789ab"},
    "the account's role for access logs": {"AccessLogs": "with-account-role"},
    "no access logs": {"AccessLogs": "without"},
    "a restored table": {"ExistingTable": "restored"},
    "a restored table and its key": {
        "ExistingTable": "restored",
        "ExistingKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef",
    },
    "a domain": {
        "DomainName": "plane.example.com",
        "CertificateArn": "arn:aws:acm:eu-central-1:111122223333:certificate/01234567-0123-0123-0123-0123456789ab",
    },
    "domains in a hosted zone": {
        "DomainName": "plane.example.com",
        "SocketDomainName": "sockets.example.com",
        "CertificateArn": "arn:aws:acm:eu-central-1:111122223333:certificate/01234567-0123-0123-0123-0123456789ab",
        "HostedZoneId": "Z0123456789",
    },
}

PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "tidemill",
    "AWS::URLSuffix": "amazonaws.com",
}
ABSENT = object()


def included(node):
    """The node with the files in it that `AWS::Include` names."""
    if isinstance(node, dict):
        transform = node.get("Fn::Transform", {})
        if transform.get("Name") == "AWS::Include":
            return yaml_parse(Path(transform["Parameters"]["Location"]).read_text())
        return {name: included(child) for name, child in node.items()}
    return [included(child) for child in node] if isinstance(node, list) else node


@cache
def expanded() -> dict:
    """What SAM makes of the template, before CloudFormation knows the values of parameters."""
    template = included(yaml_parse(Path("template.yaml").read_text()))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # Where `sam package` would have put the code.
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return Translator({}, Parser()).translate(template, {})


def nodes(node, path="") -> Iterator[tuple[str, object]]:
    """Every part of a template, with where it stands."""
    yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from nodes(child, f"{path}/{name}")


class Stack:
    """The template for the values of some parameters; the others have their defaults."""

    def __init__(self, values: dict[str, str]):
        self.template, self.given = deepcopy(expanded()), values
        defaults = {name: one.get("Default") for name, one in self.template["Parameters"].items()}
        self.values = {name: str(value) for name, value in (defaults | values).items()}
        self.mappings = self.template.get("Mappings", {})
        self.resources = self._present("Resources")
        self.outputs = self._present("Outputs")

    def of_type(self, kind: str) -> dict[str, dict]:
        return {name: one for name, one in self.resources.items() if one["Type"] == kind}

    def broken_references(self) -> list[str]:
        """What is referred to and is not there."""
        known = {*self.resources, *self.values, *PSEUDO}
        broken = []
        for section in (self.resources, self.outputs):
            for path, name in references(section):
                if name.split(".")[0] not in known:
                    broken.append(f"{path}: {name}")
        return broken

    def broken_rules(self) -> list[str]:
        """What the template's rules say against these values."""
        said = []
        for rule in self.template.get("Rules", {}).values():
            if self.holds(rule["RuleCondition"]):
                said += [one["AssertDescription"] for one in rule["Assertions"] if not self.holds(one["Assert"])]
        return said

    def rendered(self) -> dict:
        """A template of these values, without conditions, and of functions that are alike with some alone."""
        kept = ("AWSTemplateFormatVersion", "Description", "Mappings")
        template = {name: self.template[name] for name in kept}
        given = {name: {"Default": value} for name, value in self.given.items()}
        parameters = {name: one | given.get(name, {}) for name, one in self.template["Parameters"].items()}
        return template | {"Parameters": parameters, "Resources": self._without_alike(), "Outputs": self.outputs}

    def _without_alike(self) -> dict:
        functions = self.of_type("AWS::Lambda::Function")
        names = {name.removesuffix("Function") for name, one in functions.items() if one["Properties"]["Handler"] not in SAMPLE}
        alike = {f"{name}{part}" for name in names for part in ("Function", "FunctionRole", "Logs", "Errors")}

        def is_alike(node):
            return isinstance(node, dict) and any(name.split(".")[0] in alike for _, name in references(node))

        def kept(node):
            if isinstance(node, dict):
                # The body of the API names each function, and cfn-lint does not look into it.
                return {key: kept(child) for key, child in node.items() if key != "Body"} | ({"Body": {}} if "Body" in node else {})
            return [kept(child) for child in node if not is_alike(child)] if isinstance(node, list) else node

        return {name: kept(one) for name, one in self.resources.items() if name not in alike}

    def text(self, node) -> str:
        """A name or an ARN as CloudFormation makes it; of a resource's attribute, something that stands for it."""
        match node:
            case str() | int() | float():
                return str(node)
            case {"Ref": name}:
                return self._named(name)
            case {"Fn::GetAtt": [name, *attribute]}:
                return self._attribute(name, ".".join(attribute))
            case {"Fn::GetAtt": str(name)}:
                return self._attribute(*name.split(".", 1))
            case {"Fn::Sub": [text, names]}:
                return self._filled(text, names)
            case {"Fn::Sub": str(text)}:
                return self._filled(text, {})
            case {"Fn::FindInMap": [table, row, column]}:
                return str(self.mappings[table][self.text(row)][self.text(column)])
            case {"Fn::Join": [between, parts]}:
                return between.join(self.text(part) for part in parts)
        raise ValueError(f"no text: {node}")

    def holds(self, condition) -> bool:
        match condition:
            case {"Condition": name} | str(name):
                return self.holds(self.template["Conditions"][name])
            case {"Fn::Equals": [one, other]}:
                return self.text(one) == self.text(other)
            case {"Fn::Not": [one]}:
                return not self.holds(one)
            case {"Fn::And": several}:
                return all(map(self.holds, several))
            case {"Fn::Or": several}:
                return any(map(self.holds, several))
        raise ValueError(f"no condition: {condition}")

    def _present(self, section: str) -> dict:
        there = {
            name: one for name, one in self.template.get(section, {}).items() if self.holds(one.get("Condition", ALWAYS))
        }
        return {
            name: {key: self._chosen(value) for key, value in one.items() if key not in ("Condition", "DependsOn")}
            for name, one in there.items()
        }

    def _chosen(self, node):
        """The node with the branches of its `Fn::If` that hold."""
        if isinstance(node, dict) and "Fn::If" in node:
            condition, first, second = node["Fn::If"]
            return self._chosen(first if self.holds(condition) else second)
        if node == {"Ref": "AWS::NoValue"}:
            return ABSENT
        if isinstance(node, dict):
            chosen = {name: self._chosen(child) for name, child in node.items()}
            return {name: child for name, child in chosen.items() if child is not ABSENT}
        if isinstance(node, list):
            return [child for child in map(self._chosen, node) if child is not ABSENT]
        return node

    def _named(self, name: str) -> str:
        return (PSEUDO | self.values).get(name, f"ref-{name}")

    def _attribute(self, name: str, attribute: str) -> str:
        if attribute != "Arn":
            return f"{name}-{attribute}"
        return ARNS[self.resources[name]["Type"]].format(name=name, **{k.split("::")[1]: v for k, v in PSEUDO.items()})

    def _filled(self, text: str, names: dict) -> str:
        def fill(found):
            name = found[1]
            if name in names:
                return self.text(names[name])
            return self._attribute(*name.split(".", 1)) if "." in name else self._named(name)

        return re.sub(r"\$\{([^}!]+)\}", fill, text)


ALWAYS = {"Fn::Equals": ["", ""]}
# Functions that have something that others have not; every other one is like `deployment_add`.
SAMPLE = {
    "deployment_add",
    "deployment_tick",
    "hook_receive",
    "key_issue",
    "plane_sweep",
    "rollout_execute",
    "rollout_follow",
    "rollout_wait",
    "run_execute",
    "run_list",
    "secret_set",
    "socket_close",
    "socket_notify",
    "socket_open",
    "socket_receive",
    "task_send",
}
# What ARNs look like, for tools that compare them with what an action takes.
ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{Region}:{AccountId}:table/{name}",
    "AWS::IAM::Role": "arn:aws:iam::{AccountId}:role/{name}",
    "AWS::KMS::Key": "arn:aws:kms:{Region}:{AccountId}:key/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{Region}:{AccountId}:function:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{Region}:{AccountId}:log-group:{name}:*",
    "AWS::SQS::Queue": "arn:aws:sqs:{Region}:{AccountId}:{name}",
    "AWS::Scheduler::ScheduleGroup": "arn:aws:scheduler:{Region}:{AccountId}:schedule-group/{name}",
    "AWS::CloudWatch::Alarm": "arn:aws:cloudwatch:{Region}:{AccountId}:alarm:{name}",
}


def references(node, path="") -> Iterator[tuple[str, str]]:
    """Every name that is referred to, with where."""
    match node:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]} | {"Fn::GetAtt": str(name)}:
            yield path, name
        case {"Fn::Sub": [str(text), dict(names)]}:
            yield from ((path, name) for name in re.findall(r"\$\{([^}!]+)\}", text) if name not in names)
            yield from references(names, path)
        case {"Fn::Sub": str(text)}:
            yield from ((path, name) for name in re.findall(r"\$\{([^}!]+)\}", text))
        case dict():
            for key, child in node.items():
                yield from references(child, f"{path}/{key}")
        case list():
            for number, child in enumerate(node):
                yield from references(child, f"{path}/{number}")
