"""A report: one page of HTML with all that is known of runs, their fit and what follows from it."""

from losslaw.reporting.page import HtmlReport
from losslaw.reporting.report import report

__all__ = ["HtmlReport", "report"]
