variable "platform" {
  description = "Where the exporter runs: eks-irsa, eks-pod-identity, ecs, ec2"
  type        = string
}

variable "scope" {
  description = "What the exporter reads: its own account, or the organization"
  type        = string
  default     = "organization"
}

variable "region" {
  description = "The Region of the cluster or task; the provider's if null"
  type        = string
  default     = null
}

variable "member_role_name" {
  description = "The role in each account with its path, without a leading slash: defaults.role_name"
  type        = string
  default     = "cloudtrail-exporter-read"
}

variable "discovery_role_arn" {
  description = "The role that lists the organization; empty if this account lists it itself"
  type        = string
  default     = ""
}

variable "oidc_provider" {
  description = "For eks-irsa, the issuer of the cluster without https://"
  type        = string
  default     = ""
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
}

variable "role_name" {
  description = "The name of the role"
  type        = string
  default     = "cloudtrail-exporter"
}

variable "role_path" {
  description = "The path of the role, between slashes"
  type        = string
  default     = "/"
}

variable "permissions_boundary_arn" {
  description = "The policy that bounds the role; null for none"
  type        = string
  default     = null
}

variable "tags" {
  description = "Further tags of the role"
  type        = map(string)
  default     = {}
}
