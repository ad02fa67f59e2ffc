/* Three planes at the network's size to its input picture, with contrast-limited adaptive histogram equalisation.

   The same steps as preprocess.py takes with OpenCV, to which the results are equal but for rounding: YUV to RGB with
   the source's matrix and range, RGB to the luma and colour differences of JPEG, CLAHE on that luma, and back.
   Source of CLAHE: K. Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994; details
   (what is clipped is spread evenly, tiles are interpolated between their centres) as in OpenCV's createCLAHE. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"
#include "fixed_point.h"

/* MOST_TILES: each way; the usual is 8, and the tables of all are on the stack. FRACTION: bits after the point in the
   factors of JPEG's colours below, as many as OpenCV has, to which results are to be equal. */
enum { LEVELS = 256, MOST_TILES = 16, ROUND = 1 << 13, FRACTION = 14 };

static inline int clamped(int value) { return value < 0 ? 0 : value > 255 ? 255 : value; }

static inline int level(const int32_t *row, int y, int u, int v) {
    return clamped((row[0] * y + row[1] * u + row[2] * v + row[3] + 512) >> 10);
}

/* One row from YUV to luma and colour differences of full range. matrix: of R, G, B by Y, U, V, 1, times 1024. */
CLONED static void to_luma(const uint8_t *restrict y, const uint8_t *restrict u, const uint8_t *restrict v, int width,
                           const int32_t *restrict matrix, uint8_t *restrict luma, uint8_t *restrict red,
                           uint8_t *restrict blue) {
    for (int x = 0; x < width; x++) {
        const int r = level(matrix, y[x], u[x], v[x]), g = level(matrix + 4, y[x], u[x], v[x]);
        const int b = level(matrix + 8, y[x], u[x], v[x]);
        /* 0.299, 0.587, 0.114; then 0.713 and 0.564, which bring colour differences to 0..255; all times 2^14 */
        const int own = (4899 * r + 9617 * g + 1868 * b + ROUND) >> FRACTION;
        luma[x] = (uint8_t)own;
        red[x] = (uint8_t)clamped(((r - own) * 11682 + (128 << FRACTION) + ROUND) >> FRACTION);
        blue[x] = (uint8_t)clamped(((b - own) * 9241 + (128 << FRACTION) + ROUND) >> FRACTION);
    }
}

/* One row back, into three channels in the wanted order. */
CLONED static void to_channels(const uint8_t *restrict luma, const uint8_t *restrict red, const uint8_t *restrict blue,
                               int width, int rgb, uint8_t *restrict out) {
    for (int x = 0; x < width; x++) {
        const int cr = red[x] - 128, cb = blue[x] - 128;  /* 1.403, 1.773, 0.344, 0.714: the inverse, times 2^14 */
        const uint8_t r = (uint8_t)clamped(luma[x] + ((cr * 22987 + ROUND) >> FRACTION));
        const uint8_t b = (uint8_t)clamped(luma[x] + ((cb * 29049 + ROUND) >> FRACTION));
        out[3 * x] = rgb ? r : b;
        out[3 * x + 1] = (uint8_t)clamped(luma[x] + ((cb * -5636 + cr * -11698 + ROUND) >> FRACTION));
        out[3 * x + 2] = rgb ? b : r;
    }
}

/* How the levels of one tile are mapped. limit: of pixels a level. */
static void tile_map(const uint8_t *luma, int stride, int height, int width, int limit, uint8_t *map) {
    int counts[4][LEVELS] = {{0}};  /* four, since one that counts equal neighbours waits for itself */
    for (int y = 0; y < height; y++) {
        const uint8_t *row = luma + (ptrdiff_t)y * stride;
        int x = 0;
        for (; x + 4 <= width; x += 4)
            for (int i = 0; i < 4; i++) counts[i][row[x + i]]++;
        for (; x < width; x++) counts[0][row[x]]++;
    }
    int clipped = 0;
    for (int i = 0; i < LEVELS; i++) {
        int count = counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i];
        if (count > limit) {
            clipped += count - limit;
            count = limit;
        }
        counts[0][i] = count;
    }
    const int each = clipped / LEVELS;
    int left = clipped - each * LEVELS;
    /* what is left of an even share goes to levels as far apart as possible, as OpenCV does it */
    const int step = left ? (LEVELS / left > 1 ? LEVELS / left : 1) : LEVELS;
    for (int i = 0; i < LEVELS && left > 0; i += step, left--) counts[0][i]++;
    const float scale = 255.0f / (float)(height * width);
    int sum = 0;
    for (int i = 0; i < LEVELS; i++) {
        sum += counts[0][i] + each;
        map[i] = (uint8_t)clamped((int)lrintf((float)sum * scale));
    }
}

