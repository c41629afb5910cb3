"""Sums what a stack costs each month while no one uses it, from the template, and compares it with what README.md and docs/aws.md say.

Takes no input; run it from the repository's root, with the Python that has aws-sam-translator. Prints a line for each cost. Dollars of
us-east-1, November 2026, list prices without free tiers.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from stack import Stack

MINUTES = 60 * 24 * 30
MILLION = 1_000_000
LIMIT = 2.50

# Dollars for one. Each line: https://aws.amazon.com/<its key>/pricing/
KMS_KEY_MONTH = 1.00  # kms; in the second and third year, each of the first two rotations adds as much
KMS_REQUEST = 0.03 / 10_000  # kms
ALARM_MONTH = 0.10  # cloudwatch, of a metric by the minute
DASHBOARD_MONTH = 3.00  # cloudwatch
SQS_STANDARD_REQUEST = 0.40 / MILLION  # sqs
SQS_FIFO_REQUEST = 0.50 / MILLION  # sqs
FIRING = 1.00 / MILLION  # eventbridge, the part on Scheduler
INVOCATION = 0.20 / MILLION  # lambda
GB_SECOND = 13.3334 / MILLION  # lambda, arm64
READ_UNIT = 0.125 / MILLION  # dynamodb, on demand

# Lambda looks into a queue with five pollers, of which each waits 20 s. On a quiet standard queue two are left, unless there is a limit
# of what may run at once: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html. Of FIFO queues that is not said,
# so five are counted.
POLLS_A_MINUTE = 3
POLLERS, POLLERS_OF_QUIET = 5, 2
# Of a sweep that finds nothing, as benches/cost.rs counts and prices it, rounded up.
SWEEP_SECONDS = 0.2
SWEEP_READ_UNITS = 10
# DynamoDB asks for the table's key once in so many minutes of use:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
KEY_IS_KEPT_MINUTES = 5

# What costs by use alone, or nothing, or is the account's in any case.
FREE = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Budgets::Budget",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::Route53::RecordSet",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::WAFv2::WebACLAssociation",
}


def polling(stack: Stack) -> Iterator[tuple[str, float]]:
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        properties = mapping["Properties"]
        name = properties["EventSourceArn"]["Fn::GetAtt"][0]
        is_fifo = stack.resources[name]["Properties"].get("FifoQueue", False)
        pollers = POLLERS if is_fifo or "ScalingConfig" in properties else POLLERS_OF_QUIET
        price = SQS_FIFO_REQUEST if is_fifo else SQS_STANDARD_REQUEST
        yield f"looking into `{name}`, {pollers} pollers", pollers * POLLS_A_MINUTE * MINUTES * price


def sweeps(stack: Stack) -> Iterator[tuple[str, float]]:
    for schedule in stack.of_type("AWS::Scheduler::Schedule").values():
        properties = schedule["Properties"]
        if properties["ScheduleExpression"] != "rate(1 minute)":
            raise ValueError(properties["ScheduleExpression"])
        function = stack.resources[properties["Target"]["Arn"]["Fn::GetAtt"][0]]["Properties"]
        seconds = SWEEP_SECONDS * function["MemorySize"] / 1024
        of_one = FIRING + INVOCATION + seconds * GB_SECOND + SWEEP_READ_UNITS * READ_UNIT + KMS_REQUEST / KEY_IS_KEPT_MINUTES
        yield f"a call of `{function['Handler']}` each minute", of_one * MINUTES


def costs(stack: Stack) -> Iterator[tuple[str, float]]:
    """What each part costs a month, in dollars.

    Raises ValueError at a resource of a type whose price is not known here.
    """
    unknown = {one["Type"] for one in stack.resources.values()} - FREE - PRICED
    if unknown:
        raise ValueError(f"what does it cost while idle? {sorted(unknown)}")
    for what, kind, price in FIXED:
        if count := len(stack.of_type(kind)):
            yield f"{count} {what}{'s' if count > 1 else ''}", count * price
    yield from polling(stack)
    yield from sweeps(stack)


FIXED = [
    ("key", "AWS::KMS::Key", KMS_KEY_MONTH),
    ("alarm", "AWS::CloudWatch::Alarm", ALARM_MONTH),
    ("dashboard", "AWS::CloudWatch::Dashboard", DASHBOARD_MONTH),
]
PRICED = {kind for _, kind, _ in FIXED} | {"AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule"}


def total(values: dict[str, str]) -> float:
    print(f"\n{' '.join(f'{name}={value}' for name, value in values.items()) or 'as it is'}")
    lines = list(costs(Stack(values)))
    for what, dollars in lines:
        print(f"{dollars:8.3f}  {what}")
    together = sum(dollars for _, dollars in lines)
    print(f"{together:8.2f}  together")
    return together


def main() -> int:
    idle = total({})
    alarms = total({"AlarmEmail": "ops@example.com"}) - idle
    dashboard = total({"AlarmEmail": "ops@example.com", "Dashboard": "true"}) - idle - alarms
    wrong = [f"an idle stack costs ${idle:.2f}, more than ${LIMIT:.2f}"] if idle > LIMIT else []
    said = {
        "README.md": [f"${idle:.2f} a month"],
        "docs/aws.md": [f"${idle:.2f} a month", f"${alarms:.2f} for the alarms", f"${dashboard:.2f} for the dashboard"],
    }
    for page, phrases in said.items():
        text = " ".join(Path(page).read_text().split())
        wrong += [f"{page} does not say `{phrase}`" for phrase in phrases if phrase not in text]
    print("", *wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
