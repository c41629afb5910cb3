"""Checks that the API's description, and what API Gateway gets of it, are valid OpenAPI.

Takes no input; run it from the repository's root, with the Python that has openapi-spec-validator.
"""

import sys
from pathlib import Path

import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

FILES = ("infra/openapi.yaml", "infra/api-gateway.yaml")


def main() -> int:
    wrong = 0
    for file in FILES:
        errors = list(OpenAPIV30SpecValidator(yaml.safe_load(Path(file).read_text())).iter_errors())
        print(f"{file}: {'valid' if not errors else ''}")
        for error in errors:
            wrong += 1
            print(f"  {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
