"""Builds the stack twice with a stand-in for the compiler, and changes a file of `lib/` in between.

`sam build` must compile once, package one archive for all functions, and see the change. Takes no input; run it from the
repository's root, with the Python that has aws-sam-cli.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

SAM = Path(sys.executable).with_name("sam").resolve()
# Where cargo lambda puts the binary, seen from the repository's root.
BINARY = Path("target/lambda/tidemill-functions/bootstrap")

# Answers `cargo metadata` as SAM reads it; "compiles" by hashing the sources, and logs each call.
CARGO = f"""#!{sys.executable}
import hashlib, json, os, sys
from pathlib import Path

root = Path(os.environ["STAND_IN_ROOT"])
arguments = sys.argv[1:]
if arguments[:1] == ["metadata"]:
    print(json.dumps({{"target_directory": str(root / "target"), "packages": [], "workspace_members": []}}))
elif arguments[:2] == ["lambda", "build"]:
    with (root / "compiled").open("a") as log:
        log.write(" ".join(arguments) + "\\n")
    sources = sorted((root / "lib").rglob("*.rs"))
    binary = root / "{BINARY}"
    binary.parent.mkdir(parents=True, exist_ok=True)
    binary.write_text(hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest())
else:
    sys.exit(f"the stand-in knows no `cargo {{' '.join(arguments)}}`")
"""


def copy_of_the_repository(root: Path) -> None:
    for folder in ("functions", "infra", "lib"):
        shutil.copytree(folder, root / folder)
    for file in ("Cargo.toml", "Cargo.lock", "template.yaml", "samconfig.toml"):
        shutil.copy(file, root / file)


def stand_in(folder: Path) -> None:
    folder.mkdir()
    for name in ("cargo", "cargo-lambda"):
        program = folder / name
        program.write_text(CARGO)
        program.chmod(0o755)


def build(root: Path, programs: Path) -> tuple[int, set[str], set[str]]:
    """How often the compiler ran, the folders that functions are packaged from, and the binaries in them."""
    (root / "compiled").write_text("")
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "STAND_IN_ROOT": str(root)}
    subprocess.run([SAM, "build"], cwd=root, env=environment, check=True, capture_output=True)
    built = root / ".aws-sam/build"
    resources = yaml_parse((built / "template.yaml").read_text())["Resources"].values()
    functions = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::Serverless::Function"]
    folders = {function["CodeUri"] for function in functions}
    binaries = {(built / folder / "bootstrap").read_text() for folder in folders}
    return len((root / "compiled").read_text().splitlines()), folders, binaries


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        root, programs = Path(folder, "repository"), Path(folder, "programs")
        root.mkdir()
        copy_of_the_repository(root)
        stand_in(programs)

        first = build(root, programs)
        with (root / "lib/operations/src/lib.rs").open("a") as source:
            source.write("// changed\n")
        second = build(root, programs)

    for name, (compiled, folders, _) in (("first", first), ("second", second)):
        print(f"{name} build: compiled {compiled} times, {len(folders)} packages")
    wrong = [
        *(f"compiled {compiled} times" for compiled, _, _ in (first, second) if compiled != 1),
        *(f"{len(folders)} packages" for _, folders, _ in (first, second) if len(folders) != 1),
        *(["a change in lib/ is not in the second build"] if first[2] == second[2] else []),
    ]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
