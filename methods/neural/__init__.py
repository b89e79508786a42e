"""Neural methods: small networks whose replicates train as one stack, and the table encoder that feeds them."""
