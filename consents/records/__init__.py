"""What is signed: purposes, bodies, leaves, their chain, and what a chain permits."""
