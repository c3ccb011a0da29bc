"""Swivel (Shazeer et al. 2016) pair by pair, in the paper's words; no vectorisation on purpose."""

import numpy as np


def reference_counts(lines, words, window):
    """Section 3: the weight 1 / distance of every pair of tokens near each other on a line; (words, words)."""
    ids = {word: number for number, word in enumerate(words)}
    counts = np.zeros((len(words), len(words)))
    for line in lines:
        for place, focus in enumerate(line):
            for other, context in enumerate(line):
                distance = abs(place - other)
                if 1 <= distance <= window and focus in ids and context in ids:
                    counts[ids[focus], ids[context]] += 1 / distance
    return counts


def reference_loss(rows, columns, counts, *, base=0.1, scale=0.25, exponent=0.5):
    """Sections 3.1 and 3.2: the loss of all cells, and its gradient by the row and by the column vectors."""
    total = counts.sum()
    row_sums, column_sums = counts.sum(axis=1), counts.sum(axis=0)
    loss, row_gradient, column_gradient = 0.0, np.zeros_like(rows), np.zeros_like(columns)
    for i in range(len(rows)):
        for j in range(len(columns)):
            product = rows[i] @ columns[j]
            count = counts[i, j]
            if count > 0:
                error = product - np.log(count * total / (row_sums[i] * column_sums[j]))
                confidence = base + scale * count**exponent
                loss += confidence * error**2 / 2
                slope = confidence * error
            else:
                surplus = product - np.log(1 * total / (row_sums[i] * column_sums[j]))
                loss += np.log(1 + np.exp(surplus))
                slope = 1 / (1 + np.exp(-surplus))
            row_gradient[i] += slope * columns[j]
            column_gradient[j] += slope * rows[i]
    return loss, row_gradient, column_gradient
