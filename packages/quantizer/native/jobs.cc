#include "jobs.h"

#include <algorithm>

namespace airllm {

std::vector<double> SumsJob::result() const {
  ErrorSums all;
  for (const ErrorSums& part : parts) {
    all.source += part.source;
    all.error += part.error;
    all.cross += part.cross;
    all.largest = std::max(all.largest, part.largest);
    if (all.firstNonFinite < 0) all.firstNonFinite = part.firstNonFinite;
  }
  return {all.source, all.error, all.cross, all.largest, static_cast<double>(all.firstNonFinite)};
}

std::vector<double> FactorsJob::result() const {
  const ErrorSums& sums = nested.sums;
  return {sums.source, sums.error, sums.cross, sums.largest, static_cast<double>(nested.offset)};
}

std::vector<double> SurveyJob::result() const {
  Survey all;
  for (const Survey& part : parts) {
    all.capacity = std::max(all.capacity, part.capacity);
    if (all.firstNonFinite < 0) all.firstNonFinite = part.firstNonFinite;
  }
  return {static_cast<double>(all.capacity), static_cast<double>(all.firstNonFinite)};
}

std::vector<double> FlagJob::result() const { return {good.load() ? 1.0 : 0.0}; }

namespace {

/** A job whose slices each leave a part. */
template <typename JobType, typename Work>
std::unique_ptr<ResultJob> partsJob(Slices slices, Work work) {
  auto job = std::make_unique<JobType>();
  job->slices = slices.count();
  job->parts.resize(job->slices);
  job->run = [parts = job->parts.data(), slices, work](size_t slice) {
    parts[slice] = work(slices.begin(slice), slices.end(slice));
  };
  return job;
}

template <typename Work>
std::unique_ptr<ResultJob> flagJob(Slices slices, Work work) {
  auto job = std::make_unique<FlagJob>();
  job->slices = slices.count();
  job->run = [good = &job->good, slices, work](size_t slice) {
    if (!work(slices.begin(slice), slices.end(slice))) *good = false;
  };
  return job;
}

}  // namespace

std::unique_ptr<ResultJob> encodeCodesJob(const Kernels& kernels, const EncodeCodes& codes) {
  const size_t blocks = (codes.elements + codes.blockLength - 1) / codes.blockLength;
  return partsJob<SumsJob>(Slices(blocks, codes.blockLength), [&kernels, codes](size_t begin, size_t end) {
    return kernels.encodeCodes(codes, begin, end);
  });
}

std::unique_ptr<ResultJob> encodeFactorsJob(const Kernels& kernels, const CodeTable& table,
                                            const float* absmax, size_t count, uint8_t* codes,
                                            float* nested) {
  auto job = std::make_unique<FactorsJob>();
  job->slices = 1;
  job->run = [&kernels, &table, absmax, count, codes, nested, to = &job->nested](size_t) {
    *to = encodeFactors(kernels, table, absmax, count, codes, nested);
  };
  return job;
}

std::unique_ptr<ResultJob> decodeCodesJob(const Kernels& kernels, const DecodeCodes& codes) {
  return flagJob(Slices(codes.elements, 1), [&kernels, codes](size_t begin, size_t end) {
    kernels.decodeCodes(codes, begin, end);
    return true;
  });
}

std::unique_ptr<ResultJob> encodeIntegersJob(const Kernels& kernels, const EncodeIntegers& integers,
                                             size_t rows) {
  return partsJob<SumsJob>(Slices(rows, integers.cols), [&kernels, integers](size_t begin, size_t end) {
    return kernels.encodeIntegers(integers, begin, end);
  });
}

std::unique_ptr<ResultJob> decodeIntegersJob(const Kernels& kernels, const DecodeIntegers& integers,
                                             size_t rows) {
  return flagJob(Slices(rows, integers.cols), [&kernels, integers](size_t begin, size_t end) {
    kernels.decodeIntegers(integers, begin, end);
    return true;
  });
}

std::unique_ptr<ResultJob> surveyLosslessJob(const uint8_t* bf16, size_t rows, size_t cols, uint8_t* bases) {
  return partsJob<SurveyJob>(Slices(rows, cols), [bf16, cols, bases](size_t begin, size_t end) {
    return surveyLossless(bf16, cols, bases, begin, end);
  });
}

std::unique_ptr<ResultJob> encodeLosslessJob(const Kernels& kernels, const LosslessRows& lossless,
                                             size_t rows, const uint8_t* bases) {
  return flagJob(Slices(rows, lossless.cols), [&kernels, lossless, bases](size_t begin, size_t end) {
    return kernels.encodeLossless(lossless, bases, begin, end);
  });
}

std::unique_ptr<ResultJob> decodeLosslessJob(const Kernels& kernels, const LosslessRows& lossless,
                                             size_t rows) {
  return flagJob(Slices(rows, lossless.cols), [&kernels, lossless](size_t begin, size_t end) {
    return kernels.decodeLossless(lossless, begin, end);
  });
}

}  // namespace airllm
