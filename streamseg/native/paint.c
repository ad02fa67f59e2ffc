/* Class colours blended into a plane of a picture, enlarged bilinearly from the labels' size on the way.

   Labels come in runs of one class, within which nothing has to be interpolated: a row of labels is enlarged run by
   run, once, and the rows of the picture lie between two such rows.

   Numbers are fixed-point in 16 bits, of which processors do the most at once: what a class adds in 1/128 of a grey
   level, shares of one in 1/32767 ("Q15"). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"
#include "fixed_point.h"

enum { AT_ONCE = 16 };

/* A row of labels, enlarged to the picture's width. */
typedef struct {
    int16_t *added; /* what the classes add, 1/128 */
    int16_t *kept;  /* how much of the picture is kept, Q15 */
    int label_row;  /* which row it is; -1 for none yet */
} Row;

/* first[i]: the first column of the picture whose left neighbour among the labels is i or a later one.
   share: how much of the neighbour to the right each column has, Q15. */
static void columns(int width, int label_width, int32_t *first, int16_t *share) {
    const float scale = (float)label_width / (float)width;
    int seen = 0;
    for (int x = 0; x < width; x++) {
        float at = ((float)x + 0.5f) * scale - 0.5f;
        if (at < 0) at = 0;
        int left = (int)at;
        if (left > label_width - 1) left = label_width - 1;
        while (seen <= left) first[seen++] = x;
        share[x] = left == label_width - 1 ? 0 : q15(at - (float)left);
    }
    while (seen <= label_width) first[seen++] = width;
}

/* May write up to AT_ONCE - 1 values more, over which the row's next ones are written: runs are short, and loops that
   end exactly take longer than they. */
static inline void fill(int16_t *row, int start, int end, int16_t value) {
    int16_t values[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++) values[i] = value;
    for (int x = start; x < end; x += AT_ONCE) memcpy(row + x, values, sizeof values);
}

/* Where the run of equal labels that begins at `start` ends. */
static inline int run_end(const uint8_t *labels, int start, int width) {
    int x = start + 1;
    for (; x + 8 <= width; x += 8) {
        uint64_t eight, before;
        memcpy(&eight, labels + x, 8);
        memcpy(&before, labels + x - 1, 8);
        if (eight != before) break;
    }
    while (x < width && labels[x] == labels[start]) x++;
    return x;
}

CLONED static void enlarge(const uint8_t *labels, int label_width, const int16_t *added, const int16_t *kept,
                           const int32_t *first, const int16_t *share, Row *row) {
    for (int start = 0; start < label_width;) {
        const int end = run_end(labels, start, label_width), last = end < label_width ? end - 1 : label_width;
        const uint8_t one = labels[start];
        fill(row->added, first[start], first[last], added[one]);
        fill(row->kept, first[start], first[last], kept[one]);
        if (end < label_width) {
            const uint8_t next = labels[end];
            for (int x = first[end - 1]; x < first[end]; x++) {
                row->added[x] = between(added[one], added[next], share[x]);
                row->kept[x] = between(kept[one], kept[next], share[x]);
            }
        }
        start = end;
    }
}

/* One row of the picture between two rows of labels; `share` is how much of the lower one, Q15. */
CLONED static void blend_row(const uint8_t *restrict layer, int width, const Row *upper, const Row *lower, int16_t share,
                             uint8_t *restrict out) {
    const int16_t *restrict added = upper->added, *restrict next_added = lower->added;
    const int16_t *restrict kept = upper->kept, *restrict next_kept = lower->kept;
    for (int x = 0; x < width; x++) {
        const int16_t own = part((int16_t)(layer[x] << 7), between(kept[x], next_kept[x], share));
        out[x] = (uint8_t)((uint16_t)(own + between(added[x], next_added[x], share) + 64) >> 7);
    }
}

/* layer, out: (height, width) with their strides, the same or apart. labels: (label_height, label_width).
   added: what each class adds, 1/128. kept: how much of the layer each class leaves, Q15.
   scratch: room for label_width + 1 int32 and 5 * (width + 16) int16. */
void streamseg_blend(const uint8_t *layer, ptrdiff_t stride, int height, int width, const uint8_t *labels,
                     int label_height, int label_width, const int16_t *added, const int16_t *kept, void *scratch,
                     uint8_t *out, ptrdiff_t out_stride) {
    int32_t *first = scratch;
    int16_t *share = (int16_t *)(first + label_width + 1), *space = share + width;
    const int room = width + AT_ONCE;
    Row rows[2] = {{space, space + room, -1}, {space + 2 * room, space + 3 * room, -1}};
    const float scale = (float)label_height / (float)height;
    columns(width, label_width, first, share);
    for (int y = 0; y < height; y++) {
        float at = ((float)y + 0.5f) * scale - 0.5f;
        if (at < 0) at = 0;
        int above = (int)at;
        if (above > label_height - 1) above = label_height - 1;
        const int below = above + 1 < label_height ? above + 1 : above;
        for (int wanted = above; wanted <= below; wanted++) {
            Row *row = &rows[wanted % 2];
            if (row->label_row == wanted) continue;
            enlarge(labels + (ptrdiff_t)wanted * label_width, label_width, added, kept, first, share, row);
            row->label_row = wanted;
        }
        const int16_t lower_share = q15(at - (float)above);
        blend_row(layer + y * stride, width, &rows[above % 2], &rows[below % 2], lower_share, out + y * out_stride);
    }
}
