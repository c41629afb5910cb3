"""The deployed stack: what it is made of, and the calls that AWS, not a user, would make of it."""

import json
import os

import boto3

from .steps import wait_for


class Stack:
    def __init__(self, name):
        self.name = name
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
    def api_host(self):
        """The API's name at the emulator, which is not where AWS would have it."""
        return f"{self.resources['Api']['PhysicalResourceId']}.execute-api.localhost"

    @property
    def api_stage(self):
        return self.outputs["ApiUrl"].rsplit("/", 1)[-1]

    @property
    def endpoint(self):
        return os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")

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
        listed = self.scheduler.list_schedules(GroupName=group)["Schedules"]
        return [self.scheduler.get_schedule(GroupName=group, Name=one["Name"]) for one in listed]

    def schedules_of(self, project):
        return [s for s in self.schedules() if json.loads(s["Target"]["Input"])["project"] == project]

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
        """Waits until a queue has no message, in sight or in hand."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.outputs[queue]
        wait_for(
            f"{queue} is empty",
            lambda: self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"],
            lambda counted: all(count == "0" for count in counted.values()),
        )

    def deaths(self):
        """How often functions that were built to die said that they do."""
        groups = self.logs.describe_log_groups(logGroupNamePrefix=f"/tidemill/{self.name}/")["logGroups"]
        lines = [self.logs.filter_log_events(logGroupName=group["logGroupName"])["events"] for group in groups]
        return sum("the process dies" in line["message"] for events in lines for line in events)
