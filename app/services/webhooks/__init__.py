"""Addresses of other programs; sending to them is background work."""
