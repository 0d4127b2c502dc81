"""STEP 1: one module per source, each turning what people have into positionfixes."""
