"""Numbers as text, the same in the terminal, on the page and in LaTeX."""

from __future__ import annotations

import math

MINUS = "−"
NOTHING = "–"


def signed(value: float, decimals: int = 2) -> str:
    """Return "+1.20", "−0.35", "0.00", or a dash for NaN."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return f"+{text}" if value > 0 else f"{MINUS}{text}"


def plain_number(value: float, decimals: int = 1) -> str:
    """Return "70.1", or a dash for NaN."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else NOTHING


def interval(low: float, high: float, decimals: int = 2) -> str:
    """Return "+0.50 to +1.90", or a dash where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NOTHING
    return f"{signed(low, decimals)} to {signed(high, decimals)}"


def p_value(p: float) -> str:
    """Return ".031", "< .001", "1", or a dash for NaN."""
    if not math.isfinite(p):
        return NOTHING
    if p < 0.001:
        return "< .001"
    return "1" if p > 0.9995 else f"{p:.3f}".removeprefix("0")


def seconds(value: float) -> str:
    """Return "12 ms", "1.4 s" or "3.2 min", or a dash for NaN."""
    if not math.isfinite(value):
        return NOTHING
    if value < 0.0995:
        return f"{1000 * value:.0f} ms" if value >= 0.0005 else "< 1 ms"
    if value < 99.5:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    return f"{value / 60:.1f} min" if value < 5970 else f"{value / 3600:.1f} h"


def probability(value: float) -> str:
    """Return "97 %", "> 99 %", "< 1 %", or a dash for NaN."""
    if not math.isfinite(value):
        return NOTHING
    if value > 0.99:
        return "> 99 %"
    return "< 1 %" if value < 0.01 else f"{100 * value:.0f} %"


def metric_name(metric: str) -> str:
    """Return the name of a metric as it is written: "macro F1"."""
    name = metric.removesuffix("_tuned").replace("_", " ").replace(" f1", " F1").replace("auroc", "AUROC")
    return name + (", tuned decision" if metric.endswith("_tuned") else "")
