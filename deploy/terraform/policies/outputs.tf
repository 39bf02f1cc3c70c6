output "hub_permissions" {
  description = "What the exporter's own role may do"
  value       = "{\"Version\":\"2012-10-17\",\"Statement\":[${join(",", local.hub_statements)}]}"
}

output "hub_trust" {
  description = "Who may become the exporter's own role"
  value       = "{\"Version\":\"2012-10-17\",\"Statement\":[${local.hub_trusts[var.platform]}]}"
}

output "member_permissions" {
  description = "What the role in each account may do"
  value       = jsonencode({ Version = "2012-10-17", Statement = [local.read_trails] })
}

output "discovery_permissions" {
  description = "What the role that lists the organization may do"
  value       = jsonencode({ Version = "2012-10-17", Statement = [local.list_accounts] })
}

output "trust" {
  description = "Who may assume the two roles: the exporter"
  value       = jsonencode({ Version = "2012-10-17", Statement = [local.trust_hub] })
  sensitive   = true
}
