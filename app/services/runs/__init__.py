"""Computations of a round: started, followed, sealed; knows no decision."""
