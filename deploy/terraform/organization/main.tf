# All roles of an organization: the exporter's own with the provider aws.hub, the others with aws, that
# of the management account. A StackSet makes the reading role in every other account, new ones included.

data "aws_organizations_organization" "this" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

data "aws_caller_identity" "hub" {
  provider = aws.hub
}

locals {
  management  = data.aws_organizations_organization.this.master_account_id
  listing_arn = "arn:${data.aws_partition.current.partition}:iam::${local.management}:role/cloudtrail-exporter-discovery"
}

module "hub_role" {
  source = "../hub-role"
  providers = {
    aws = aws.hub
  }

  platform           = var.platform
  discovery_role_arn = local.listing_arn
  oidc_provider      = var.oidc_provider
  cluster_name       = var.cluster_name
}

module "discovery_role" {
  source     = "../discovery-role"
  depends_on = [module.hub_role]

  hub_account_id  = data.aws_caller_identity.hub.account_id
  hub_role_name   = module.hub_role.role_name
  organization_id = data.aws_organizations_organization.this.id
  external_id     = var.external_id
}

# A StackSet does not reach the management account.
module "management_role" {
  source     = "../member-role"
  depends_on = [module.hub_role]

  hub_account_id  = data.aws_caller_identity.hub.account_id
  hub_role_name   = module.hub_role.role_name
  organization_id = data.aws_organizations_organization.this.id
  external_id     = var.external_id
}

resource "aws_cloudformation_stack_set" "read" {
  name             = "cloudtrail-exporter-read"
  permission_model = "SERVICE_MANAGED"
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = file("${path.module}/../../iam/member-role.stackset.yaml")
  depends_on       = [module.hub_role]

  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }

  parameters = {
    HubAccountId   = data.aws_caller_identity.hub.account_id
    HubRoleName    = module.hub_role.role_name
    OrganizationId = data.aws_organizations_organization.this.id
    ExternalId     = var.external_id
  }

  lifecycle {
    ignore_changes = [administration_role_arn]
  }
}

resource "aws_cloudformation_stack_set_instance" "read" {
  stack_set_name            = aws_cloudformation_stack_set.read.name
  stack_set_instance_region = data.aws_region.current.name

  deployment_targets {
    organizational_unit_ids = [data.aws_organizations_organization.this.roots[0].id]
  }
}

output "discovery_role_arn" {
  description = "discovery.organizations.role_arn of the configuration"
  value       = module.discovery_role.role_arn
}

output "exporter_role_arn" {
  description = "The role the exporter runs as"
  value       = module.hub_role.role_arn
}
