"""The proof with deaths: `python -m proof.kills STACK`, on functions that were built to die."""

import sys

from . import deaths
from .stack import Stack
from .steps import Steps

if __name__ == "__main__":
    steps = Steps()
    print(deaths.__doc__.splitlines()[0])
    steps.run(deaths, Stack(sys.argv[1]), deaths.Scene())
    print(f"\n{steps.passed} passed, {steps.failed} failed")
    sys.exit(steps.failed > 0)
