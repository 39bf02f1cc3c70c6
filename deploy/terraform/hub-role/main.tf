# The role the exporter runs as.

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

module "policies" {
  source = "../policies"

  partition          = data.aws_partition.current.partition
  region             = coalesce(var.region, data.aws_region.current.name)
  hub_account_id     = data.aws_caller_identity.current.account_id
  platform           = var.platform
  scope              = var.scope
  member_role_name   = var.member_role_name
  discovery_role_arn = var.discovery_role_arn
  oidc_provider      = var.oidc_provider
  namespace          = var.namespace
  service_account    = var.service_account
  cluster_name       = var.cluster_name
}

resource "aws_iam_role" "this" {
  name                 = var.role_name
  path                 = var.role_path
  description          = "The role cloudtrail-exporter runs as"
  assume_role_policy   = module.policies.hub_trust
  permissions_boundary = var.permissions_boundary_arn
  tags                 = merge({ application = "cloudtrail-exporter" }, var.tags)
}

resource "aws_iam_role_policy" "this" {
  name   = "cloudtrail-exporter"
  role   = aws_iam_role.this.id
  policy = module.policies.hub_permissions
}

resource "aws_iam_instance_profile" "this" {
  count = var.platform == "ec2" ? 1 : 0
  name  = var.role_name
  path  = var.role_path
  role  = aws_iam_role.this.name
  tags  = merge({ application = "cloudtrail-exporter" }, var.tags)
}

output "role_arn" {
  description = "The role, for the service account, the task definition or the trust of members"
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "The name of the role with its path, for the other modules' hub_role_name"
  value       = trimprefix("${var.role_path}${var.role_name}", "/")
}
