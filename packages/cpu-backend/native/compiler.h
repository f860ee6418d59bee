// What compilers call differently.
#pragma once

#if defined(__clang__)
#define AIRLLM_UNROLL _Pragma("unroll")
#define AIRLLM_NOINLINE __attribute__((noinline))
#elif defined(__GNUC__)
#define AIRLLM_UNROLL _Pragma("GCC unroll 32")
#define AIRLLM_NOINLINE __attribute__((noinline))
#else
#define AIRLLM_UNROLL
#define AIRLLM_NOINLINE
#endif
