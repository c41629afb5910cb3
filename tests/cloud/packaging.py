"""Packs the functions' binary and turns template.yaml into one that the emulator accepts.

Only what stands in `overlay` differs from what is deployed to AWS, and each difference is printed.
"""

import json
import os
import sys
import zipfile
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse


# Seconds that a message is hidden where functions die.
HIDDEN = 10


def pack(binary: Path, into: Path) -> Path:
    """Makes the archive of all functions: their binary under the name that Lambda starts."""
    archive = into / "functions.zip"
    entry = zipfile.ZipInfo("bootstrap")
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(archive, "w", compresslevel=1) as zipped:
        zipped.writestr(entry, binary.read_bytes(), compresslevel=1)
    return archive


def functions(template: dict) -> list[dict]:
    return [r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]


def packed(template: dict, binary: Path, into: Path) -> None:
    """What `sam build` does: all functions have the same code."""
    archive = str(pack(binary, into))
    for function in functions(template):
        function["Properties"]["CodeUri"] = archive


def includes(node):
    """Every file that is included, as the node that names it."""
    if isinstance(node, dict) and node.get("Name") == "AWS::Include":
        yield node["Parameters"]
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from includes(child)


def include(template: dict, into: Path) -> list[str]:
    """Puts what is included beside the template. The emulator knows one way to call a function, and hands on what it says
    when all of it is said: so the answer of a function that streams arrives with its prelude, and at once."""
    changed = 0
    for parameters in includes(template):
        source = Path(parameters["Location"])
        text = source.read_text()
        changed += text.count("/response-streaming-invocations")
        text = text.replace("/2021-11-15/functions/", "/2015-03-31/functions/")
        copy = into / source.name
        copy.write_text(text.replace("/response-streaming-invocations", "/invocations"))
        parameters["Location"] = str(copy.resolve())
    return [f"{changed} operations that stream: called as those that do not, for the emulator knows no other way"]


def statements(node):
    """Every statement of every policy."""
    if isinstance(node, dict) and "Action" in node and "Effect" in node:
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from statements(child)


def plainer_policies(template: dict) -> list[str]:
    """The emulator checks each call of a function against its role, but knows less to compare with than AWS."""
    found = {"scheduler": 0, "kms": 0}
    for statement in statements(template["Resources"]):
        service = str(statement["Action"] if isinstance(statement["Action"], str) else statement["Action"][0]).split(":")[0]
        if service == "scheduler":
            statement["Resource"] = "*"
            found["scheduler"] += 1
        elif service == "kms" and "kms:EncryptionContext" in json.dumps(statement.get("Condition", {})):
            del statement["Condition"]
            found["kms"] += 1
    return [
        f"{found['scheduler']} statements on schedules: any resource, for the emulator takes each schedule for one of the group `default`",
        f"{found['kms']} statements on secrets: without a condition, for the emulator knows no encryption context",
    ]


def sockets_at_the_emulator(template: dict) -> list[str]:
    """The emulator takes what is sent on WebSockets at its own address, under a path that names the API."""
    url = os.environ["AWS_ENDPOINT_URL"] + "/_aws/execute-api/${SocketApi}/${StageName}"
    environments = [f["Properties"]["Environment"]["Variables"] for f in functions(template)]
    for variables in (variables for variables in environments if "TIDEMILL_SOCKETS_URL" in variables):
        variables["TIDEMILL_SOCKETS_URL"] = {"Fn::Sub": url}
    return [f"functions that send on WebSockets: TIDEMILL_SOCKETS_URL={url}"]


def whole_bodies(template: dict) -> list[str]:
    """The emulator does not look for the types of binary bodies in the description of the API."""
    api = next(r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Api")
    api["Properties"]["BinaryMediaTypes"] = ["*/*"]
    return [
        "Api: BinaryMediaTypes */*, as its description has it, for the emulator takes it from nowhere else",
        "Api: what no function takes is put there after the deploy (`proof.emulator`), for the emulator reads no such methods",
    ]


def overlay(template: dict, faults: str | None) -> list[str]:
    """What differs from what AWS gets; a line for each change."""
    plain = plainer_policies(template) + sockets_at_the_emulator(template) + whole_bodies(template)
    return plain + (mortal(template, faults) if faults else [])


def mortal(template: dict, faults: str) -> list[str]:
    """What a stack of functions that die has besides."""
    variables = template["Globals"]["Function"].setdefault("Environment", {}).setdefault("Variables", {})
    variables["TIDEMILL_FAULTS"] = faults
    changes = [f"every function: TIDEMILL_FAULTS={faults}, dies at that share of its calls of AWS"]
    for queue in ("TicksQueue", "RunsQueue", "RolloutsQueue"):
        properties = template["Resources"][queue]["Properties"]
        changes.append(
            f"{queue}: VisibilityTimeout {HIDDEN} s instead of {properties['VisibilityTimeout']} s, "
            "so that a message whose receiver died is waited for less; AWS would refuse less than the function's limit"
        )
        properties["VisibilityTimeout"] = HIDDEN
        # Deaths that are made on purpose are no reason to give a message up.
        properties["RedrivePolicy"]["maxReceiveCount"] = 1000
        changes.append(f"{queue}: never gives a message up")
    return changes


def main(binary: Path, into: Path, faults: str | None = None) -> None:
    template = yaml_parse(Path("template.yaml").read_text())
    into.mkdir(parents=True, exist_ok=True)
    packed(template, binary, into)
    changes = overlay(template, faults) + include(template, into)
    (into / "template.json").write_text(json.dumps(template))
    print(f"{len(functions(template))} functions, one archive")
    print("differs from what AWS gets:", *changes, sep="\n  ")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
