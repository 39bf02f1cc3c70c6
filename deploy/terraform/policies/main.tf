# The documents of the three roles, as `cloudtrail-exporter iam-policy` prints them. No provider is
# needed, so that a test can apply this and compare.

locals {
  hub_arn    = "arn:${var.partition}:iam::${var.hub_account_id}:role/${var.hub_role_name}"
  account_id = var.hub_account_id

  read_trails = {
    Sid    = "ReadTrails"
    Effect = "Allow"
    Action = [
      "cloudtrail:DescribeTrails",
      "cloudtrail:GetTrailStatus",
      "cloudtrail:GetEventSelectors",
    ]
    Resource = ["*"]
  }
  list_accounts = {
    Sid    = "ListAccounts"
    Effect = "Allow"
    Action = [
      "organizations:ListAccounts",
      "organizations:ListAccountsForParent",
      "organizations:ListOrganizationalUnitsForParent",
    ]
    Resource = ["*"]
  }
  assume_discovered = {
    Sid       = "AssumeDiscoveredRoles"
    Effect    = "Allow"
    Action    = ["sts:AssumeRole"]
    Resource  = ["arn:${var.partition}:iam::*:role/${var.member_role_name}"]
    Condition = { StringEquals = { "aws:ResourceOrgID" = "$${aws:PrincipalOrgID}" } }
  }
  assume_discovery = {
    Sid      = "AssumeReadingRoles"
    Effect   = "Allow"
    Action   = ["sts:AssumeRole"]
    Resource = [var.discovery_role_arn]
  }

  # As texts, since the statements are not of one type.
  hub_statements = concat(
    [jsonencode(local.read_trails)],
    var.scope == "organization" ? [jsonencode(local.assume_discovered)] : [],
    var.scope == "organization" && var.discovery_role_arn == "" ? [jsonencode(local.list_accounts)] : [],
    var.scope == "organization" && var.discovery_role_arn != "" ? [jsonencode(local.assume_discovery)] : [],
  )

  own_account = { "aws:SourceAccount" = local.account_id }
  hub_trusts = {
    "eks-irsa" = jsonencode({
      Sid    = "TrustTheServiceAccount"
      Effect = "Allow"
      Principal = {
        Federated = "arn:${var.partition}:iam::${local.account_id}:oidc-provider/${var.oidc_provider}"
      }
      Action = ["sts:AssumeRoleWithWebIdentity"]
      Condition = {
        StringEquals = {
          "${var.oidc_provider}:aud" = "sts.amazonaws.com"
          "${var.oidc_provider}:sub" = "system:serviceaccount:${var.namespace}:${var.service_account}"
        }
      }
    })
    "eks-pod-identity" = jsonencode({
      Sid       = "TrustPodIdentity"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        ArnLike = {
          "aws:SourceArn" = "arn:${var.partition}:eks:${var.region}:${local.account_id}:cluster/${var.cluster_name}"
        }
        StringEquals = local.own_account
      }
    })
    "ecs" = jsonencode({
      Sid       = "TrustTasks"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
      Condition = {
        ArnLike = {
          "aws:SourceArn" = "arn:${var.partition}:ecs:${var.region}:${local.account_id}:*"
        }
        StringEquals = local.own_account
      }
    })
    "ec2" = jsonencode({
      Sid       = "TrustInstances"
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
    })
  }

  asked = merge(
    var.organization_id == "" ? {} : { "aws:PrincipalOrgID" = var.organization_id },
    var.external_id == "" ? {} : { "sts:ExternalId" = var.external_id },
  )
  trust_hub = merge(
    {
      Sid       = "TrustTheExporter"
      Effect    = "Allow"
      Principal = { AWS = local.hub_arn }
      Action    = ["sts:AssumeRole"]
    },
    length(local.asked) == 0 ? {} : { Condition = { StringEquals = local.asked } },
  )
}
