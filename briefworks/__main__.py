"""`python -m briefworks` is the command line."""

from briefworks.cli import main

if __name__ == "__main__":
    main()
