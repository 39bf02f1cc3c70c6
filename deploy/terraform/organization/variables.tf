variable "platform" {
  description = "Where the exporter runs: eks-irsa, eks-pod-identity, ecs, ec2"
  type        = string
}

variable "oidc_provider" {
  description = "For eks-irsa, the issuer of the cluster without https://"
  type        = string
  default     = ""
}

variable "cluster_name" {
  description = "For eks-pod-identity, the name of the cluster"
  type        = string
  default     = ""
}

variable "external_id" {
  description = "What trust policies ask for: openssl rand -hex 16"
  type        = string
  sensitive   = true
}
