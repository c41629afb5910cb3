"""The proof, step by step: `python -m proof STACK [PREFIX]`.

With a prefix of the owners' names it removes what they made, whether the steps passed or not.
"""

import sys

from . import (
    checkly,
    deployments,
    elsewhere,
    gateway,
    health,
    keys,
    names,
    owners,
    removal,
    rollouts,
    runs,
    secrets,
    sockets,
    tasks,
    ticks,
)
from .stack import Stack
from .steps import Steps


def main():
    stack = Stack(*sys.argv[1:])
    steps = Steps()
    users = {}
    modules = [keys, deployments, runs, secrets, owners, names, ticks, tasks, rollouts, checkly, gateway, sockets, elsewhere, health]
    if stack.prefix:
        modules.append(removal)
    for module in modules:
        print(f"{module.__doc__.splitlines()[0]}")
        steps.run(module, stack, users)
    print(f"\n{steps.passed} passed, {steps.failed} failed")
    sys.exit(steps.failed > 0)


main()
