"""Gives the emulator what it does not read out of an API's description: `python -m proof.emulator STACK`.

It reads no `x-amazon-apigateway-any-method`, and of an integration no answers. AWS does; here the calls that would make them are sent.
"""

import sys
from pathlib import Path

import boto3
from samtranslator.yaml_helper import yaml_parse

from .stack import Stack


def main():
    api = Stack(sys.argv[1]).resources["Api"]["PhysicalResourceId"]
    gateway = boto3.client("apigateway")
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api)
    resources = {one["path"]: one["id"] for page in pages for one in page["items"]}
    for path, item in yaml_parse(Path("infra/api-gateway.yaml").read_text())["paths"].items():
        method = item["x-amazon-apigateway-any-method"]
        any_method = {"restApiId": api, "resourceId": resources[path], "httpMethod": "ANY"}
        integration = method["x-amazon-apigateway-integration"]
        answer = integration["responses"]["default"]
        gateway.put_method(**any_method, authorizationType="NONE")
        gateway.put_integration(**any_method, type="MOCK", requestTemplates=integration["requestTemplates"])
        gateway.put_integration_response(
            **any_method,
            statusCode=answer["statusCode"],
            responseParameters=answer.get("responseParameters", {}),
            responseTemplates=answer["responseTemplates"],
        )


main()
