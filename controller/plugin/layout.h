/* Rows of cells as aligned text for a terminal, as a table or as a tree. Pure.
 */
#ifndef PLUGIN_LAYOUT_H
#define PLUGIN_LAYOUT_H

#include "base/buf.h"

enum { LAYOUT_CELLS = 6 };

struct layout_row {
    size_t depth; /* 0: a root, or a row of a table */
    char *cells[LAYOUT_CELLS];
};

struct layout { /* zero-initialised: empty */
    struct layout_row *rows;
    size_t count;
};
void layout_done(struct layout *layout);
#define auto_layout __attribute__((cleanup(layout_done)))

/* Appends a row; the cells are texts, ended by NULL, LAYOUT_CELLS at most. A NULL in between can't
 * be told from the end: pass "". The row is a child of the last one that is less deep. */
void layout_add(struct layout *layout, size_t depth, ...) __attribute__((sentinel));

/* Appends the rows: columns as wide as their widest cell in characters, the last cell of a row not
 * padded, branches drawn in front of the first. Control characters are shown as '?': names and
 * messages come from others. */
void layout_render(const struct layout *layout, struct buf *out);

#endif
