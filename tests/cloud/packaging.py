"""Packs built functions and makes of template.yaml one that the emulator takes.

Only what stands in `overlay` differs from what is deployed to AWS, and each difference is printed.
"""

import json
import sys
import zipfile
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse


def pack(binary: Path, into: Path) -> Path:
    """Makes the archive of one function: its binary under the name that Lambda starts."""
    archive = into / f"{binary.name}.zip"
    entry = zipfile.ZipInfo("bootstrap")
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(archive, "w", compresslevel=1) as zipped:
        zipped.writestr(entry, binary.read_bytes(), compresslevel=1)
    return archive


def functions(template: dict) -> list[dict]:
    return [r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]


def packed(template: dict, binaries: Path, into: Path) -> None:
    """What `sam build` does: each function's code is its own archive."""
    for function in functions(template):
        name = function["Metadata"]["BuildProperties"]["Binary"]
        function["Properties"]["CodeUri"] = str(pack(binaries / name, into))


def find_includes(node) -> None:
    """Included files are named as seen from the template, which is elsewhere now."""
    if isinstance(node, dict) and node.get("Name") == "AWS::Include":
        node["Parameters"]["Location"] = str(Path(node["Parameters"]["Location"]).resolve())
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        find_includes(child)


def overlay(template: dict) -> list[str]:
    """Works around what the emulator cannot do; gives a line for each change."""
    return []


def main(binaries: Path, into: Path) -> None:
    template = yaml_parse(Path("template.yaml").read_text())
    into.mkdir(parents=True, exist_ok=True)
    packed(template, binaries, into)
    changes = overlay(template)
    find_includes(template)
    (into / "template.json").write_text(json.dumps(template))
    print(f"{len(functions(template))} functions packed")
    print("overlay for the emulator:", *(changes or ["none"]), sep="\n  ")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
