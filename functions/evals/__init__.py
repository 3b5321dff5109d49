"""How good are the captions? A folder of pictures, asked about, measured, and kept to compare.

==============  =====================================================================
references      what people wrote for the pictures: JSON lines, read and validated
runs            the nouns (Row, Run) and the file a run is kept in
trial           one picture through the model and the filter, as an upload goes
measures        a run in figures: findings, lengths, decoration, likeness, time, money
comparison      two runs side by side, and whether the difference may be chance
question_set    sixty questions about drawn pictures, and what a right answer has
==============  =====================================================================
"""
