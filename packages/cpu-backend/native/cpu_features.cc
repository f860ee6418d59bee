#include "cpu_features.h"

#include <cstdint>
#include <string_view>

#if defined(__x86_64__) || defined(_M_X64)
#define AIRLLM_X64
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace airllm {
namespace {

#ifdef AIRLLM_X64

struct CpuId {
  uint32_t eax, ebx, ecx, edx;
};

CpuId cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  CpuId id{};
#if defined(_MSC_VER)
  int words[4];
  __cpuidex(words, static_cast<int>(leaf), static_cast<int>(subleaf));
  id = {static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1]), static_cast<uint32_t>(words[2]),
        static_cast<uint32_t>(words[3])};
#else
  __get_cpuid_count(leaf, subleaf, &id.eax, &id.ebx, &id.ecx, &id.edx);
#endif
  return id;
}

/** Register state the operating system saves: bits 1–2 SSE and AVX, bits 5–7 AVX-512. */
uint64_t savedState() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}

bool has(uint32_t word, int bit) { return (word >> bit & 1u) != 0; }

bool hasAvx2() {
  const CpuId one = cpuid(1);
  const bool fma = has(one.ecx, 12), osxsave = has(one.ecx, 27), avx = has(one.ecx, 28),
             f16c = has(one.ecx, 29);
  return fma && osxsave && avx && f16c && has(cpuid(7).ebx, 5) && (savedState() & 0x6) == 0x6;
}

bool hasAvx512() {
  const uint32_t features = cpuid(7).ebx;
  const bool f = has(features, 16), dq = has(features, 17), bw = has(features, 30), vl = has(features, 31);
  return f && dq && bw && vl && hasAvx2() && (savedState() & 0xe6) == 0xe6;
}

/** VBMI, VBMI2 and GFNI beside it. */
bool hasAvx512Vbmi() {
  const uint32_t features = cpuid(7).ecx;
  return has(features, 1) && has(features, 6) && has(features, 8) && hasAvx512();
}

bool hasAvx512Bf16() { return hasAvx512() && has(cpuid(7, 1).eax, 5); }

/** AMX, whose registers (bits 17 and 18) a process may use once the system has said so. */
bool hasTiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return has(cpuid(7).edx, 24) && (savedState() & 0x60000) == 0x60000 &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

bool hasAmxBf16() { return has(cpuid(7).edx, 22) && hasAvx512Bf16() && hasTiles(); }

bool hasAmxInt8() { return has(cpuid(7).edx, 25) && hasAvx512Vbmi() && hasTiles(); }

bool isAmd() { return cpuid(0).ebx == 0x68747541; }  // "Auth" of AuthenticAMD

#else

bool hasAvx2() { return false; }
bool hasAvx512() { return false; }
bool hasAvx512Vbmi() { return false; }
bool hasAvx512Bf16() { return false; }
bool hasAmxBf16() { return false; }
bool hasAmxInt8() { return false; }
bool isAmd() { return false; }

#endif

}  // namespace

const Kernels* kernelsFor(const std::string& instructionSet) {
  const Kernels* amx = hasAmxInt8() ? amxKernels() : nullptr;
  const Kernels* avx512vbmi = hasAvx512Vbmi() ? avx512vbmiKernels() : nullptr;
  const Kernels* avx512 = hasAvx512() ? avx512Kernels() : nullptr;
  const Kernels* avx2 = hasAvx2() ? avx2Kernels() : nullptr;
  if (instructionSet == "amx") return amx;
  if (instructionSet == "avx512vbmi") return avx512vbmi;
  if (instructionSet == "avx512") return avx512;
  if (instructionSet == "avx2") return avx2;
  if (instructionSet == "neon") return neonKernels();
  if (instructionSet == "scalar") return scalarKernels();
  if (instructionSet != "auto") return nullptr;
  if (amx != nullptr) return amx;
  if (avx512vbmi != nullptr) return avx512vbmi;
  if (avx512 != nullptr) return avx512;
  if (avx2 != nullptr) return avx2;
  return neonKernels() != nullptr ? neonKernels() : scalarKernels();
}

const FastLinear* fastLinearFor(const std::string& name) {
  if (name == "amx") return hasAmxBf16() ? amxLinear() : nullptr;
  if (name == "avx512bf16") return hasAvx512Bf16() ? avx512Bf16Linear() : nullptr;
  return nullptr;
}

const FastLinear* fastLinearBeside(const Kernels& kernels) {
  const std::string_view name = kernels.name;
  if (name != "amx" && name.substr(0, 6) != "avx512") return nullptr;
  if (const FastLinear* amx = fastLinearFor("amx")) return amx;
  // Intel's cores issue a bf16 dot product every other cycle, which is half as many products as FMA has.
  return isAmd() ? fastLinearFor("avx512bf16") : nullptr;
}

}  // namespace airllm
