"""The resident's shell: gathers mobility data, computes the footprint, decides what leaves."""
