"""Pairings after staging: answers, check-ins, questions, their health."""
