"""What leaves the machine: mail, calls to checked addresses, identity providers."""
