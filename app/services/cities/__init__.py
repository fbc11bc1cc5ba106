"""Profiles of cities and their contacts; knows no round."""
