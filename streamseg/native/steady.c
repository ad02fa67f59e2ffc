/* Labels moved along a flow grid, and a vote over several maps of them.

   See `moved` and `voted` in kernels.py. All is done in whole numbers, so that the twin in NumPy gives the same bytes.
   kernels.py has checked what comes: nothing here looks at a size again. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

/* NOTHING: the id that no class has. SHARE: parts of a grid cell, 7 bits, with which a 16-bit flow keeps within 32 bits
   after both interpolations. SHIFT: 7 bits of each of the two, and 4 as the flow is in 1/16 pixel. CHUNK: pixels that
   are voted on at once, whose scores stay in the nearest cache. */
enum { NOTHING = 255, SHARE = 128, SHIFT = 18, CHUNK = 512 };

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

/* How far to go from each pixel of a row, in whole pixels, between two rows of the grid; x of all, then y of all. */
CLONED static void whole_pixels(const int32_t *restrict upper, const int32_t *restrict lower, int count, int32_t share,
                                int32_t *restrict steps) {
    for (int i = 0; i < count; i++)
        steps[i] = (upper[i] * (SHARE - share) + lower[i] * share + (1 << (SHIFT - 1))) >> SHIFT;
}

/* labels, out: (height, width). flow: (grid_height, grid_width, 2), x and y in 1/16 pixel of the labels.
   sure: (grid_height, grid_width), 0 or 1. scratch: room for 8 * width int32. */
void streamseg_moved(const uint8_t *labels, int height, int width, const int16_t *flow, const uint8_t *sure,
                     int grid_height, int grid_width, void *scratch, uint8_t *out) {
    int32_t *places = scratch, *cells = places + width, *steps = cells + width;
    int32_t *rows[2] = {steps + 2 * width, steps + 4 * width};
    int done = -1;  /* the last row of the grid that was widened; row i lies in rows[i % 2] */
    for (int x = 0; x < width; x++) {
        places[x] = grid_place(x, width, grid_width);
        cells[x] = (int32_t)((int64_t)(2 * x + 1) * grid_width / (2 * (int64_t)width));
    }
    for (int y = 0; y < height; y++) {
        const int32_t place = grid_place(y, height, grid_height), above = place / SHARE;
        const int32_t below = above + 1 < grid_height ? above + 1 : above;
        const uint8_t *trusted = sure + (int64_t)(2 * y + 1) * grid_height / (2 * (int64_t)height) * grid_width;
        for (int row = done + 1 > above ? done + 1 : above; row <= below; row++)
            widened(flow + (ptrdiff_t)row * 2 * grid_width, grid_width, places, width, rows[row % 2]);
        done = below;
        whole_pixels(rows[above % 2], rows[below % 2], 2 * width, place % SHARE, steps);
        uint8_t *line = out + (ptrdiff_t)y * width;
        for (int x = 0; x < width; x++) {
            const int32_t from_x = x + steps[x], from_y = y + steps[width + x];
            /* below 0 is beyond every size when there is no sign: one question for both ends */
            const int fetched = trusted[cells[x]] && (uint32_t)from_x < (uint32_t)width &&
                                (uint32_t)from_y < (uint32_t)height;
            line[x] = fetched ? labels[(ptrdiff_t)from_y * width + from_x] : NOTHING;
        }
    }
}

/* Votes of one map for what another one says, added up over `count` pixels. */
CLONED static void add_votes(const uint8_t *restrict says, const uint8_t *restrict votes, uint8_t weight, int count,
                             uint8_t *restrict score) {
    for (int x = 0; x < count; x++) score[x] = (uint8_t)(score[x] + (says[x] == votes[x] ? weight : 0));
}

CLONED static void take_better(const uint8_t *restrict says, const uint8_t *restrict score, int count,
                               uint8_t *restrict best, uint8_t *restrict out) {
    for (int x = 0; x < count; x++) {
        /* what is nothing has no voice, so anything is better than it */
        const int better = says[x] != NOTHING && (out[x] == NOTHING || score[x] > best[x]);
        out[x] = better ? says[x] : out[x];
        best[x] = better ? score[x] : best[x];
    }
}

/* maps: `count` of `pixels` each. weights: of the maps, 255 in all at most. out: `pixels`. */
void streamseg_voted(const uint8_t *const *maps, const uint8_t *weights, int count, int pixels, uint8_t *out) {
    uint8_t score[CHUNK], best[CHUNK];
    for (int start = 0; start < pixels; start += CHUNK) {
        const int length = pixels - start < CHUNK ? pixels - start : CHUNK;
        memset(out + start, NOTHING, (size_t)length);
        for (int one = 0; one < count; one++) {
            memset(score, 0, sizeof score);
            for (int other = 0; other < count; other++)
                add_votes(maps[one] + start, maps[other] + start, weights[other], length, score);
            take_better(maps[one] + start, score, length, best, out + start);
        }
    }
}
