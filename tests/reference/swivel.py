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


def reference_loss(rows, columns, counts, row_sums, column_sums, total, *, base=0.1, scale=0.25, exponent=0.5):
    """Sections 3.1 and 3.2: the loss of a submatrix, and its gradient by the row and by the column vectors.

    The sums and the total are those of the whole matrix; a sum is at least 1.
    """
    loss, row_gradient, column_gradient = 0.0, np.zeros_like(rows), np.zeros_like(columns)
    for i in range(len(rows)):
        for j in range(len(columns)):
            product = rows[i] @ columns[j]
            seen_once = np.log(1 * total / (max(row_sums[i], 1) * max(column_sums[j], 1)))
            if counts[i, j] > 0:
                error = product - (np.log(counts[i, j]) + seen_once)
                confidence = base + scale * counts[i, j] ** exponent
                loss += confidence * error**2 / 2
                slope = confidence * error
            else:
                surplus = product - seen_once
                loss += np.log(1 + np.exp(surplus))
                slope = 1 / (1 + np.exp(-surplus))
            row_gradient[i] += slope * columns[j]
            column_gradient[j] += slope * rows[i]
    return loss, row_gradient, column_gradient


def reference_training(counts, rows, columns, steps, num_blocks, *, rate=0.1, first_square=0.1):
    """Section 3: Adagrad on one submatrix after the other; `steps` are pairs of a row and a column block.

    Returns the trained tables and the loss of each step.
    """
    rows, columns = rows.copy(), columns.copy()
    squares = {"rows": np.full_like(rows, first_square), "columns": np.full_like(columns, first_square)}
    sums, losses = counts.sum(axis=1), []
    for row_block, column_block in steps:
        r, c = slice(row_block, None, num_blocks), slice(column_block, None, num_blocks)
        part = counts[r, c]
        loss, row_gradient, column_gradient = reference_loss(rows[r], columns[c], part, sums[r], sums[c], sums.sum())
        losses.append(loss)
        for table, words, gradient, name in (
            (rows, r, row_gradient, "rows"),
            (columns, c, column_gradient, "columns"),
        ):
            squares[name][words] += gradient**2
            table[words] -= rate * gradient / np.sqrt(squares[name][words])
    return rows, columns, losses
