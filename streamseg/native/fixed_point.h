/* Shares of a value in 16 bits, of which processors do the most at once: 32767 ("Q15") is all of it. */
#ifndef STREAMSEG_FIXED_POINT_H
#define STREAMSEG_FIXED_POINT_H

#include <stdint.h>

#define Q15_ONE 32767.0f  /* not 32768, which would be negative; a share of all changes no byte, as rounding shows */

/* A share of a value, rounded; written so that compilers see the one instruction that does it (x86's PMULHRSW). */
static inline int16_t part(int16_t value, int16_t share) { return (int16_t)((((value * share) >> 14) + 1) >> 1); }

/* `share` of the way from one value to another. Their difference must fit 16 bits. */
static inline int16_t between(int16_t from, int16_t to, int16_t share) {
    return (int16_t)(from + part((int16_t)(to - from), share));
}

static inline int16_t q15(float share) { return (int16_t)(share * Q15_ONE + 0.5f); }

#endif
