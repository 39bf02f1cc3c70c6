variable "hub_account_id" {
  description = "The account the exporter runs in"
  type        = string
}

variable "hub_role_name" {
  description = "The exporter's role with its path, without a leading slash; it has to exist"
  type        = string
  default     = "cloudtrail-exporter"
}

variable "organization_id" {
  description = "The organization, which the exporter has to belong to"
  type        = string
}

variable "external_id" {
  description = "What the trust policy asks for; empty for none"
  type        = string
  default     = ""
  sensitive   = true
}

variable "role_name" {
  description = "The name of the role"
  type        = string
  default     = "cloudtrail-exporter-discovery"
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
