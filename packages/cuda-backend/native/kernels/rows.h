// Rows of weights in every format, chosen at run time.
#pragma once

#include "packed_rows.h"

namespace airllm {

namespace rows {

template <DType F>
DEVICE void readOne(const Weight& w, size_t row, size_t col, int count, float* to) {
  RowReader<F> reader(w, row);
  reader.seek(col);
  reader.read(col, count, to);
}

}  // namespace rows

/** Columns [col, col + count) of a row in whatever format, for ops that are not bound by it. */
DEVICE_CALL void readColumns(const Weight& w, size_t row, size_t col, int count, float* to) {
  switch (w.dtype) {
    case DType::kF32:
      return rows::readOne<DType::kF32>(w, row, col, count, to);
    case DType::kF16:
      return rows::readOne<DType::kF16>(w, row, col, count, to);
    case DType::kBF16:
      return rows::readOne<DType::kBF16>(w, row, col, count, to);
    case DType::kF8E4M3:
      return rows::readOne<DType::kF8E4M3>(w, row, col, count, to);
    case DType::kQ8:
      return rows::readOne<DType::kQ8>(w, row, col, count, to);
    case DType::kQ4:
      return rows::readOne<DType::kQ4>(w, row, col, count, to);
    case DType::kQ4K:
      return rows::readOne<DType::kQ4K>(w, row, col, count, to);
    case DType::kQ6K:
      return rows::readOne<DType::kQ6K>(w, row, col, count, to);
    case DType::kMxFp4:
      return rows::readOne<DType::kMxFp4>(w, row, col, count, to);
    case DType::kCode4:
      return rows::readOne<DType::kCode4>(w, row, col, count, to);
    case DType::kGptq:
      return rows::readOne<DType::kGptq>(w, row, col, count, to);
    case DType::kAwq:
      return rows::readOne<DType::kAwq>(w, row, col, count, to);
    case DType::kCode8:
      return rows::readOne<DType::kCode8>(w, row, col, count, to);
    case DType::kInt8:
      return rows::readOne<DType::kInt8>(w, row, col, count, to);
    case DType::kInt4:
      return rows::readOne<DType::kInt4>(w, row, col, count, to);
    case DType::kBf16z:
      return rows::readOne<DType::kBf16z>(w, row, col, count, to);
  }
}

}  // namespace airllm
