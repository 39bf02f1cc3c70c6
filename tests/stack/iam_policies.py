"""The templates of deploy/iam make the roles that `cloudtrail-exporter iam-policy` prints, in three
partitions, on moto; and what they allow, asked as an attacker would, of a simulator of IAM."""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile

import boto3

from stack import BIN, EXPORTER, ROOT, moto

HUB = "123456789012"  # moto's own account
ORGANIZATION = "o-exampleorgid"
EXTERNAL_ID = "an-external-id"
MEMBER_ROLE = "audit/cloudtrail-exporter-read"
PROVIDER = "oidc.eks.example.com/id/0123456789ABCDEF"
PARTITIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
PLATFORMS = ["eks-irsa", "eks-pod-identity", "ecs", "ec2"]
CONFIG = """
aws: {{ region: {region} }}
defaults: {{ role_name: {member}, external_id: {external} }}
accounts: [{{ name: here, ambient: true }}]
discovery:
  organizations: {{ enabled: true, role_arn: "{discovery}" }}
"""


def printed(partition, region, discovery, platform):
    """The documents that the program prints, by title, with the placeholders filled in."""
    config = CONFIG.format(region=region, member=MEMBER_ROLE, external=EXTERNAL_ID, discovery=discovery)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(config)
        file.flush()
        command = [EXPORTER, "iam-policy", f"--config.file={file.name}", f"--platform={platform}"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    filled = {
        "HUB-ACCOUNT-ID": HUB,
        "HUB-ROLE-NAME": "exporters/cloudtrail-exporter",
        "ORGANIZATION-ID": ORGANIZATION,
        "EXTERNAL-ID": EXTERNAL_ID,
        "OIDC-PROVIDER": PROVIDER,
        "NAMESPACE:SERVICE-ACCOUNT": "monitoring:cloudtrail-exporter",
        "CLUSTER-NAME": "tools",
        "REGION": region,
    }
    for placeholder, value in filled.items():
        text = text.replace(placeholder, value)
    assert not re.search(r'"[^"]*[A-Z]+-[A-Z]+', text.replace(PROVIDER, "")), f"a placeholder is left: {text}"
    parts = re.split(r"^# (.*)\n", text, flags=re.MULTILINE)[1:]
    return {title: json.loads(body) for title, body in zip(parts[::2], parts[1::2])}


def one(documents, beginning):
    """The one document whose title begins so."""
    hits = [document for title, document in documents.items() if title.startswith(beginning)]
    assert len(hits) == 1, f"{beginning}: {list(documents)}"
    return hits[0]


class Cloud:
    """CloudFormation and IAM of one Region, called in this process: a CLI for each call would take minutes."""

    def __init__(self, endpoint, region, partition="aws"):
        self.partition = partition
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = lambda service: boto3.client(service, region_name=region, endpoint_url=endpoint, **keys)
        self.stacks, self.iam = client("cloudformation"), client("iam")

    def deploy(self, stack, template, **parameters):
        """Creates a stack of a template of deploy/iam."""
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        body = (ROOT / f"deploy/iam/{template}.yaml").read_text("utf-8")
        # moto takes every partition for aws.
        body = body.replace("${AWS::Partition}", self.partition)
        self.stacks.create_stack(StackName=stack, TemplateBody=body, Parameters=parameters, Capabilities=["CAPABILITY_NAMED_IAM"])
        status = self.stacks.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        assert status == "CREATE_COMPLETE", status

    def made(self, name):
        """A role as it was made, with its trust and its one policy."""
        role = self.iam.get_role(RoleName=name)["Role"]
        policies = self.iam.list_role_policies(RoleName=name)["PolicyNames"]
        assert len(policies) == 1, policies
        policy = self.iam.get_role_policy(RoleName=name, PolicyName=policies[0])["PolicyDocument"]
        return role, document(role["AssumeRolePolicyDocument"]), document(policy)


def document(policy):
    """A policy of a role; moto gives one written inside a template as Python writes it, and leaves a
    nothing where AWS::NoValue stands in a list."""
    policy = ast.literal_eval(policy) if isinstance(policy, str) else policy
    return policy | {"Statement": [statement for statement in policy["Statement"] if statement]}


def same(what, made, printed):
    """Both say the same: the same statements, apart from their order."""
    normal = lambda document: json.dumps(sorted(document["Statement"], key=lambda s: s["Sid"]), sort_keys=True)
    assert normal(made) == normal(printed), f"{what}\nmade    {normal(made)}\nprinted {normal(printed)}"


def bounded(role, partition, path):
    """A role has its path, its boundary, its tag and an ARN of its partition."""
    boundary = f"arn:{partition}:iam::{HUB}:policy/bounds/reading"
    assert role["Path"] == path, role
    assert role["Arn"].startswith(f"arn:{partition}:iam::{HUB}:role{path}"), role
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary, role
    assert {"Key": "application", "Value": "cloudtrail-exporter"} in role["Tags"], role


def judge_partition(endpoint, partition, region):
    """Deploys every template in a partition; the documents of the roles that came of it."""
    aws = Cloud(endpoint, region, partition)
    boundary = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    aws.iam.create_policy(PolicyName="reading", Path="/bounds/", PolicyDocument=json.dumps(boundary))
    bounds = {"PermissionsBoundaryName": "bounds/reading"}
    hub = {"HubAccountId": HUB, "HubRoleName": "exporters/cloudtrail-exporter", "OrganizationId": ORGANIZATION, "ExternalId": EXTERNAL_ID}
    discovery = f"arn:{partition}:iam::{HUB}:role/audit/cloudtrail-exporter-discovery"
    aws.deploy("discovery", "discovery-role", RolePath="/audit/", **hub, **bounds)
    aws.deploy("member", "member-role.stackset", RolePath="/audit/", **hub, **bounds)
    roles = {}
    for name in ("discovery", "read"):
        role, trust, policy = aws.made(f"cloudtrail-exporter-{name}")
        bounded(role, partition, "/audit/")
        roles[name] = {"arn": role["Arn"], "trust": trust, "policy": policy}
    for platform in PLATFORMS:
        name = f"exporter-{platform}"
        aws.deploy(name, "hub-role", Platform=platform, RoleName=name, RolePath="/exporters/", MemberRoleName=MEMBER_ROLE,
               DiscoveryRoleArn=discovery, OidcProvider=PROVIDER, ClusterName="tools", **bounds)
        role, trust, policy = aws.made(name)
        bounded(role, partition, "/exporters/")
        documents = printed(partition, region, discovery, platform)
        same(f"{partition} {platform} permissions", policy, one(documents, "Permissions policy of the exporter's"))
        same(f"{partition} {platform} trust", trust, one(documents, "Trust policy of the exporter's"))
        roles[platform] = {"arn": role["Arn"], "trust": trust, "policy": policy}
    same(f"{partition} member permissions", roles["read"]["policy"], one(documents, "Permissions policy of the role in each"))
    same(f"{partition} member trust", roles["read"]["trust"], one(documents, "Trust policy of the role in each"))
    same(f"{partition} discovery permissions", roles["discovery"]["policy"], one(documents, f"Permissions policy of {discovery}"))
    same(f"{partition} discovery trust", roles["discovery"]["trust"], one(documents, f"Trust policy of {discovery}"))
    profiles = aws.iam.list_instance_profiles()["InstanceProfiles"]
    assert [p["Roles"][0]["RoleName"] for p in profiles] == ["exporter-ec2"], profiles
    return {"partition": partition, "region": region, "roles": roles}


def judge_scopes(endpoint):
    """What the parameters leave out is left out: one account, no discovery role, no external ID."""
    aws = Cloud(endpoint, "eu-west-1")
    sids = lambda policy: [statement["Sid"] for statement in policy["Statement"]]
    aws.deploy("one", "hub-role", Platform="ec2", Scope="account", RoleName="one")
    assert sids(aws.made("one")[2]) == ["ReadTrails"]
    aws.deploy("itself", "hub-role", Platform="ecs", RoleName="itself")
    assert sids(aws.made("itself")[2]) == ["ReadTrails", "AssumeDiscoveredRoles", "ListAccounts"]
    aws.deploy("plain", "member-role.stackset", RoleName="plain", HubAccountId=HUB)
    role, trust, _ = aws.made("plain")
    assert "Condition" not in trust["Statement"][0], trust
    assert "PermissionsBoundary" not in role, role


def main():
    server, endpoint = moto()
    with server:
        partitions = [judge_partition(endpoint, *names) for names in PARTITIONS.items()]
        judge_scopes(endpoint)
    print(f"{len(PARTITIONS)} partitions x {len(PLATFORMS) + 2} roles are as printed")
    modules = os.environ.get("NODE_MODULES", BIN.parents[1] / "node/node_modules")
    question = {"hub": HUB, "organization": ORGANIZATION, "externalId": EXTERNAL_ID, "provider": PROVIDER, "partitions": partitions}
    asked = subprocess.run(["node", ROOT / "tests/stack/iam_attacks.mjs", modules], input=json.dumps(question), text=True)
    return asked.returncode


if __name__ == "__main__":
    sys.exit(main())
