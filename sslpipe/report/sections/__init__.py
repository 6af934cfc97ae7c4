"""The sections of the page, each a function of the findings; None where there is nothing to show."""
