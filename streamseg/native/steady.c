/* Ways from frame to frame on a grid over the picture, labels moved along them, and a vote over several maps of labels.

   See `agreeing`, `differences`, `chained`, `moved` and `voted` in kernels.py. All is done in whole numbers, so that the
   twins in NumPy give the same bytes. kernels.py has checked what comes: nothing here looks at a size again. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

/* NOTHING: the id that no class has. CELL, PLACES: parts of a grid cell that ways are counted in, and their bits, with
   which a 16-bit way reaches over 512 cells. SHARE: parts of a grid cell, 7 bits, with which a 16-bit flow keeps within
   32 bits after both interpolations. SHIFT: 7 bits of each of the two, and 4 as the flow is in 1/16 pixel. */
enum { NOTHING = 255, CELL = 64, PLACES = 6, SHARE = 128, SHIFT = 18 };

/* Where a way leads: the four cells around that place, their shares of 1/64, and whether it lies in the picture. */
typedef struct {
    int32_t cells[4], right, down;
    int inside;
    int32_t nearest;
} Place;

static inline Place place_of(const int16_t *way, int x, int y, int width, int height) {
    const int32_t last_x = (width - 1) * CELL, last_y = (height - 1) * CELL;
    const int32_t to_x = x * CELL + way[0], to_y = y * CELL + way[1];
    const int32_t at_x = to_x < 0 ? 0 : to_x > last_x ? last_x : to_x, at_y = to_y < 0 ? 0 : to_y > last_y ? last_y : to_y;
    const int32_t left = at_x >> PLACES, upper = at_y >> PLACES;
    const int32_t next = left + 1 < width ? 1 : 0, below = upper + 1 < height ? width : 0;
    const int32_t first = upper * width + left;
    /* the nearest one: half a cell on, rounded down */
    const int32_t nearest = ((at_y + CELL / 2) >> PLACES) * width + ((at_x + CELL / 2) >> PLACES);
    return (Place){{first, first + next, first + below, first + below + next}, at_x % CELL, at_y % CELL,
                   at_x == to_x && at_y == to_y, nearest};
}

/* Between four values, rounded. A 16-bit value times 64 * 64 keeps within 32 bits. */
static inline int32_t between(int32_t a, int32_t b, int32_t c, int32_t d, const Place *at) {
    const int32_t upper = a * (CELL - at->right) + b * at->right, lower = c * (CELL - at->right) + d * at->right;
    return (upper * (CELL - at->down) + lower * at->down + CELL * CELL / 2) >> (2 * PLACES);
}

static inline int32_t step_at(const int16_t *ways, const Place *at, int axis) {
    const int32_t *cells = at->cells;
    return between(ways[2 * cells[0] + axis], ways[2 * cells[1] + axis], ways[2 * cells[2] + axis],
                   ways[2 * cells[3] + axis], at);
}

/* ways, back: (height, width, 2). out: (height, width), 1 where going there and back leads less than `limit` astray. */
void streamseg_agreeing(const int16_t *ways, const int16_t *back, int height, int width, int32_t limit, uint8_t *out) {
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const int32_t cell = y * width + x;
            const Place at = place_of(ways + 2 * (ptrdiff_t)cell, x, y, width, height);
            const int64_t astray_x = ways[2 * cell] + step_at(back, &at, 0);
            const int64_t astray_y = ways[2 * cell + 1] + step_at(back, &at, 1);
            out[cell] = at.inside && astray_x * astray_x + astray_y * astray_y < (int64_t)limit * limit;
        }
    }
}

/* ways: (height, width, 2). here, there: (height, width) grey levels. out: by how many they differ, 255 outside. */
void streamseg_differences(const int16_t *ways, const uint8_t *here, const uint8_t *there, int height, int width,
                           uint8_t *out) {
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const int32_t cell = y * width + x;
            const Place at = place_of(ways + 2 * (ptrdiff_t)cell, x, y, width, height);
            const int32_t *cells = at.cells;
            const int32_t by =
                between(there[cells[0]], there[cells[1]], there[cells[2]], there[cells[3]], &at) - here[cell];
            out[cell] = (uint8_t)(!at.inside ? 255 : by < 0 ? -by : by);
        }
    }
}

/* ways, further, out: (height, width, 2). sure, further_sure, out_sure: (height, width), 0 or 1. */
void streamseg_chained(const int16_t *ways, const uint8_t *sure, const int16_t *further, const uint8_t *further_sure,
                       int height, int width, int16_t *out, uint8_t *out_sure) {
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const int32_t cell = y * width + x;
            const Place at = place_of(ways + 2 * (ptrdiff_t)cell, x, y, width, height);
            for (int axis = 0; axis < 2; axis++) {
                const int32_t step = ways[2 * cell + axis] + step_at(further, &at, axis);
                out[2 * cell + axis] = (int16_t)(step < INT16_MIN ? INT16_MIN : step > INT16_MAX ? INT16_MAX : step);
            }
            out_sure[cell] = sure[cell] && at.inside && further_sure[at.nearest];
        }
    }
}

/* Where the centre of a pixel lies between the centres of grid cells, in 1/128 of a cell, kept within the grid. */
static inline int32_t grid_place(int at, int length, int cells) {
    const int64_t place = (int64_t)(2 * at + 1) * cells * (SHARE / 2) / length - SHARE / 2;
    const int64_t last = (int64_t)(cells - 1) * SHARE;
    return (int32_t)(place < 0 ? 0 : place > last ? last : place);
}

