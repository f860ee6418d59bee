// How the work of each format is cut into slices, and how their results are put together. Slices depend on
// the data alone, never on the number of threads, so sums have the same bits however many there are.
#pragma once

#include <atomic>
#include <vector>

#include "nested_factors.h"
#include "survey.h"
#include "worker_pool.h"

namespace airllm {

/** Elements of a slice, about: enough to make a hand-over cheap, few enough to share a chunk of a megabyte.
 */
constexpr size_t kSliceElements = size_t{1} << 16;

/** Ranges of `units` of `unitElements` elements each. */
struct Slices {
  Slices(size_t units, size_t unitElements)
      : units(units),
        perSlice(unitElements >= kSliceElements ? 1
                                                : kSliceElements / (unitElements == 0 ? 1 : unitElements)) {}
  size_t count() const { return (units + perSlice - 1) / perSlice; }
  size_t begin(size_t slice) const { return slice * perSlice; }
  size_t end(size_t slice) const { return begin(slice) + perSlice < units ? begin(slice) + perSlice : units; }
  size_t units;
  size_t perSlice;
};

/** What a job reports: numbers, laid out per function in binding.ts. */
struct ResultJob : Job {
  virtual std::vector<double> result() const = 0;
};

/** Encoding with sums: [source, error, cross, largest, first non-finite element or -1]. */
struct SumsJob : ResultJob {
  std::vector<ErrorSums> parts;
  std::vector<double> result() const override;
};

/** Double quantization, in one slice: the sums, without the last, then the offset. */
struct FactorsJob : ResultJob {
  NestedResult nested;
  std::vector<double> result() const override;
};

/** [capacity, first non-finite element or -1]. */
struct SurveyJob : ResultJob {
  std::vector<Survey> parts;
  std::vector<double> result() const override;
};

/** [1 when all went well, else 0]. */
struct FlagJob : ResultJob {
  std::atomic<bool> good{true};
  std::vector<double> result() const override;
};

std::unique_ptr<ResultJob> encodeCodesJob(const Kernels&, const EncodeCodes&);
std::unique_ptr<ResultJob> encodeFactorsJob(const Kernels&, const CodeTable&, const float* absmax,
                                            size_t count, uint8_t* codes, float* nested);
std::unique_ptr<ResultJob> decodeCodesJob(const Kernels&, const DecodeCodes&);
std::unique_ptr<ResultJob> encodeIntegersJob(const Kernels&, const EncodeIntegers&, size_t rows);
std::unique_ptr<ResultJob> decodeIntegersJob(const Kernels&, const DecodeIntegers&, size_t rows);
std::unique_ptr<ResultJob> surveyLosslessJob(const uint8_t* bf16, size_t rows, size_t cols, uint8_t* bases);
std::unique_ptr<ResultJob> encodeLosslessJob(const Kernels&, const LosslessRows&, size_t rows,
                                             const uint8_t* bases);
std::unique_ptr<ResultJob> decodeLosslessJob(const Kernels&, const LosslessRows&, size_t rows);

}  // namespace airllm
