variable "partition" {
  description = "The partition: aws, aws-us-gov, aws-cn"
  type        = string
}

variable "region" {
  description = "The Region of the cluster or task"
  type        = string
  default     = ""
}

variable "platform" {
  description = "Where the exporter runs: eks-irsa, eks-pod-identity, ecs, ec2"
  type        = string
  default     = "ec2"

  validation {
    condition     = contains(["eks-irsa", "eks-pod-identity", "ecs", "ec2"], var.platform)
    error_message = "It is eks-irsa, eks-pod-identity, ecs or ec2."
  }
}

variable "scope" {
  description = "What the exporter reads: its own account, or the organization"
  type        = string
  default     = "organization"

  validation {
    condition     = contains(["account", "organization"], var.scope)
    error_message = "It is account or organization."
  }
}

variable "hub_account_id" {
  description = "The account the exporter runs in"
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.hub_account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "hub_role_name" {
  description = "The exporter's role with its path, without a leading slash"
  type        = string
  default     = "cloudtrail-exporter"
}

variable "member_role_name" {
  description = "The role in each account with its path, without a leading slash: defaults.role_name"
  type        = string
  default     = "cloudtrail-exporter-read"
}

variable "discovery_role_arn" {
  description = "The role that lists the organization; empty if the exporter's own lists it"
  type        = string
  default     = ""
}

variable "organization_id" {
  description = "The organization that the exporter has to belong to; empty for none"
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(|o-[a-z0-9]{10,32})$", var.organization_id))
    error_message = "An organization id begins with o-."
  }
}

variable "external_id" {
  description = "What trust policies ask for; empty for none"
  type        = string
  default     = ""
  sensitive   = true
}

variable "oidc_provider" {
  description = "For eks-irsa, the issuer of the cluster without https://"
  type        = string
  default     = ""

  validation {
    condition     = var.platform != "eks-irsa" || can(regex("^[a-z0-9.-]+/id/[A-Za-z0-9]+$", var.oidc_provider))
    error_message = "eks-irsa needs oidc_provider, without https://."
  }
}

variable "namespace" {
  description = "For eks-irsa, the namespace of the service account"
  type        = string
  default     = "monitoring"
}

variable "service_account" {
  description = "For eks-irsa, the name of the service account"
  type        = string
  default     = "cloudtrail-exporter"
}

variable "cluster_name" {
  description = "For eks-pod-identity, the name of the cluster"
  type        = string
  default     = ""

  validation {
    condition     = var.platform != "eks-pod-identity" || var.cluster_name != ""
    error_message = "eks-pod-identity needs cluster_name."
  }
}
