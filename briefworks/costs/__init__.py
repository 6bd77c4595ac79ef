"""What articles cost: prices, and the account of an article summed up; what a request used, `model` knows."""

from briefworks.costs.prices import PriceList, price, price_list
from briefworks.costs.summing import summed_up

__all__ = ["PriceList", "price", "price_list", "summed_up"]
