"""Posts at work: held against the facts that are hot, counted, told of."""
