"""What the demo's model says of its own, around the sentences of its sources: plainly synthetic."""

NOTICE = (
    "This is synthetic demo text: briefworks' demo upstream put it together from its own demo pages, and no "
    "model wrote it."
)
INVENTED = "Quillhaven Institute"  # a name no page has, for the code that drops names no page has

# What a model's prose is known for, planted so that polish has something to find: (tell, what it becomes)
TELLING_SENTENCES = (
    ("It is not just a matter of taste, but a matter of planning.", "Planning counts for as much as taste."),
    ("This plays a crucial role in everyday use.", "This matters in everyday use."),
    ("It is not merely a detail, but a decision.", "The detail is a decision."),
    ("This serves as a testament to careful work.", "Careful work looks like this."),
    ("That is not only sensible, but also cheap.", "That is sensible and cheap."),
)
TELLING_STARTS = (
    ("Moreover, ", ""),
    ("It is important to note that ", ""),
    ("Furthermore, ", ""),
    ("In today's fast-paced world, ", ""),
    ("Additionally, ", ""),
)
TELLS = TELLING_SENTENCES + TELLING_STARTS
FORMULA = {
    "category": "formula",
    "severity": "high",
    "why": "A formula that says nothing the next sentence does not say.",
}
EMPTY = {"category": "empty", "severity": "medium", "why": "A connective that connects nothing."}

HEADINGS = (
    "A first look at {k}",
    "Who gets something out of it",
    "How the parts work together",
    "What to look at before choosing",
    "What it costs over the years",
    "Where people go wrong",
    "Setting it up in an afternoon",
    "Keeping it in good order",
    "What the numbers say",
    "When something else is the better choice",
    "What the rules ask for",
    "Questions that remain about {k}",
)
OPENERS = (
    "Start with the plain facts, because the rest leans on them.",
    "Not everybody needs the same thing here.",
    "Seen from close up, there are only a few moving parts.",
    "Two or three properties decide most of it.",
    "Money comes up sooner or later.",
    "The usual errors are dull ones.",
    "The first hour settles more than the weeks after it.",
    "What follows is housekeeping.",
    "Figures help, as long as somebody says where they come from.",
    "There are good reasons to leave it alone.",
    "Somebody has written rules for this.",
    "A few things stay open.",
)
PHRASES = (
    "{S} {c}.",
    "{S}, one page says {c}.",
    "One of the pages puts it this way: {s} {c}.",
    "{S} {c}.",
    "The detail behind it: {s} {c}.",
    "{S}, going by the same kind of source {c}.",
    "A page on the subject adds that {s} {c}.",
    "{S} {c}.",
    "Elsewhere one reads that {s} {c}.",
)
AGAIN = "To come back to it from another side: {s} {c}."
