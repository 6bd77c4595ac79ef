"""Stream stores, one file each; all keep the contract of `briefworks.stream.Store`."""
