/* Which processors a function is compiled for.

   The same C is compiled once for every x86-64 and again for those with AVX2 and with AVX-512; the loader takes the
   best one that the processor has. Elsewhere the compiler's own default is all there is. A wheel must run on processors
   other than the one it was made on, so -march=native is no way. */
#ifndef STREAMSEG_CLONES_H
#define STREAMSEG_CLONES_H

#ifdef STREAMSEG_TARGET_CLONES
#define CLONED __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONED
#endif

#endif
