"""Comparison with baselines, ablations and checks on public data."""