/* One row of the grid at every column of the labels, times 128: x of all columns, then y of all. */
static void widened(const int16_t *restrict cells, int grid_width, const int32_t *restrict places, int width,
                    int32_t *restrict row) {
    for (int x = 0; x < width; x++) {
        const int32_t left = places[x] / SHARE, share = places[x] % SHARE;
        const int16_t *one = cells + 2 * left, *next = left + 1 < grid_width ? one + 2 : one;
        row[x] = one[0] * (SHARE - share) + next[0] * share;
        row[width + x] = one[1] * (SHARE - share) + next[1] * share;
    }
}

static inline int32_t whole_pixels(int32_t upper, int32_t lower, int32_t share) {
    return (upper * (SHARE - share) + lower * share + (1 << (SHIFT - 1))) >> SHIFT;
}

/* Which pixel of the labels each pixel of row y takes, between two rows of the grid; beyond the border the last one. */
CLONED static void places_in_row(const int32_t *restrict upper, const int32_t *restrict lower, int32_t share, int y,
                                 int width, int height, int32_t *restrict from) {
    for (int x = 0; x < width; x++) {
        int32_t from_x = x + whole_pixels(upper[x], lower[x], share);
        int32_t from_y = y + whole_pixels(upper[width + x], lower[width + x], share);
        from_x = from_x < 0 ? 0 : from_x > width - 1 ? width - 1 : from_x;
        from_y = from_y < 0 ? 0 : from_y > height - 1 ? height - 1 : from_y;
        from[x] = from_y * width + from_x;
    }
}

/* labels, out: (height, width). flow: (grid_height, grid_width, 2), x and y in 1/16 pixel of the labels.
   scratch: room for 6 * width int32. */
void streamseg_moved(const uint8_t *labels, int height, int width, const int16_t *flow, int grid_height,
                     int grid_width, void *scratch, uint8_t *out) {
    int32_t *places = scratch, *from = places + width;
    int32_t *rows[2] = {from + width, from + 3 * width};
    int done = -1;  /* the last row of the grid that was widened; row i lies in rows[i % 2] */
    for (int x = 0; x < width; x++) places[x] = grid_place(x, width, grid_width);
    for (int y = 0; y < height; y++) {
        const int32_t place = grid_place(y, height, grid_height), above = place / SHARE;
        const int32_t below = above + 1 < grid_height ? above + 1 : above;
        for (int row = done + 1 > above ? done + 1 : above; row <= below; row++)
            widened(flow + (ptrdiff_t)row * 2 * grid_width, grid_width, places, width, rows[row % 2]);
        done = below;
        places_in_row(rows[above % 2], rows[below % 2], place % SHARE, y, width, height, from);
        /* by itself, so that nothing but fetching is left here */
        uint8_t *line = out + (ptrdiff_t)y * width;
        for (int x = 0; x < width; x++) line[x] = labels[from[x]];
    }
}

/* What another map's votes add to those for what this one says, over a row. */
CLONED static void add_votes(const uint8_t *restrict says, const uint8_t *restrict votes,
                             const uint8_t *restrict weights, int count, uint8_t *restrict score) {
    for (int x = 0; x < count; x++) score[x] = (uint8_t)(score[x] + (says[x] == votes[x] ? weights[x] : 0));
}

CLONED static void take_better(const uint8_t *restrict says, const uint8_t *restrict weights,
                               const uint8_t *restrict score, int count, uint8_t *restrict best,
                               uint8_t *restrict out) {
    for (int x = 0; x < count; x++) {
        /* what is nothing has no voice, and then whoever has one is better than it */
        const int better = says[x] != NOTHING && weights[x] != 0 && score[x] > best[x];
        out[x] = better ? says[x] : out[x];
        best[x] = better ? score[x] : best[x];
    }
}

/* maps: `count`, (height, width) each. weights: of each map, (grid_height, grid_width); of the maps over one place, 255
   in all at most. scratch: room for width int32 and (count + 2) * width bytes. out: (height, width). */
void streamseg_voted(const uint8_t *const *maps, const uint8_t *const *weights, int count, int height, int width,
                     int grid_height, int grid_width, void *scratch, uint8_t *out) {
    int32_t *columns = scratch, widened_row = -1;
    uint8_t *score = (uint8_t *)(columns + width), *best = score + width, *rows = best + width;
    for (int x = 0; x < width; x++) columns[x] = (int32_t)((int64_t)(2 * x + 1) * grid_width / (2 * (int64_t)width));
    for (int y = 0; y < height; y++) {
        const int32_t row = (int32_t)((int64_t)(2 * y + 1) * grid_height / (2 * (int64_t)height));
        if (row != widened_row) {
            for (int one = 0; one < count; one++) {
                const uint8_t *cells = weights[one] + (ptrdiff_t)row * grid_width;
                uint8_t *wide = rows + (ptrdiff_t)one * width;
                for (int x = 0; x < width; x++) wide[x] = cells[columns[x]];
            }
            widened_row = row;
        }
        const ptrdiff_t start = (ptrdiff_t)y * width;
        memset(out + start, NOTHING, (size_t)width);
        memset(best, 0, (size_t)width);
        for (int one = 0; one < count; one++) {
            memset(score, 0, (size_t)width);
            for (int other = 0; other < count; other++)
                add_votes(maps[one] + start, maps[other] + start, rows + (ptrdiff_t)other * width, width, score);
            take_better(maps[one] + start, rows + (ptrdiff_t)one * width, score, width, best, out + start);
        }
    }
}
