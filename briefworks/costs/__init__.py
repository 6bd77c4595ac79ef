"""What articles cost: prices, and the account of an article summed up; what a request used, `model` knows."""

from briefworks.costs.account import summed_up
from briefworks.costs.prices import PriceList, price, price_list

__all__ = ["PriceList", "price", "price_list", "summed_up"]
