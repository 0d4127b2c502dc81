"""What commands answer: the JSON documents of the contract, and the sentences beside them."""
