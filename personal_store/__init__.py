"""The resident's shell: gathers mobility data, computes trips and footprint, decides what leaves."""
