"""The dashboards, as Python. words: what is said in which colour; promql: queries; board: variables, panels, layout; then one module a dashboard."""
