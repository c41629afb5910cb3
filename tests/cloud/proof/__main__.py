"""The proof, step by step: `python -m proof STACK`."""

import sys

from . import checkly, deployments, gateway, health, keys, names, owners, rollouts, runs, secrets, sockets, tasks, ticks
from .stack import Stack
from .steps import Steps


def main():
    stack = Stack(sys.argv[1])
    steps = Steps()
    users = {}
    for module in (keys, deployments, runs, secrets, owners, names, ticks, tasks, rollouts, checkly, gateway, sockets, health):
        print(f"{module.__doc__.splitlines()[0]}")
        steps.run(module, stack, users)
    print(f"\n{steps.passed} passed, {steps.failed} failed")
    sys.exit(steps.failed > 0)


main()
