"""The filter between the model's words and the website: BLIP's captioner *and* filter.

``check`` puts right what can be put right (``FIX``), names what one more model call may mend
(``REPAIR``) and what a person should look at (``REVIEW``). It is deterministic, costs nothing,
and holds what W3C's alt decision tree (https://www.w3.org/WAI/tutorials/images/decision-tree/)
and WebAIM (https://webaim.org/techniques/alttext/) ask of alt text.

==============  =====================================================================
findings        the nouns: Severity, Finding, Context, Checked
checking        ``check``, and the rules on a reply as a whole
cleaning        the fixes
wording         the rules on a text's own words
sources         the rules on where words come from: file names, prompt, dictation
scripts         the rules on languages and scripts
classifier      whether a text describes anything, by weights in ``words/classifier.tsv``
concepts        what a text speaks of, in any language: ``words/concepts.txt``
embedded        what stands in the file, by the same rules
checked_text    one text with its surroundings; ``text``: characters and words
words           the languages' word lists, in ``words/*.toml``
catalogue       ``RULES``: every rule with its meaning and an example
==============  =====================================================================
"""

from functions.quality.checking import check, check_translations
from functions.quality.embedded import vetted
from functions.quality.findings import UNPUBLISHABLE, Checked, Context, Finding, Severity

__all__ = [
    "UNPUBLISHABLE",
    "Checked",
    "Context",
    "Finding",
    "Severity",
    "check",
    "check_translations",
    "vetted",
]
