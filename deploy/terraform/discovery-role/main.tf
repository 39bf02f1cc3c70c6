# The role that lists the organization, in the management account or a delegated administrator's.

data "aws_partition" "current" {}

module "policies" {
  source = "../policies"

  partition       = data.aws_partition.current.partition
  hub_account_id  = var.hub_account_id
  hub_role_name   = var.hub_role_name
  organization_id = var.organization_id
  external_id     = var.external_id
}

resource "aws_iam_role" "this" {
  name                 = var.role_name
  path                 = var.role_path
  description          = "Lets cloudtrail-exporter list the accounts of the organization"
  assume_role_policy   = module.policies.trust
  permissions_boundary = var.permissions_boundary_arn
  tags                 = merge({ application = "cloudtrail-exporter" }, var.tags)
}

resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_355: the calls of Organizations know no resource
  name   = "list-accounts"
  role   = aws_iam_role.this.id
  policy = module.policies.discovery_permissions
}

output "role_arn" {
  description = "The role"
  value       = aws_iam_role.this.arn
}
