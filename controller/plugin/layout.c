/* Widths are counted over all rows, so that the columns of a tree line up at every depth. */
#include "plugin/layout.h"

#include <stdarg.h>
#include <string.h>

static const char GAP[] = "  ";

void layout_done(struct layout *layout)
{
    for (size_t i = 0; i < layout->count; i++)
        for (size_t cell = 0; cell < LAYOUT_CELLS; cell++)
            mem_free(layout->rows[i].cells[cell]);
    mem_free(layout->rows);
    *layout = (struct layout){ 0 };
}

static char *printable(const char *text)
{
    char *copy = mem_strdup(text);
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    return copy;
}

void layout_add(struct layout *layout, size_t depth, ...)
{
    layout->rows = mem_realloc(layout->rows, (layout->count + 1) * sizeof layout->rows[0]);
    struct layout_row *row = &layout->rows[layout->count++];
    *row = (struct layout_row){ .depth = depth };
    va_list cells;
    va_start(cells, depth);
    for (size_t cell = 0; cell < LAYOUT_CELLS; cell++) {
        const char *text = va_arg(cells, const char *);
        if (!text)
            break;
        row->cells[cell] = printable(text);
    }
    va_end(cells);
}

/* In characters, not in bytes. */
static size_t width(const char *text)
{
    size_t count = 0;
    for (; text && *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* Does a later row hang on the same parent as this one does at that depth? */
static bool goes_on(const struct layout *layout, size_t index, size_t depth)
{
    for (size_t i = index + 1; i < layout->count; i++)
        if (layout->rows[i].depth <= depth)
            return layout->rows[i].depth == depth;
    return false;
}

static void put_branches(const struct layout *layout, size_t index, struct buf *out)
{
    size_t depth = layout->rows[index].depth;
    for (size_t level = 1; level < depth; level++)
        buf_puts(out, goes_on(layout, index, level) ? "│  " : "   ");
    if (depth > 0)
        buf_puts(out, goes_on(layout, index, depth) ? "├─ " : "└─ ");
}

static size_t column_width(const struct layout *layout, size_t cell)
{
    size_t widest = 0;
    for (size_t i = 0; i < layout->count; i++) {
        const struct layout_row *row = &layout->rows[i];
        size_t here = width(row->cells[cell]) + (cell == 0 ? 3 * row->depth : 0);
        widest = here > widest ? here : widest;
    }
    return widest;
}

static void pad(struct buf *out, size_t from, size_t to)
{
    for (; from < to; from++)
        buf_putc(out, ' ');
}

void layout_render(const struct layout *layout, struct buf *out)
{
    size_t widths[LAYOUT_CELLS];
    for (size_t cell = 0; cell < LAYOUT_CELLS; cell++)
        widths[cell] = column_width(layout, cell);
    for (size_t i = 0; i < layout->count; i++) {
        const struct layout_row *row = &layout->rows[i];
        put_branches(layout, i, out);
        size_t used = 3 * row->depth;
        for (size_t cell = 0; cell < LAYOUT_CELLS && row->cells[cell]; cell++) {
            buf_puts(out, row->cells[cell]);
            if (cell + 1 == LAYOUT_CELLS || !row->cells[cell + 1])
                break;
            pad(out, used + width(row->cells[cell]), widths[cell]);
            buf_puts(out, GAP);
            used = 0;
        }
        buf_putc(out, '\n');
    }
}
