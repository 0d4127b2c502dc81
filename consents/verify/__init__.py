"""The offline checks: files and trusted keys in, a verdict and sentences out."""
