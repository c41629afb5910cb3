"""The deployed stack: what it is made of, where it answers, and the calls that AWS, not a user, would make of it.

It is at the emulator if `AWS_ENDPOINT_URL` is set, and otherwise in an account.
"""

import json
import os
from urllib.parse import urlsplit

import boto3

from .steps import wait_for


class Stack:
    def __init__(self, name, prefix=""):
        """`prefix` begins the names of the proof's owners, so that they are no one else's."""
        self.name = name
        self.prefix = prefix
        self.scheduler = boto3.client("scheduler")
        self.sqs = boto3.client("sqs")
        self.lambda_ = boto3.client("lambda")
        self.logs = boto3.client("logs")
        self.dynamodb = boto3.client("dynamodb")
        cloudformation = boto3.client("cloudformation")
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]}
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        self.resources = {r["LogicalResourceId"]: r for page in pages for r in page["StackResourceSummaries"]}

    @property
    def emulator(self):
        """Where the emulator listens, e.g. `http://127.0.0.1:4566`; None in an account."""
        return os.environ.get("AWS_ENDPOINT_URL")

    @property
    def api(self):
        """Where the API answers, and the header `Host` that it asks for: at the emulator, its name is not that of its address."""
        url = urlsplit(self.outputs["ApiUrl"])
        if not self.emulator:
            return url, url.netloc
        host = f"{self.resources['Api']['PhysicalResourceId']}.execute-api.localhost"
        return urlsplit(f"{self.emulator}/{url.path.rsplit('/', 1)[-1]}"), host

    @property
    def sockets(self):
        """Where RocketRide's clients connect: a URL, and their `ws_path`. The emulator has the API under a path of its own address."""
        url = urlsplit(self.outputs["SocketUrl"])
        if not self.emulator:
            return f"https://{url.hostname}:443", url.path
        api = self.resources["SocketApi"]["PhysicalResourceId"]
        return self.emulator, f"/_aws/execute-api/{api}{url.path}"

    def owner(self, name):
        return self.prefix + name

    def arn(self, queue):
        """The ARN of a queue, by the output with its URL."""
        asked = self.sqs.get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=["QueueArn"])
        return asked["Attributes"]["QueueArn"]

    def items(self):
        """All items of the table."""
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.outputs["TableName"]):
            yield from page["Items"]

    def function(self, name):
        """The physical name of the function of an operation."""
        logical = "".join(part.capitalize() for part in name.split("_")) + "Function"
        return self.resources[logical]["PhysicalResourceId"]

    def invoke(self, name, payload):
        """Calls a function with AWS credentials, as `aws lambda invoke` does: its answer, and whether it failed."""
        answer = self.lambda_.invoke(FunctionName=self.function(name), Payload=json.dumps(payload).encode())
        return json.loads(answer["Payload"].read() or b"null"), "FunctionError" in answer

    def schedules(self):
        """The schedules of deployments, whole."""
        group = self.outputs["ScheduleGroupName"]
        pages = self.scheduler.get_paginator("list_schedules").paginate(GroupName=group)
        names = [one["Name"] for page in pages for one in page["Schedules"]]
        return [self.scheduler.get_schedule(GroupName=group, Name=name) for name in names]

    def schedules_of(self, project):
        """Those of the proof's own owners."""
        inputs = [(schedule, json.loads(schedule["Target"]["Input"])) for schedule in self.schedules()]
        return [s for s, given in inputs if given["project"] == project and given["owner"].startswith(self.prefix)]

    def fire(self, project, minute):
        """Sends what the project's schedules send for a due minute.

        The emulator's own Scheduler leaves `<aws.scheduler.scheduled-time>` as it stands, so that its queue drops the
        second minute as a copy of the first. AWS puts the time in, and that is what is sent here.
        <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>
        """
        for schedule in self.schedules_of(project):
            target = schedule["Target"]
            self.sqs.send_message(
                QueueUrl=self.outputs["TicksQueueUrl"],
                MessageGroupId=target["SqsParameters"]["MessageGroupId"],
                MessageBody=target["Input"].replace("<aws.scheduler.scheduled-time>", minute),
            )

    def ring(self, body, group, deduplication):
        """Sends a bell to the queue of ticks under another deduplication id, as a bell that SQS delivers twice."""
        self.sqs.send_message(
            QueueUrl=self.outputs["TicksQueueUrl"],
            MessageGroupId=group,
            MessageBody=body,
            MessageDeduplicationId=deduplication,
        )

    def wait_until_empty(self, queue):
        """Waits until a queue has no message, in sight or in hand: at AWS for some looks, whose numbers are late."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url, looks = self.outputs[queue], []

        def is_empty(counted):
            looks.append(all(count == "0" for count in counted.values()))
            return all(looks[-self.looks :]) and len(looks) >= self.looks

        wait_for(
            f"{queue} is empty",
            lambda: self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"],
            is_empty,
        )

    @property
    def looks(self):
        return 1 if self.emulator else 100

    def deaths(self):
        """How often functions that were built to die said that they do."""
        groups = self.logs.describe_log_groups(logGroupNamePrefix=f"/tidemill/{self.name}/")["logGroups"]
        lines = [self.logs.filter_log_events(logGroupName=group["logGroupName"])["events"] for group in groups]
        return sum("the process dies" in line["message"] for events in lines for line in events)