/* How far a place lies beyond the centre of a tile towards the next one, and which tile: -1 for before the first. */
static inline int tile_before(int place, int tile, int16_t *share) {
    const float at = (float)place / (float)tile - 0.5f, before = floorf(at);
    *share = q15(at - before);
    return (int)before;
}

static inline int within(int tile, int tiles) { return tile < 0 ? 0 : tile < tiles ? tile : tiles - 1; }

/* The maps of a row of the picture, in 1/128: between those of the tiles above and below it. */
CLONED static void row_maps(const uint8_t *restrict upper, const uint8_t *restrict lower, int count, int16_t share,
                            int16_t *restrict maps) {
    for (int i = 0; i < count; i++) maps[i] = between((int16_t)(upper[i] << 7), (int16_t)(lower[i] << 7), share);
}

/* Pixels of a row that lie between the same two tiles. */
static void map_pixels(uint8_t *restrict line, int count, const int16_t *restrict left, const int16_t *restrict right,
                       const int16_t *restrict share) {
    for (int x = 0; x < count; x++) line[x] = (uint8_t)((between(left[line[x]], right[line[x]], share[x]) + 64) >> 7);
}

/* CLAHE in place. rows, columns: of tiles, at most 16 each, which divide the picture evenly. share: room for a row. */
static void equalize(uint8_t *luma, int height, int width, int rows, int columns, float clip_limit, int16_t *share) {
    const int tile_height = height / rows, tile_width = width / columns;
    const int limit = (int)(clip_limit * (float)(tile_height * tile_width) / LEVELS);
    uint8_t maps[MOST_TILES * MOST_TILES * LEVELS];
    int16_t own[MOST_TILES * LEVELS];
    int starts[MOST_TILES + 2] = {0};  /* of the stretches between centres: before the first, ..., behind the last */
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            tile_map(luma + (ptrdiff_t)row * tile_height * width + column * tile_width, width, tile_height, tile_width,
                     limit > 1 ? limit : 1, maps + (row * columns + column) * LEVELS);
    for (int x = 0; x < width; x++) starts[tile_before(x, tile_width, share + x) + 2] = x + 1;
    for (int y = 0; y < height; y++) {
        int16_t down;
        const int above = tile_before(y, tile_height, &down);
        uint8_t *line = luma + (ptrdiff_t)y * width;
        row_maps(maps + within(above, rows) * columns * LEVELS, maps + within(above + 1, rows) * columns * LEVELS,
                 columns * LEVELS, down, own);
        for (int i = 0; i <= columns; i++)
            map_pixels(line + starts[i], starts[i + 1] - starts[i], own + within(i - 1, columns) * LEVELS,
                       own + within(i, columns) * LEVELS, share + starts[i]);
    }
}

/* y, u, v: (height, width) each, without gaps. matrix: (3, 4), of R, G, B by Y, U, V, 1, times 1024.
   scratch: room for 3 * height * width bytes and width int16. out: (height, width, 3). The rest as of `equalize`. */
void streamseg_equalized(const uint8_t *y, const uint8_t *u, const uint8_t *v, int height, int width,
                         const int32_t *matrix, int rows, int columns, float clip_limit, int rgb, void *scratch,
                         uint8_t *out) {
    const ptrdiff_t plane = (ptrdiff_t)height * width;
    int16_t *share = scratch;
    uint8_t *luma = (uint8_t *)(share + width), *red = luma + plane, *blue = red + plane;
    for (ptrdiff_t at = 0; at < plane; at += width)
        to_luma(y + at, u + at, v + at, width, matrix, luma + at, red + at, blue + at);
    equalize(luma, height, width, rows, columns, clip_limit, share);
    for (ptrdiff_t at = 0; at < plane; at += width)
        to_channels(luma + at, red + at, blue + at, width, rgb, out + 3 * at);
}
