"""Makes the bucket that code is uploaded to: `python -m proof.bucket NAME`."""

import os
import sys

import boto3

if __name__ == "__main__":
    where = {"LocationConstraint": os.environ["AWS_REGION"]}
    s3 = boto3.client("s3")
    if sys.argv[1] not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=sys.argv[1], CreateBucketConfiguration=where)
