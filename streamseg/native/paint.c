/* Class colours blended into the planes of a picture, upsampled bilinearly from the labels' size on the way.

   Labels come in runs of one class, within which nothing has to be interpolated: a row of labels is upsampled run by
   run, once for each plane, and the rows of the picture lie between two such rows.

   What a class adds is counted in 1/128 of a grey level. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"
#include "fixed_point.h"

enum { AT_ONCE = 16, PLANES = 3 };  /* 16 numbers of 16 bits fill an AVX2 register; more would overshoot further */

/* One plane of the picture. Python has the same structure.
   layer, out: (height, width), not the same memory; strides in bytes.
   added: what each class adds, 1/128. kept: how much of the layer each class leaves, Q15. */
typedef struct {
    const uint8_t *layer;
    ptrdiff_t stride;
    uint8_t *out;
    ptrdiff_t out_stride;
    const int16_t *added, *kept;
    int32_t height, width;
} Plane;

/* A row of labels, upsampled to a plane's width. */
typedef struct {
    int16_t *added, *kept;
} Row;

/* How a plane's columns lie among the labels', and where its rows are made.
   first[i]: the first column whose left neighbour among the labels is i or a later one.
   share: how much of the neighbour to the right each column has, Q15.
   rows: of even and of odd rows of labels.
   done: rows of the plane so far. */
typedef struct {
    int32_t *first;
    int16_t *share;
    Row rows[2];
    int done;
} Upsampling;

/* Labels `start` to `end` of a row are of one class. */
typedef struct {
    int32_t start, end;
    uint8_t class_id;
} Run;

/* Where a row or column lies among `count` of labels, counted from the centre of the first. */
static inline float place(int index, float scale, int count) {
    /* centres lie half a pixel in, of either size, as OpenCV's INTER_LINEAR has it */
    const float at = ((float)index + 0.5f) * scale - 0.5f, last = (float)(count - 1);
    return at < 0 ? 0 : at > last ? last : at;
}

static void set_columns(int width, int label_width, int32_t *first, int16_t *share) {
    const float scale = (float)label_width / (float)width;
    int seen = 0;
    for (int x = 0; x < width; x++) {
        const float at = place(x, scale, label_width);
        const int left = (int)at;
        while (seen <= left) first[seen++] = x;
        share[x] = q15(at - (float)left);
    }
    while (seen <= label_width) first[seen++] = width;
}

/* Where the run of equal labels that begins at `start` ends. */
static inline int run_end(const uint8_t *labels, int start, int width) {
    int x = start + 1;
    /* eight that equal the eight one place before them are all the same; memcpy, since they may lie at any address */
    for (; x + 8 <= width; x += 8) {
        uint64_t eight, before;
        memcpy(&eight, labels + x, 8);
        memcpy(&before, labels + x - 1, 8);
        if (eight != before) break;
    }
    while (x < width && labels[x] == labels[start]) x++;
    return x;
}

static int find_runs(const uint8_t *labels, int width, Run *runs) {
    int count = 0;
    for (int start = 0; start < width; count++) {
        const Run run = {start, run_end(labels, start, width), labels[start]};
        runs[count] = run;
        start = run.end;
    }
    return count;
}

/* May write up to AT_ONCE - 1 values more, over which the row's next ones are written: runs are short, and loops that
   end exactly take longer than they. */
static inline void fill(int16_t *row, int start, int end, int16_t value) {
    int16_t values[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++) values[i] = value;
    for (int x = start; x < end; x += AT_ONCE) memcpy(row + x, values, sizeof values);
}

CLONED static void upsample(const Run *runs, int count, const Plane *plane, const Upsampling *how, int16_t *added,
                           int16_t *kept) {
    const int32_t *first = how->first;
    for (const Run *run = runs; run < runs + count; run++) {
        const int last = run + 1 == runs + count, one = run->class_id;
        const int start = first[run->start], end = first[last ? run->end : run->end - 1];
        fill(added, start, end, plane->added[one]);
        fill(kept, start, end, plane->kept[one]);
        if (last) return;
        const int next = run[1].class_id;
        for (int x = end; x < first[run->end]; x++) {
            added[x] = between(plane->added[one], plane->added[next], how->share[x]);
            kept[x] = between(plane->kept[one], plane->kept[next], how->share[x]);
        }
    }
}

/* One row of a plane between two rows of labels; `share` is how much of the lower one, Q15. */
CLONED static void blend_row(const uint8_t *restrict layer, int width, const Row *upper, const Row *lower,
                             int16_t share, uint8_t *restrict out) {
    const int16_t *restrict added = upper->added, *restrict next_added = lower->added;
    const int16_t *restrict kept = upper->kept, *restrict next_kept = lower->kept;
    for (int x = 0; x < width; x++) {
        /* 255 << 7 is 32640: the largest power of two with which a byte fits 16 bits with a sign */
        const int16_t own = part((int16_t)(layer[x] << 7), between(kept[x], next_kept[x], share));
        out[x] = (uint8_t)((uint16_t)(own + between(added[x], next_added[x], share) + 64) >> 7);
    }
}

/* All rows of a plane above the centre of a row of labels that was just upsampled; all when it is the last one. */
static void blend_down_to(int label_row, int label_height, const Plane *plane, Upsampling *how) {
    const float scale = (float)label_height / (float)plane->height;
    for (; how->done < plane->height; how->done++) {
        const float at = place(how->done, scale, label_height);
        const int above = (int)at;
        if (above >= label_row && label_row + 1 < label_height) return;  /* its lower neighbour is not there yet */
        blend_row(plane->layer + how->done * plane->stride, plane->width, &how->rows[above % 2],
                  &how->rows[above + 1 < label_height ? (above + 1) % 2 : above % 2], q15(at - (float)above),
                  plane->out + how->done * plane->out_stride);
    }
}

/* labels: (label_height, label_width). planes: three. scratch: room for label_width runs, and for each plane for
   label_width + 1 int32 and 5 * (width + 16) + 1 int16. */
void streamseg_blend(const Plane *planes, const uint8_t *labels, int label_height, int label_width, void *scratch) {
    Run *runs = scratch;
    Upsampling all[PLANES];
    int32_t *space = (int32_t *)(runs + label_width);
    for (int i = 0; i < PLANES; i++) {
        const int room = planes[i].width + AT_ONCE;  /* `fill` writes beyond the end */
        int16_t *rows = (int16_t *)(space + label_width + 1);
        const Upsampling how = {space, rows, {{rows + room, rows + 2 * room}, {rows + 3 * room, rows + 4 * room}}, 0};
        all[i] = how;
        set_columns(planes[i].width, label_width, how.first, how.share);
        space = (int32_t *)(rows + 5 * room + (room & 1));  /* at an address that int32 may have */
    }
    for (int row = 0; row < label_height; row++) {
        const int count = find_runs(labels + (ptrdiff_t)row * label_width, label_width, runs);
        for (int i = 0; i < PLANES; i++) {
            upsample(runs, count, planes + i, all + i, all[i].rows[row % 2].added, all[i].rows[row % 2].kept);
            blend_down_to(row, label_height, planes + i, all + i);
        }
    }
}
