"""Runs one step after the other, prints each with its time, and counts them."""

import time
import traceback


class Steps:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def run(self, module, *given):
        """Runs every function of a module whose name begins with `step_`, in the order of the file."""
        for name, step in vars(module).items():
            if name.startswith("step_"):
                self._run(name.removeprefix("step_").replace("_", " "), step, given)

    def _run(self, title, step, given):
        start = time.monotonic()
        try:
            said = step(*given)
            self.passed += 1
            mark = "ok    "
        except Exception as error:
            self.failed += 1
            mark, said = "FAILED", None
            where = traceback.extract_tb(error.__traceback__)[-1]
            failure = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno}: {where.line})"
        print(f"  {mark} {time.monotonic() - start:6.2f} s  {title}" + (f": {said}" if said else ""), flush=True)
        if mark == "FAILED":
            print(f"         {failure}", flush=True)


def wait_for(what, get, is_reached, seconds=60):
    """Asks again and again until the answer is as wanted, and gives it."""
    until = time.monotonic() + seconds
    while True:
        found = get()
        if is_reached(found):
            return found
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {seconds} s, last seen: {found}")
        time.sleep(0.1)
