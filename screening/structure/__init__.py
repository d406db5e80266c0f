"""The structure of a protocol's text: criteria, their order and what stands under what."""
