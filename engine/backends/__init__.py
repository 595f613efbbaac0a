"""The stores behind the contract, one folder each."""
