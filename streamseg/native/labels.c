/* Labels of logits that are upsampled bilinearly between pixel centres, without upsampling most of them.

   See `upsampled_argmax` in kernels.py, whose rule this is: where four neighbours agree on a class, all that lies
   between them is of that class. kernels.py has checked what comes: nothing here looks at a size again. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

/* AT_ONCE: two AVX-512 registers, or four of AVX2, of logits and as many of ids: all of it stays in registers.
   LARGEST_FACTOR: networks have 2, 4 or 8, few 16; the arrays of a cell are on the stack, 6 kB of them. */
enum { AT_ONCE = 32, LARGEST_FACTOR = 16 };

/* The class with the largest logit of each of `pixels` pixels, the first of equals. plane: pixels of a class. */
static inline void block_argmax(const float *logits, int classes, int plane, int pixels, uint8_t *labels) {
    float best[AT_ONCE];
    int32_t found[AT_ONCE];  /* as wide as a logit: the comparison's mask is then the selection's, without packing */
    for (int i = 0; i < pixels; i++) {
        best[i] = logits[i];
        found[i] = 0;
    }
    for (int class_id = 1; class_id < classes; class_id++) {
        const float *own = logits + (ptrdiff_t)class_id * plane;
        for (int i = 0; i < pixels; i++) {
            found[i] = own[i] > best[i] ? class_id : found[i];
            best[i] = own[i] > best[i] ? own[i] : best[i];
        }
    }
    for (int i = 0; i < pixels; i++) labels[i] = (uint8_t)found[i];
}

CLONED static void argmax(const float *logits, int classes, int plane, uint8_t *labels) {
    int start = 0;
    for (; start + AT_ONCE <= plane; start += AT_ONCE)  /* of a length the compiler knows: stays in registers */
        block_argmax(logits + start, classes, plane, AT_ONCE, labels + start);
    if (start < plane) block_argmax(logits + start, classes, plane, plane - start, labels + start);
}

/* The labels between four corners, given as places in a plane of logits; factor * factor of them in reading order. */
CLONED static void cell_argmax(const float *logits, int classes, int plane, const int corners[4], const float *shares,
                                int pixels, int32_t *found) {
    float best[LARGEST_FACTOR * LARGEST_FACTOR];
    for (int class_id = 0; class_id < classes; class_id++) {
        const float *own = logits + (ptrdiff_t)class_id * plane;
        const float a = own[corners[0]], b = own[corners[1]], c = own[corners[2]], d = own[corners[3]];
        for (int i = 0; i < pixels; i++) {
            const float value = a * shares[i] + b * shares[pixels + i] + c * shares[2 * pixels + i] +
                                d * shares[3 * pixels + i];
            const int better = class_id == 0 || value > best[i];  /* not >=: the first of equals, as ArgMax has it */
            found[i] = better ? class_id : found[i];
            best[i] = better ? value : best[i];
        }
    }
}

/* For the pixels of a cell in reading order, the shares of its four corners: all of the first corner, and so on. */
static void corner_shares(int factor, float *shares) {
    const int pixels = factor * factor;
    for (int y = 0; y < factor; y++) {
        for (int x = 0; x < factor; x++) {
            const float right = (x + 0.5f) / factor, low = (y + 0.5f) / factor;  /* centres: ONNX's "half_pixel" */
            const int i = y * factor + x;
            shares[i] = (1 - low) * (1 - right);
            shares[pixels + i] = (1 - low) * right;
            shares[2 * pixels + i] = low * (1 - right);
            shares[3 * pixels + i] = low * right;
        }
    }
}

/* A row of coarse labels as it is between its own pixels and the next ones to the right. */
CLONED static void spread(const uint8_t *coarse, int width, int factor, uint8_t *row) {
    const int half = factor / 2;
    memset(row, coarse[0], half);
    if (factor == 4) {  /* the usual one, in one store each */
        for (int x = 0; x + 1 < width; x++) {
            const uint32_t four = coarse[x] * 0x01010101u;
            memcpy(row + half + 4 * x, &four, 4);
        }
    } else {
        for (int x = 0; x + 1 < width; x++) memset(row + half + x * factor, coarse[x], factor);
    }
    memset(row + half + (width - 1) * factor, coarse[width - 1], half);
}

/* Marks the cells of a row whose corners differ: cell 0 lies left of the first corner. */
CLONED static void mark_mixed(const uint8_t *up, const uint8_t *down, int width, uint8_t *mixed) {
    mixed[0] = up[0] != down[0];
    for (int x = 0; x + 1 < width; x++)
        mixed[x + 1] = (uint8_t)((up[x] ^ up[x + 1]) | (up[x] ^ down[x]) | (up[x] ^ down[x + 1]));
    mixed[width] = up[width - 1] != down[width - 1];
}

/* logits: (classes, height, width). factor: even, at most 16. labels: (height * factor, width * factor).
   scratch: room for height * width + width + 1 bytes. */
void streamseg_upsampled_argmax(const float *logits, int classes, int height, int width, int factor, uint8_t *scratch,
                                uint8_t *labels) {
    const int plane = height * width, stride = width * factor, half = factor / 2, pixels = factor * factor;
    float shares[4 * LARGEST_FACTOR * LARGEST_FACTOR];
    int32_t found[LARGEST_FACTOR * LARGEST_FACTOR];
    uint8_t *coarse = scratch, *mixed = scratch + plane;  /* a cell more than pixels in a row: one beyond each border */
    corner_shares(factor, shares);
    argmax(logits, classes, plane, coarse);
    for (int row = -1; row < height; row++) {  /* of cells between corners; beyond the border nothing changes */
        const int up = (row < 0 ? 0 : row) * width, down = (row + 1 < height ? row + 1 : row) * width;
        const int first_y = row < 0 ? half : 0, last_y = row + 1 < height ? factor : half;
        uint8_t *target = labels + (ptrdiff_t)(row * factor + half + first_y) * stride;
        spread(coarse + up, width, factor, target);
        for (int y = 1; y < last_y - first_y; y++) memcpy(target + (ptrdiff_t)y * stride, target, stride);
        mark_mixed(coarse + up, coarse + down, width, mixed);
        for (int cell = 0; cell <= width; cell++) {
            if (!mixed[cell]) continue;
            const int left = cell > 0 ? cell - 1 : 0, right = cell < width ? cell : cell - 1;
            const int first_x = cell > 0 ? 0 : half, last_x = cell < width ? factor : half;
            const int corners[4] = {up + left, up + right, down + left, down + right};
            cell_argmax(logits, classes, plane, corners, shares, pixels, found);
            for (int y = first_y; y < last_y; y++) {
                uint8_t *own = target + (ptrdiff_t)(y - first_y) * stride + cell * factor - half;
                for (int x = first_x; x < last_x; x++) own[x] = (uint8_t)found[y * factor + x];
            }
        }
    }
}
