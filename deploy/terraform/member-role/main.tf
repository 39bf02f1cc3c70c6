# The role in one account.

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
  description          = "Lets cloudtrail-exporter read which CloudTrail trails record this account"
  assume_role_policy   = module.policies.trust
  permissions_boundary = var.permissions_boundary_arn
  tags                 = merge({ application = "cloudtrail-exporter" }, var.tags)
}

resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_355: the trails are not known before; an organization's carry another account's ARN
  name   = "read-trails"
  role   = aws_iam_role.this.id
  policy = module.policies.member_permissions
}

output "role_arn" {
  description = "The role"
  value       = aws_iam_role.this.arn
}
